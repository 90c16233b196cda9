#include "writer.h"

#include <array>

#include "../io/address.h"

namespace sluice::binding {

namespace {

const char* name(CloseReason reason) {
  switch (reason) {
    case CloseReason::kDropped:
      return "dropped";
    case CloseReason::kConsentExpired:
      return "consent-expired";
    case CloseReason::kSetupTimeout:
      return "setup-timeout";
    case CloseReason::kDtlsFailed:
      return "dtls-failed";
    case CloseReason::kDtlsClosed:
      return "dtls-closed";
    case CloseReason::kSctpFailed:
      return "sctp-failed";
  }
  return "dropped";
}

const char* name(SessionState state) {
  switch (state) {
    case SessionState::kLanded:
      return "landed";
    case SessionState::kConnected:
      return "connected";
    case SessionState::kClosed:
      return "closed";
  }
  return "closed";
}

const char* name(MediaKind kind) {
  return kind == MediaKind::kAudio ? "audio" : "video";
}

const char* name(Codec codec) {
  static constexpr std::array<const char*, 10> kNames = {"other", "opus", "red",  "pcmu", "pcma",
                                                         "vp8",   "vp9",  "h264", "h265", "av1"};
  return kNames[static_cast<size_t>(codec)];
}

template <typename Key>
const std::string* idOf(const Names& names, Key key) {
  return names.idOf(static_cast<uint64_t>(key));
}

/// One event as an object; null when an id in it is forgotten.
class EventWriter {
 public:
  EventWriter(napi_env env, const Names& names) : env_(env), names_(names), out_(env) {}

  napi_value operator()(const SessionLanded& e) {
    return begin("landed", e.session) ? out_.set("remote", io::addressText(e.remote)).value() : nullptr;
  }
  napi_value operator()(const SessionMoved& e) {
    return begin("moved", e.session) ? out_.set("remote", io::addressText(e.remote)).value() : nullptr;
  }
  napi_value operator()(const SessionConnected& e) { return begin("connected", e.session) ? out_.value() : nullptr; }
  napi_value operator()(const SessionClosed& e) {
    return begin("closed", e.session) ? out_.set("reason", name(e.reason)).value() : nullptr;
  }
  napi_value operator()(const TrackStarted& e) {
    if (!begin("track-started", e.session) || !setTrack(e.track)) return nullptr;
    return out_.set("ssrc", e.ssrc).set("payloadType", e.payloadType).value();
  }
  napi_value operator()(const DataChannelOpened& e) {
    if (!begin("data-channel-opened", e.session)) return nullptr;
    return out_.set("streamId", e.streamId).set("label", e.label).value();
  }
  napi_value operator()(const AudioActivity& e) {
    if (!begin("audio-activity", e.session) || !setTrack(e.track)) return nullptr;
    return out_.set("active", e.active).set("level", e.level).value();
  }
  napi_value operator()(const UnknownUsernameFragment& e) {
    out_.set("type", "unknown-username-fragment").set("usernameFragment", e.usernameFragment);
    return out_.set("from", io::addressText(e.from)).value();
  }

 private:
  bool begin(const char* type, SessionKey session) {
    const std::string* id = idOf(names_, session);
    if (id != nullptr) out_.set("type", type).set("session", *id);
    return id != nullptr;
  }
  bool setTrack(TrackKey track) {
    const std::string* id = idOf(names_, track);
    if (id != nullptr) out_.set("track", *id);
    return id != nullptr;
  }

