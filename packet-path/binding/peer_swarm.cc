#include "peer_swarm.h"

#include "../io/clock.h"
#include "errors.h"
#include "options_reader.h"
#include "peer_reader.h"
#include "peer_writer.h"
#include "spec_reader.h"
#include "writer.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
constexpr int64_t kMaxU32 = 0xFFFF'FFFF;
constexpr int64_t kMaxThreads = 64;
constexpr int64_t kMaxDelayMs = 60'000;
constexpr double kPartsPerMillion = 1'000'000;

peer::Conditions readConditions(const Field& field) {
  peer::Conditions out;
  out.loss = static_cast<double>(field["lossPpm"].integer(0, 1'000'000)) / kPartsPerMillion;
  out.delayUs = field["delayMs"].integer(0, kMaxDelayMs) * kMillisecondUs;
  out.jitterUs = field["jitterMs"].integer(0, kMaxDelayMs) * kMillisecondUs;
  out.bitsPerSecond = field["rateBps"].integerAs<uint64_t>(0, kMaxSafeInteger);
  return out;
}

swarm::Swarm::Config readConfig(const Field& options) {
  swarm::Swarm::Config config;
  config.threads = options["threads"].integerAs<size_t>(1, kMaxThreads);
  config.seed = options["seed"].integerAs<uint64_t>(0, kMaxSafeInteger);
  const Identity identity = readIdentity(options);
  config.identity = {identity.certificatePem, identity.privateKeyPem};
  return config;
}

swarm::ClientId readId(Reader& reader, napi_value value) {
  return reader.root("id", value).integerAs<swarm::ClientId>(1, kMaxU32);
}

}  // namespace

Napi::Function PeerSwarm::define(Napi::Env env) {
  return DefineClass(env, "PeerSwarm",
                     {
                         InstanceMethod<&PeerSwarm::add>("add"),
                         InstanceMethod<&PeerSwarm::restart>("restart"),
                         InstanceMethod<&PeerSwarm::setMedia>("setMedia"),
                         InstanceMethod<&PeerSwarm::send>("send"),
                         InstanceMethod<&PeerSwarm::remove>("remove"),
                         InstanceMethod<&PeerSwarm::mediaReport>("mediaReport"),
                         InstanceMethod<&PeerSwarm::totals>("totals"),
                         InstanceMethod<&PeerSwarm::threads>("threads"),
                         InstanceMethod<&PeerSwarm::now>("now"),
                         InstanceMethod<&PeerSwarm::close>("close"),
                     });
}

PeerSwarm::PeerSwarm(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const swarm::Swarm::Config config = readConfig(reader.root("options", info[0]));
  if (!isUsable(reader, {config.identity.certificate, config.identity.privateKey})) return;
  if (!info[1].IsFunction()) {
    throwError(env, kBadValue, "onEvents must be a function");
    return;
  }
  if (!open(config)) return;
  onEvents_ = Napi::Persistent(info[1].As<Napi::Function>());
  // The threads call back into this object: it stays until it is closed.
  Ref();
}

bool PeerSwarm::open(const swarm::Swarm::Config& config) {
  bell_ = Doorbell::hang(
      Env(), "sluice peer swarm", [this] { deliver(); }, [this] { swarm_.reset(); });
  if (bell_ != nullptr) swarm_ = swarm::Swarm::open(config, bell_->ringer());
  if (swarm_ != nullptr) return true;
  bell_.reset();
  throwError(Env(), kOutOfResources, "the system has no descriptors left for a swarm");
  return false;
}

PeerSwarm::~PeerSwarm() = default;

bool PeerSwarm::isReady(const Reader& reader) const {
  if (reader.failed()) {
    throwError(reader.env(), kBadValue, reader.failure());
  } else if (swarm_ == nullptr) {
    throwError(reader.env(), kClosed, "the swarm is closed");
  }
  return !reader.failed() && swarm_ != nullptr;
}

Napi::Value PeerSwarm::add(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const Field options = reader.root("options", info[0]);
  swarm::ClientConfig config;
  config.peer = readPeerConfig(options);
  if (const auto up = options.find("up")) config.up = readConditions(*up);
  if (const auto down = options.find("down")) config.down = readConditions(*down);
  if (!isReady(reader)) return env.Undefined();
  const auto id = swarm_->add(config);
  if (!id.has_value()) {
    throwError(env, kOutOfResources, "the system has no sockets left for another client");
    return env.Undefined();
  }
  return Napi::Number::New(env, *id);
}

