// The packet path without threads, as a JavaScript class: a simulation gives it datagrams and moments.
#pragma once

#include <napi.h>

#include <memory>

#include "../io/manual_engine.h"
#include "session_table.h"

namespace sluice::binding {

/// Every method that makes the packet path do something returns what came of it:
/// `{ datagrams: [to, bytes, to, bytes, …], events: […] }`.
class ManualPath final : public Napi::ObjectWrap<ManualPath> {
 public:
  [[nodiscard]] static Napi::Function define(Napi::Env env);
  /// `new ManualPath(options)`
  explicit ManualPath(const Napi::CallbackInfo& info);

 private:
  // The class's methods; `nowUs` is always the last parameter.
  Napi::Value apply(const Napi::CallbackInfo& info);    // (spec, version, nowUs)
  Napi::Value drop(const Napi::CallbackInfo& info);     // (session, nowUs)
  Napi::Value drain(const Napi::CallbackInfo& info);    // (nowUs)
  Napi::Value deliver(const Napi::CallbackInfo& info);  // ([from, bytes, from, bytes, …], nowUs)
  Napi::Value advance(const Napi::CallbackInfo& info);  // (nowUs)
  Napi::Value nextDeadline(const Napi::CallbackInfo& info);
  Napi::Value snapshot(const Napi::CallbackInfo& info);  // (session | undefined, nowUs)
  Napi::Value close(const Napi::CallbackInfo& info);

  [[nodiscard]] bool isOpen(napi_env env) const;
  [[nodiscard]] Napi::Value outcome(Napi::Env env);

  SessionTable sessions_;
  std::unique_ptr<io::ManualEngine> engine_;
};

}  // namespace sluice::binding
