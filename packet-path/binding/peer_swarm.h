// Clients on threads, as a JavaScript class for load tests.
#pragma once

#include <napi.h>

#include <memory>

#include "../swarm/swarm.h"
#include "doorbell.h"
#include "reader.h"

namespace sluice::binding {

class PeerSwarm final : public Napi::ObjectWrap<PeerSwarm> {
 public:
  [[nodiscard]] static Napi::Function define(Napi::Env env);
  /// `new PeerSwarm(options, onEvents)`
  explicit PeerSwarm(const Napi::CallbackInfo& info);
  ~PeerSwarm() override;

 private:
  // The class's methods.
  Napi::Value add(const Napi::CallbackInfo& info);          // (options) => id
  Napi::Value restart(const Napi::CallbackInfo& info);      // (id, { local, remote, server })
  Napi::Value setMedia(const Napi::CallbackInfo& info);     // (id, media)
  Napi::Value send(const Napi::CallbackInfo& info);         // (id, streamId, kind, bytes) => result
  Napi::Value remove(const Napi::CallbackInfo& info);       // (id, goodbye)
  Napi::Value mediaReport(const Napi::CallbackInfo& info);  // (id); undefined for one that is gone
  Napi::Value totals(const Napi::CallbackInfo& info);       // delays are those since the last call
  Napi::Value threads(const Napi::CallbackInfo& info);
  Napi::Value now(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  [[nodiscard]] bool open(const swarm::Swarm::Config& config);
  /// Is there a swarm to do what was asked, as `reader` read it? Throws what is wrong.
  [[nodiscard]] bool isReady(const Reader& reader) const;
  /// On the JavaScript thread, after any client had something to tell.
  void deliver();

  std::unique_ptr<Doorbell> bell_;       ///< before the swarm, whose threads ring it
  std::unique_ptr<swarm::Swarm> swarm_;  ///< null: never opened, closed, or the environment has ended
  Napi::FunctionReference onEvents_;
  // As last told.
  peer::DelayHistogram videoDelays_;
  peer::DelayHistogram audioDelays_;
};

}  // namespace sluice::binding
