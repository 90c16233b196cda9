#include "peer_writer.h"

namespace sluice::binding {

namespace {

const char* name(peer::EndReason reason) {
  switch (reason) {
    case peer::EndReason::kClosedHere:
      return "closed-here";
    case peer::EndReason::kUnreachable:
      return "unreachable";
    case peer::EndReason::kConsentLost:
      return "consent-lost";
    case peer::EndReason::kDtlsFailed:
      return "dtls-failed";
    case peer::EndReason::kDtlsClosed:
      return "dtls-closed";
    case peer::EndReason::kSctpFailed:
      return "sctp-failed";
  }
  return "sctp-failed";
}

class EventWriter {
 public:
  explicit EventWriter(napi_env env) : env_(env), out_(env) {}

  napi_value operator()(const peer::Connected& e) { return type("connected").set("media", e.media).value(); }
  napi_value operator()(const peer::RtpArrived& e) {
    return type("rtp").set("packet", toBytes(env_, e.packet)).value();
  }
  napi_value operator()(const peer::RtcpArrived& e) {
    return type("rtcp").set("compound", toBytes(env_, e.compound)).value();
  }
  napi_value operator()(const peer::ChannelOpened& e) {
    type("channel-opened").set("streamId", e.stream).set("label", e.spec.label);
    return out_.set("protocol", e.spec.protocol).set("ordered", e.spec.ordered).value();
  }
  napi_value operator()(const peer::ChannelClosed& e) {
    return type("channel-closed").set("streamId", e.stream).value();
  }
  napi_value operator()(const peer::MessageArrived& e) {
    type("message").set("streamId", e.stream);
    out_.set("kind", e.kind == sctp::MessageKind::kString ? "string" : "binary");
    return out_.set("bytes", toBytes(env_, e.bytes)).value();
  }
  napi_value operator()(const peer::Writable&) { return type("writable").value(); }
  napi_value operator()(const peer::Ended& e) { return type("ended").set("reason", name(e.reason)).value(); }

 private:
  ObjectWriter& type(const char* name) { return out_.set("type", name); }

  napi_env env_;
  ObjectWriter out_;
};

double milliseconds(TimeUs us) {
  return static_cast<double>(us) / 1'000.0;
}

napi_value toSent(napi_env env, const peer::SentStream& s) {
  ObjectWriter out(env);
  out.set("ssrc", s.ssrc).set("kind", s.video ? "video" : "audio").set("packets", s.packets).set("bytes", s.bytes);
  out.set("resentPackets", s.resent).set("nacks", s.nacks).set("frames", s.frames).set("keyFrames", s.keyFrames);
  out.set("keyFramesAsked", s.keyFramesAsked).set("targetBps", s.bitsPerSecond);
  return out.set("fractionLost", s.fractionLost).value();
}

void setMoment(ObjectWriter& out, const char* name, TimeUs atUs) {
  if (atUs != kNever) out.set(name, atUs);
}

napi_value toFrames(napi_env env, const peer::VideoTotals& v) {
  ObjectWriter out(env);
  out.set("decoded", v.framesDecoded).set("dropped", v.framesDropped).set("keyFrames", v.keyFrames);
  out.set("freezes", v.freezes)
      .set("frozenMs", milliseconds(v.frozenUs))
      .set("longestGapMs", milliseconds(v.longestGapUs));
  out.set("brokenReferences", v.brokenReferences).set("sent", v.framesSent);
  out.set("encoding", v.encoding).set("encodingSwitches", v.encodingSwitches);
  setMoment(out, "firstUs", v.firstFrameUs);
  setMoment(out, "lastUs", v.lastFrameUs);
  return out.value();
}

napi_value toAudio(napi_env env, const peer::AudioTotals& a) {
  ObjectWriter out(env);
  out.set("played", a.framesPlayed).set("concealed", a.framesConcealed).set("late", a.framesLate);
  out.set("redundant", a.framesRedundant).set("bufferMs", milliseconds(a.bufferUs));
  setMoment(out, "firstUs", a.firstFrameUs);
  setMoment(out, "lastUs", a.lastFrameUs);
  return out.value();
}

napi_value toReceived(napi_env env, const peer::ReceivedStream& r) {
  ObjectWriter out(env);
  out.set("ssrc", r.ssrc).set("kind", r.video ? "video" : "audio").set("packets", r.packets).set("bytes", r.bytes);
  out.set("lost", r.lost).set("recovered", r.recovered).set("nacks", r.nacks);
  out.set("keyFramesAsked", r.keyFramesAsked).set("jitterMs", r.jitterMs);
  out.set("source", r.video ? r.frames.source : r.audio.source);
  if (r.video) {
    out.set("frames", toFrames(env, r.frames));
  } else {
    out.set("audio", toAudio(env, r.audio));
  }
  return out.set("delay", toDelays(env, *r.delays)).value();
}

}  // namespace

const char* name(sctp::SendResult result) {
  switch (result) {
    case sctp::SendResult::kOk:
      return "ok";
    case sctp::SendResult::kBufferFull:
      return "buffer-full";
    case sctp::SendResult::kNoSuchChannel:
      return "no-such-channel";
    case sctp::SendResult::kTooLarge:
      return "too-large";
  }
  return "no-such-channel";
}

napi_value toDelays(napi_env env, const peer::DelayHistogram& delays) {
  ObjectWriter out(env);
  out.set("count", delays.total()).set("p50Ms", milliseconds(delays.quantile(0.5)));
  out.set("p95Ms", milliseconds(delays.quantile(0.95))).set("p99Ms", milliseconds(delays.quantile(0.99)));
  return out.set("maxMs", milliseconds(delays.max())).value();
}

napi_value toPeerEvent(napi_env env, const peer::PeerEvent& event) {
  return std::visit(EventWriter(env), event);
}

napi_value toMediaReport(napi_env env, const peer::MediaReport& report) {
  ArrayWriter sent(env);
  for (const peer::SentStream& s : report.sent) sent.push(toSent(env, s));
  ArrayWriter received(env);
  for (const peer::ReceivedStream& r : report.received) received.push(toReceived(env, r));
  ObjectWriter out(env);
  out.set("sent", sent.value()).set("received", received.value()).set("rttMs", report.rttMs);
  return out.set("unknownSource", report.unknownSource).value();
}

}  // namespace sluice::binding
