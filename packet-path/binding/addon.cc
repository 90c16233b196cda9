// The addon: its classes, made anew for every environment (main thread or worker) that loads it. No state is shared.
#include <napi.h>

#include "../core/dtls/context.h"
#include "errors.h"
#include "manual_path.h"
#include "manual_peer.h"
#include "peer_swarm.h"
#include "reader.h"
#include "threaded_path.h"
#include "writer.h"

namespace sluice::binding {

namespace {

/// `(notBeforeUnixSeconds, days) => { certificatePem, privateKeyPem }`
Napi::Value generateIdentity(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const int64_t notBefore = reader.root("notBefore", info[0]).integer(0, int64_t{1} << 40);
  const int days = reader.root("days", info[1]).integerAs<int>(1, 36'500);
  if (reader.failed()) {
    throwError(env, kBadValue, reader.failure());
    return env.Undefined();
  }
  const auto identity = dtls::generateIdentity(notBefore, days);
  if (!identity.has_value()) {
    throwError(env, kOutOfResources, "OpenSSL cannot make a certificate");
    return env.Undefined();
  }
  ObjectWriter out(env);
  return {env, out.set("certificatePem", identity->certificate).set("privateKeyPem", identity->privateKey).value()};
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("ThreadedPath", ThreadedPath::define(env));
  exports.Set("ManualPath", ManualPath::define(env));
  exports.Set("ManualPeer", ManualPeer::define(env));
  exports.Set("PeerSwarm", PeerSwarm::define(env));
  exports.Set("generateIdentity", Napi::Function::New<generateIdentity>(env, "generateIdentity"));
  return exports;
}

}  // namespace

}  // namespace sluice::binding

static Napi::Object initAddon(Napi::Env env, Napi::Object exports) {
  return sluice::binding::init(env, exports);
}

NODE_API_MODULE(sluice_packet_path, initAddon)