  napi_env env_;
  const Names& names_;
  ObjectWriter out_;
};

napi_value toIncoming(napi_env env, const IncomingStreamSnapshot& s, const std::string& track) {
  ObjectWriter out(env);
  out.set("track", track).set("kind", name(s.kind)).set("mid", s.mid).set("rid", s.rid).set("ssrc", s.ssrc);
  out.set("codec", name(s.codec)).set("payloadType", s.payloadType);
  out.set("packets", s.packets).set("bytes", s.bytes).set("lost", s.lost).set("recovered", s.recovered);
  out.set("duplicates", s.duplicates).set("jitterMs", s.jitterMs).set("nacks", s.nacks).set("plis", s.plis);
  out.set("keyFrames", s.keyFrames).set("audioLevel", s.audioLevel).set("audioActive", s.audioActive);
  return out.set("lastPacketAtUs", s.lastPacketAtUs).value();
}

napi_value toLayer(napi_env env, const OutgoingStreamSnapshot::Layer& layer) {
  return ObjectWriter(env).set("spatial", layer.spatial).set("temporal", layer.temporal).value();
}

napi_value toOutgoing(napi_env env, const OutgoingStreamSnapshot& s, const std::string& track) {
  ObjectWriter out(env);
  out.set("track", track).set("kind", name(s.kind)).set("mid", s.mid).set("ssrc", s.ssrc).set("codec", name(s.codec));
  out.set("paused", s.paused).set("flowing", s.flowing).set("packets", s.packets).set("bytes", s.bytes);
  out.set("heldBack", s.heldBack).set("target", toLayer(env, s.target));
  if (s.layer) out.set("layer", toLayer(env, *s.layer));
  out.set("frames", s.frames).set("keyFrames", s.keyFrames).set("layerSwitches", s.layerSwitches);
  out.set("resentPackets", s.resentPackets).set("resentBytes", s.resentBytes).set("nacks", s.nacks);
  out.set("plis", s.plis).set("fractionLost", s.fractionLost).set("lost", s.lost);
  return out.set("jitterMs", s.jitterMs).value();
}

napi_value toSend(napi_env env, const SendSnapshot& s) {
  ObjectWriter out(env);
  out.set("targetBps", s.targetBps).set("ackedBps", s.ackedBps).set("loss", s.loss);
  out.set("inherentLoss", s.inherentLoss).set("queueMs", s.queueMs);
  return out.set("bytesInFlight", s.bytesInFlight).value();
}

napi_value toData(napi_env env, const DataSnapshot& d) {
  ObjectWriter out(env);
  out.set("messagesIn", d.messagesIn).set("bytesIn", d.bytesIn).set("messagesOut", d.messagesOut);
  out.set("bytesOut", d.bytesOut).set("bufferedBytes", d.bufferedBytes).set("openChannels", d.openChannels);
  return out.set("lastReliableSequence", d.lastReliableSequence).value();
}

template <size_t N>
napi_value toNamedCounts(napi_env env, const std::array<uint64_t, N>& counts, const std::array<const char*, N>& names) {
  ObjectWriter out(env);
  for (size_t i = 0; i < N; ++i) out.set(names[i], counts[i]);
  return out.value();
}

napi_value toIo(napi_env env, const io::IoCounters& c) {
  ObjectWriter drops(env);
  drops.set("received-truncated", c.receivedTruncated).set("received-overflow", c.receivedOverflow);
  drops.set("send-buffer-full", c.sendBufferFull).set("send-failed", c.sendFailed);
  drops.set("shard-queue-full", c.shardQueueFull).set("event-queue-full", c.eventQueueFull);
  ObjectWriter out(env);
  out.set("datagramsReceived", c.datagramsReceived).set("bytesReceived", c.bytesReceived);
  out.set("receiveCalls", c.receiveCalls).set("datagramsSent", c.datagramsSent).set("bytesSent", c.bytesSent);
  out.set("sendCalls", c.sendCalls).set("burstsSplit", c.burstsSplit).set("rounds", c.rounds).set("sleeps", c.sleeps);
  return out.set("cpuUs", c.cpuUs).set("drops", drops.value()).value();
}

}  // namespace

napi_value toText(napi_env env, std::string_view text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

napi_value toBytes(napi_env env, Bytes bytes) {
  napi_value value = nullptr;
  napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &value);
  return value;
}

napi_value toUndefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

napi_value toError(napi_env env, const char* code, std::string_view message) {
  napi_value error = nullptr;
  napi_create_error(env, toText(env, code), toText(env, message), &error);
  return error;
}

void throwError(napi_env env, const char* code, std::string_view message) {
  napi_throw(env, toError(env, code, message));
}

napi_value toEvent(napi_env env, const Event& event, const Names& names) {
  return std::visit(EventWriter(env, names), event);
}

napi_value toSession(napi_env env, const SessionSnapshot& session, const Names& names) {
  const std::string* id = idOf(names, session.session);
  if (id == nullptr) return toUndefined(env);
  ArrayWriter incoming(env);
  for (const auto& stream : session.incoming) {
    if (const std::string* track = idOf(names, stream.track)) incoming.push(toIncoming(env, stream, *track));
  }
  ArrayWriter outgoing(env);
  for (const auto& stream : session.outgoing) {
    if (const std::string* track = idOf(names, stream.track)) outgoing.push(toOutgoing(env, stream, *track));
  }
  ObjectWriter out(env);
  out.set("session", *id).set("state", name(session.state)).set("remote", io::addressText(session.remote));
  out.set("landedAtUs", session.landedAtUs).set("connectedAtUs", session.connectedAtUs).set("rttMs", session.rttMs);
  out.set("datagramsIn", session.datagramsIn).set("bytesIn", session.bytesIn);
  out.set("datagramsOut", session.datagramsOut).set("bytesOut", session.bytesOut);
  if (session.send) out.set("send", toSend(env, *session.send));
  out.set("incoming", incoming.value()).set("outgoing", outgoing.value());
  return out.set("data", toData(env, session.data)).value();
}

napi_value toShard(napi_env env, const io::ShardReport& report) {
  ObjectWriter out(env);
  out.set("shard", report.shard).set("sessions", report.sessions);
  out.set("counters", toNamedCounts(env, report.counters.counts, kCounterNames));
  out.set("drops", toNamedCounts(env, report.counters.drops, kDropReasonNames));
  return out.set("io", toIo(env, report.io)).value();
}

}  // namespace sluice::binding