Napi::Value PeerSwarm::restart(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const auto id = readId(reader, info[0]);
  const Field to = reader.root("restart", info[1]);
  const IceCredentials local = readCredentials(to["local"]);
  const IceCredentials remote = readCredentials(to["remote"]);
  const Address server = readAddressText(to["server"]);
  if (isReady(reader)) swarm_->restart(id, local, remote, server);
  return env.Undefined();
}

Napi::Value PeerSwarm::setMedia(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const auto id = readId(reader, info[0]);
  const peer::MediaSpec media = readMedia(reader.root("media", info[1]));
  if (isReady(reader)) swarm_->apply(id, media);
  return env.Undefined();
}

Napi::Value PeerSwarm::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const auto id = readId(reader, info[0]);
  sctp::Message message;
  message.stream = reader.root("streamId", info[1]).integerAs<sctp::StreamId>(0, UINT16_MAX - 1);
  message.kind = readMessageKind(reader.root("kind", info[2]));
  const auto [data, size] = reader.root("bytes", info[3]).bytes();
  message.bytes = {data, size};
  if (!isReady(reader)) return env.Undefined();
  return {env, toText(env, name(swarm_->send(id, message)))};
}

Napi::Value PeerSwarm::remove(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const auto id = readId(reader, info[0]);
  const bool goodbye = reader.root("goodbye", info[1]).boolean();
  if (isReady(reader)) swarm_->remove(id, goodbye);
  return env.Undefined();
}

Napi::Value PeerSwarm::mediaReport(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const auto id = readId(reader, info[0]);
  if (!isReady(reader)) return env.Undefined();
  napi_value media = toUndefined(env);
  swarm_->report(id, [&](const swarm::ClientReport& report) { media = toMediaReport(env, report.media); });
  return {env, media};
}

Napi::Value PeerSwarm::totals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!isReady(Reader(env))) return env.Undefined();
  const swarm::Totals totals = swarm_->totals();
  const auto kind = [env](const swarm::KindTotals& now, uint64_t sent, peer::DelayHistogram& before) {
    ObjectWriter out(env);
    out.set("sent", sent).set("streams", now.streams).set("packets", now.packets).set("lost", now.lost);
    out.set("recovered", now.recovered).set("delay", toDelays(env, now.delays.since(before)));
    before = now.delays;
    return out.value();
  };
  ObjectWriter out(env);
  out.set("video", kind(totals.video, totals.videoSent, videoDelays_));
  return {env, out.set("audio", kind(totals.audio, totals.audioSent, audioDelays_)).value()};
}

Napi::Value PeerSwarm::threads(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!isReady(Reader(env))) return env.Undefined();
  ArrayWriter out(env);
  for (const swarm::ThreadReport& thread : swarm_->threads()) {
    ObjectWriter one(env);
    one.set("clients", thread.clients).set("cpuUs", thread.cpuUs).set("worstLagUs", thread.worstLagUs);
    one.set("datagramsReceived", thread.io.datagramsReceived).set("datagramsSent", thread.io.datagramsSent);
    out.push(one.set("sendFailed", thread.io.sendFailed + thread.io.sendBufferFull).value());
  }
  return {env, out.value()};
}

Napi::Value PeerSwarm::now(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(io::monotonicUs()));
}

Napi::Value PeerSwarm::close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (swarm_ == nullptr) return env.Undefined();
  swarm_.reset();
  bell_.reset();
  onEvents_.Reset();
  Unref();
  return env.Undefined();
}

void PeerSwarm::deliver() {
  if (swarm_ == nullptr) return;
  const Napi::Env env = Env();
  const swarm::Taken taken = swarm_->take();
  ArrayWriter events(env);
  for (const swarm::ClientEvent& event : taken.events) {
    const Napi::HandleScope scope(env);
    ObjectWriter one(env);
    events.push(one.set("id", event.client).set("event", toPeerEvent(env, event.what)).value());
  }
  napi_value lost = nullptr;
  napi_create_double(env, static_cast<double>(taken.lost), &lost);
  if (events.length() > 0 || taken.lost > 0) onEvents_.Call({events.value(), lost});
}

}  // namespace sluice::binding
