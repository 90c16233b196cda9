#include "manual_peer.h"

#include "../io/address.h"
#include "errors.h"
#include "peer_reader.h"
#include "reader.h"
#include "spec_reader.h"
#include "writer.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
constexpr size_t kMaxPemBytes = 1 << 20;
/// Datagrams that one call may send.
constexpr uint32_t kMaxPackets = 4'096;

std::vector<uint8_t> readBytes(const Field& field) {
  const auto [data, size] = field.bytes();
  return {data, data + size};
}

/// One call's arguments. A call that cannot be made has thrown when `fails` is true.
class Call {
 public:
  explicit Call(const Napi::CallbackInfo& info) : info_(info), reader_(info.Env()) {}

  [[nodiscard]] Field at(size_t index, const char* what) { return reader_.root(what, info_[index]); }
  [[nodiscard]] TimeUs time(size_t index) { return at(index, "nowUs").integer(0, kMaxSafeInteger); }
  [[nodiscard]] sctp::StreamId stream() { return at(0, "streamId").integerAs<sctp::StreamId>(0, UINT16_MAX - 1); }
  [[nodiscard]] bool fails(const std::unique_ptr<peer::MediaPeer>& peer) {
    if (reader_.failed()) {
      throwError(info_.Env(), kBadValue, reader_.failure());
    } else if (peer == nullptr) {
      throwError(info_.Env(), kClosed, "the peer was never made");
    }
    return reader_.failed() || peer == nullptr;
  }

 private:
  const Napi::CallbackInfo& info_;
  Reader reader_;
};

}  // namespace

Napi::Function ManualPeer::define(Napi::Env env) {
  return DefineClass(env, "ManualPeer",
                     {
                         InstanceMethod<&ManualPeer::start>("start"),
                         InstanceMethod<&ManualPeer::receive>("receive"),
                         InstanceMethod<&ManualPeer::restart>("restart"),
                         InstanceMethod<&ManualPeer::sendRtp>("sendRtp"),
                         InstanceMethod<&ManualPeer::sendRtcp>("sendRtcp"),
                         InstanceMethod<&ManualPeer::send>("send"),
                         InstanceMethod<&ManualPeer::openChannel>("openChannel"),
                         InstanceMethod<&ManualPeer::closeChannel>("closeChannel"),
                         InstanceMethod<&ManualPeer::close>("close"),
                         InstanceMethod<&ManualPeer::setMedia>("setMedia"),
                         InstanceMethod<&ManualPeer::setTarget>("setTarget"),
                         InstanceMethod<&ManualPeer::mediaReport>("mediaReport"),
                         InstanceMethod<&ManualPeer::advance>("advance"),
                         InstanceMethod<&ManualPeer::nextDeadline>("nextDeadline"),
                         InstanceMethod<&ManualPeer::status>("status"),
                     });
}

ManualPeer::ManualPeer(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const Field options = reader.root("options", info[0]);
  peer::PeerConfig config = readPeerConfig(options);
  const std::string certificate = options["certificatePem"].text(kMaxPemBytes);
  const std::string privateKey = options["privateKeyPem"].text(kMaxPemBytes);
  const auto seed = options["seed"].integerAs<uint64_t>(0, kMaxSafeInteger);
  random_ = io::SeededRandom(seed);
  if (reader.failed()) {
    throwError(env, kBadValue, reader.failure());
    return;
  }
  dtls_ = dtls::Context::create(certificate, privateKey);
  if (dtls_ == nullptr) {
    throwError(env, kBadCertificate, "the certificate and private key are not a PEM pair that DTLS can use");
    return;
  }
  peer::PeerSink& sink = *this;
  peer_ = std::make_unique<peer::MediaPeer>(std::move(config), *dtls_, peer::Media::Options{seed, 0}, sink);
}

ManualPeer::~ManualPeer() = default;

void ManualPeer::begin(napi_env env) {
  env_ = env;
  eventCount_ = 0;
  napi_create_array(env, &events_);
}

Napi::Value ManualPeer::outcome(const char* name, napi_value extra) {
  ArrayWriter datagrams(env_);
  for (const auto& entry : sent_.entries()) {
    datagrams.push(toText(env_, io::addressText(entry.to)));
    datagrams.push(toBytes(env_, sent_.bytesOf(entry)));
  }
  sent_.clear();
  ObjectWriter out(env_);
  out.set("datagrams", datagrams.value()).set("events", events_);
  if (name != nullptr) out.set(name, extra);
  events_ = nullptr;
  return {env_, out.value()};
}

// ── The class's methods ──

Napi::Value ManualPeer::start(const Napi::CallbackInfo& info) {
  Call call(info);
  const TimeUs nowUs = call.time(0);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  peer_->start(nowUs);
  return outcome();
}

Napi::Value ManualPeer::receive(const Napi::CallbackInfo& info) {
  Call call(info);
  const Address from = readAddressText(call.at(0, "from"));
  const std::vector<uint8_t> bytes = readBytes(call.at(1, "bytes"));
  const TimeUs nowUs = call.time(2);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  peer_->receive(bytes, from, nowUs);
  return outcome();
}

Napi::Value ManualPeer::restart(const Napi::CallbackInfo& info) {
  Call call(info);
  const Field to = call.at(0, "restart");
  const IceCredentials local = readCredentials(to["local"]);
  const IceCredentials remote = readCredentials(to["remote"]);
  const Address server = readAddressText(to["server"]);
  const TimeUs nowUs = call.time(1);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  peer_->peer().restart(local, remote, server, nowUs);
  return outcome();
}

