// The packet path on threads, as a JavaScript class.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_map>

#include "../io/engine.h"
#include "doorbell.h"
#include "session_table.h"

namespace sluice::binding {

class ThreadedPath final : public Napi::ObjectWrap<ThreadedPath> {
 public:
  [[nodiscard]] static Napi::Function define(Napi::Env env);
  /// `new ThreadedPath(options, onEvents)`; throws when it cannot be opened.
  explicit ThreadedPath(const Napi::CallbackInfo& info);
  ~ThreadedPath() override;

 private:
  // The class's methods
  Napi::Value apply(const Napi::CallbackInfo& info);
  Napi::Value drop(const Napi::CallbackInfo& info);
  Napi::Value drain(const Napi::CallbackInfo& info);
  Napi::Value snapshot(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value status(const Napi::CallbackInfo& info);

  [[nodiscard]] bool open(const io::EngineConfig& config);
  [[nodiscard]] bool isOpen(napi_env env) const;
  /// On the JavaScript thread, after any shard had something to tell.
  void deliver();
  void handEvents(const io::Engine::Delivery& delivery);
  void answer(uint64_t ticket, napi_value value);
  void releaseRetired();
  void retireLater();

  SessionTable sessions_;
  std::unique_ptr<Doorbell> bell_;      ///< before the engine, whose threads ring it
  std::unique_ptr<io::Engine> engine_;  ///< null: never opened, closed, or the environment has ended
  Napi::FunctionReference onEvents_;
  std::unordered_map<uint64_t, napi_deferred> waiting_;  ///< snapshots asked for, by ticket
  /// Names released when this report has come: it comes after every event that could still use them.
  HeldNames retiring_;
  uint64_t retiringTicket_ = 0;  ///< 0: none
};

}  // namespace sluice::binding
