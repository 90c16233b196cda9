#include "incoming_track.h"

#include <algorithm>

#include "../format.h"
#include "../wire/red.h"

namespace sluice::receive {

namespace {

constexpr uint8_t kMaxPayloadType = 127;
constexpr uint16_t kOsnBytes = 2;  // RFC 4588 §4

// The encoding of `from` that a stream of a spec means: the one with its RID, or its SSRC.
IncomingTrack::Encoding* same(std::span<IncomingTrack::Encoding> from, const IncomingStreamSpec& stream) {
  for (IncomingTrack::Encoding& e : from) {
    if (stream.rid.empty() ? e.rid.empty() && (!stream.ssrc || !e.ssrc || stream.ssrc == e.ssrc)
                           : e.rid == stream.rid) {
      return &e;
    }
  }
  return nullptr;
}

}  // namespace

void IncomingTrack::apply(const IncomingTrackSpec& spec) {
  spec_ = spec;
  formats_.clear();
  payloads_ = {};
  for (const CodecSpec& c : spec.codecs) {
    if (c.payloadType > kMaxPayloadType || formats_.size() == 128) continue;
    const auto format = static_cast<uint8_t>(formats_.size());
    formats_.push_back({c.codec, c.payloadType, c.clockRateHz, formatKey(c)});
    payloads_[c.payloadType] = {PayloadKind::kMedia, format};
    if (c.rtxPayloadType && *c.rtxPayloadType <= kMaxPayloadType) {
      payloads_[*c.rtxPayloadType] = {PayloadKind::kRepair, format};
    }
  }

  std::vector<Encoding> before = std::move(encodings_);
  encodings_.clear();
  const auto take = [&](const IncomingStreamSpec& wanted) {
    Encoding e{wanted.rid, wanted.ssrc, wanted.rtxSsrc, nullptr};
    if (Encoding* old = same(before, wanted)) {
      // An SSRC that the spec leaves open, or names as before, keeps what was learnt.
      if (!e.ssrc || e.ssrc == old->ssrc) {
        e.ssrc = old->ssrc;
        e.stream = std::move(old->stream);
      }
      if (!e.rtxSsrc) e.rtxSsrc = old->rtxSsrc;
    }
    encodings_.push_back(std::move(e));
  };
  for (const IncomingStreamSpec& s : std::span(spec.streams).first(std::min(spec.streams.size(), kMaxEncodings)))
    take(s);
  if (encodings_.empty()) take({});
}

IncomingTrack::Received IncomingTrack::receive(Packet& packet, const wire::RtpHeader& header, size_t encoding,
                                               bool repair, TimeUs nowUs) {
  Received r;
  const Payload payload = payloads_[header.payloadType];
  if (payload.kind != (repair ? PayloadKind::kRepair : PayloadKind::kMedia)) return r;
  Encoding& e = encodings_[encoding];

  packet.payloadOffset = header.payloadOffset;
  packet.payloadSize = header.payloadSize;
  packet.timestamp = header.timestamp;
  packet.marker = header.marker;
  packet.encoding = static_cast<uint8_t>(encoding);
  packet.recovered = repair;
  uint16_t seq = header.seq;
  if (repair) {
    if (header.payloadSize == 0) return r.verdict = Verdict::kRtxPadding, r;
    if (header.payloadSize < kOsnBytes || !e.stream) return r.verdict = Verdict::kRtxMalformed, r;
    seq = readU16(packet.bytes + packet.payloadOffset);
    packet.payloadOffset = static_cast<uint16_t>(packet.payloadOffset + kOsnBytes);
    packet.payloadSize = static_cast<uint16_t>(packet.payloadSize - kOsnBytes);
  } else if (!e.stream || e.stream->ssrc() != header.ssrc) {
    e.stream = std::make_unique<IncomingStream>(header.ssrc, IncomingStream::Options{spec_.kind, spec_.nack});
  }

  if (formats_[payload.format].codec == Codec::kRed) findPrimary(packet);

  r.verdict = e.stream->receive(packet, seq, formats_[payload.format], nowUs);
  r.rttSampleUs = e.stream->takeRttSample();
  if (r.verdict != Verdict::kAccepted) return r;
  r.started = !std::exchange(started_, true);
  if (packet.audioLevel != 0xFF && !repair) r.activity = activity_.note(packet.audioLevel & 0x7F, nowUs);
  return r;
}

void IncomingTrack::findPrimary(Packet& packet) const {
  const auto primary = wire::readRedPrimary(packet.payload());
  if (!primary || payloads_[primary->payloadType].kind != PayloadKind::kMedia) return;
  packet.primaryFormat = formats_[payloads_[primary->payloadType].format].format;
  packet.primarySkip = static_cast<uint16_t>(primary->offset);
}

void IncomingTrack::adopt(size_t index, Ssrc ssrc, bool repair) {
  if (repair) {
    encodings_[index].rtxSsrc = ssrc;
  } else {
    encodings_[index].ssrc = ssrc;
  }
}

void IncomingTrack::wantKeyFrame(size_t encoding, TimeUs nowUs) {
  if (encoding < encodings_.size() && encodings_[encoding].stream) encodings_[encoding].stream->wantKeyFrame(nowUs);
}

TimeUs IncomingTrack::nextDeadline() const {
  TimeUs at = activity_.nextDeadline();
  for (const Encoding& e : encodings_) {
    if (e.stream) at = std::min(at, e.stream->nextDeadline());
  }
  return at;
}

}  // namespace sluice::receive