Napi::Value ManualPeer::sendRtp(const Napi::CallbackInfo& info) {
  Call call(info);
  const Field list = call.at(0, "packets");
  const uint32_t length = list.length(kMaxPackets);
  std::vector<std::vector<uint8_t>> packets;
  for (uint32_t i = 0; i < length; ++i) packets.push_back(readBytes(list.at(i)));
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  const std::vector<Bytes> views(packets.begin(), packets.end());
  peer_->peer().sendRtp(views);
  return outcome();
}

Napi::Value ManualPeer::sendRtcp(const Napi::CallbackInfo& info) {
  Call call(info);
  const std::vector<uint8_t> bytes = readBytes(call.at(0, "compound"));
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  peer_->peer().sendRtcp(bytes);
  return outcome();
}

Napi::Value ManualPeer::send(const Napi::CallbackInfo& info) {
  Call call(info);
  sctp::Message message;
  message.stream = call.stream();
  message.kind = readMessageKind(call.at(1, "kind"));
  const std::vector<uint8_t> bytes = readBytes(call.at(2, "bytes"));
  message.bytes = bytes;
  const TimeUs nowUs = call.time(3);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  const sctp::SendResult result = peer_->peer().send(message, nowUs);
  return outcome("result", toText(env_, name(result)));
}

Napi::Value ManualPeer::openChannel(const Napi::CallbackInfo& info) {
  Call call(info);
  const sctp::ChannelSpec channel = readChannel(call.at(0, "channel"));
  const TimeUs nowUs = call.time(1);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  const auto stream = peer_->peer().openChannel(channel, nowUs);
  return outcome("streamId", stream.has_value() ? Napi::Number::New(info.Env(), *stream) : toUndefined(env_));
}

Napi::Value ManualPeer::closeChannel(const Napi::CallbackInfo& info) {
  Call call(info);
  const sctp::StreamId stream = call.stream();
  const TimeUs nowUs = call.time(1);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  peer_->peer().closeChannel(stream, nowUs);
  return outcome();
}

Napi::Value ManualPeer::close(const Napi::CallbackInfo& info) {
  Call call(info);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  peer_->peer().close();
  return outcome();
}

Napi::Value ManualPeer::setMedia(const Napi::CallbackInfo& info) {
  Call call(info);
  const peer::MediaSpec media = readMedia(call.at(0, "media"));
  const TimeUs nowUs = call.time(1);
  if (!call.fails(peer_)) peer_->apply(media, nowUs);
  return info.Env().Undefined();
}

Napi::Value ManualPeer::setTarget(const Napi::CallbackInfo& info) {
  Call call(info);
  const auto bitsPerSecond = call.at(0, "targetBps").integerAs<uint64_t>(0, kMaxSafeInteger);
  if (!call.fails(peer_)) peer_->setTarget(bitsPerSecond);
  return info.Env().Undefined();
}

Napi::Value ManualPeer::mediaReport(const Napi::CallbackInfo& info) {
  Call call(info);
  const TimeUs nowUs = call.time(0);
  if (call.fails(peer_)) return info.Env().Undefined();
  const auto report = peer_->report(nowUs);
  if (!report.has_value()) return info.Env().Undefined();
  return {info.Env(), toMediaReport(info.Env(), *report)};
}

Napi::Value ManualPeer::advance(const Napi::CallbackInfo& info) {
  Call call(info);
  const TimeUs nowUs = call.time(0);
  if (call.fails(peer_)) return info.Env().Undefined();
  begin(info.Env());
  peer_->onDeadline(nowUs);
  return outcome();
}

Napi::Value ManualPeer::nextDeadline(const Napi::CallbackInfo& info) {
  Call call(info);
  if (call.fails(peer_) || peer_->nextDeadline() == kNever) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(peer_->nextDeadline()));
}

Napi::Value ManualPeer::status(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Call call(info);
  if (call.fails(peer_)) return env.Undefined();
  const peer::PeerCounters& c = peer_->peer().counters();
  ObjectWriter out(env);
  out.set("connected", peer_->peer().connected()).set("mappedAddress", io::addressText(peer_->peer().mappedAddress()));
  out.set("rtpSent", c.rtpSent).set("rtpReceived", c.rtpReceived);
  out.set("rtcpSent", c.rtcpSent).set("rtcpReceived", c.rtcpReceived);
  out.set("bytesSent", c.bytesSent).set("bytesReceived", c.bytesReceived);
  out.set("droppedReplayed", c.droppedReplayed).set("droppedUnauthentic", c.droppedUnauthentic);
  out.set("droppedMalformed", c.droppedMalformed).set("droppedEarly", c.droppedEarly);
  return {env, out.set("droppedTooLarge", c.droppedTooLarge).value()};
}

// ── What the peer tells ──

void ManualPeer::connected(bool media) {
  happened(peer::Connected{media});
}

void ManualPeer::rtp(Bytes packet) {
  happened(peer::RtpArrived{{packet.begin(), packet.end()}});
}

void ManualPeer::rtcp(Bytes compound) {
  happened(peer::RtcpArrived{{compound.begin(), compound.end()}});
}

void ManualPeer::channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) {
  happened(peer::ChannelOpened{stream, spec});
}

void ManualPeer::channelClosed(sctp::StreamId stream) {
  happened(peer::ChannelClosed{stream});
}

void ManualPeer::message(const sctp::Message& message) {
  happened(peer::MessageArrived{message.stream, message.kind, {message.bytes.begin(), message.bytes.end()}});
}

void ManualPeer::writable() {
  happened(peer::Writable{});
}

void ManualPeer::ended(peer::EndReason reason) {
  happened(peer::Ended{reason});
}

}  // namespace sluice::binding
