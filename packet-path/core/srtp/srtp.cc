#include "srtp.h"

namespace sluice::srtp {

namespace {

constexpr size_t kRtpFixedBytes = 12;           // RFC 3550 §5.1
constexpr size_t kRtcpClearBytes = 8;           // RFC 3711 §3.4
constexpr uint32_t kRtcpIndexLimit = 1U << 31;  // RFC 3711 §3.2.3: 31 bits

std::optional<Transform> transformFor(const wire::SrtpKeys& master, Direction direction) {
  const std::optional<SessionKeys> keys = deriveSessionKeys(master);
  return keys ? Transform::create(*keys, direction) : std::nullopt;
}

}  // namespace

size_t rtpHeaderBytes(Bytes packet) {
  if (packet.size() < kRtpFixedBytes || (packet[0] >> 6) != 2) return 0;
  size_t size = kRtpFixedBytes + size_t{4} * (packet[0] & 0x0F);
  if ((packet[0] & 0x10) != 0) {
    if (packet.size() < size + 4) return 0;
    size += 4 + size_t{4} * readU16(packet.data() + size + 2);
  }
  return size <= packet.size() ? size : 0;
}

std::optional<SealContext> SealContext::create(const wire::SrtpKeys& keys) {
  auto transform = transformFor(keys, Direction::kSeal);
  if (!transform) return std::nullopt;
  return SealContext(std::move(*transform));
}

size_t SealContext::sealRtp(Bytes header, Bytes payload, SeqNo seq, MutableBytes out) {
  const size_t size = header.size() + payload.size() + rtpOverhead();
  if (seq < 0 || header.size() < kRtpFixedBytes || size > out.size()) return 0;
  return transform_.sealRtp(header, payload, static_cast<uint64_t>(seq), out.data()) ? size : 0;
}

size_t SealContext::sealRtcp(Bytes packet, MutableBytes out) {
  const size_t size = packet.size() + rtcpOverhead();
  if (packet.size() < kRtcpClearBytes || size > out.size() || rtcpIndex_ >= kRtcpIndexLimit) return 0;
  // One counter for all senders of the session: each still sees it grow, and no nonce comes twice.
  return transform_.sealRtcp(packet, rtcpIndex_++, out.data()) ? size : 0;
}

std::optional<OpenContext> OpenContext::create(const wire::SrtpKeys& keys) {
  auto transform = transformFor(keys, Direction::kOpen);
  if (!transform) return std::nullopt;
  return OpenContext(std::move(*transform));
}

Opened OpenContext::openRtp(Bytes sealed, MutableBytes out) {
  const size_t header = rtpHeaderBytes(sealed);
  if (header == 0 || sealed.size() < header + transform_.rtpOverhead() || out.size() < sealed.size()) return {};
  const Ssrc ssrc = readU32(sealed.data() + 8);
  const uint16_t wireSeq = readU16(sealed.data() + 2);

  StreamTable::Stream* stream = rtp_.find(ssrc);
  const uint64_t index = stream != nullptr ? estimateIndex(wireSeq, stream->window.highest()) : wireSeq;
  if (stream != nullptr && !stream->window.isFresh(index)) return {OpenVerdict::kReplayed, 0, 0};
  if (!transform_.openRtp(sealed, header, index, out.data())) return {OpenVerdict::kUnauthentic, 0, 0};
  if (stream == nullptr) stream = rtp_.add(ssrc);
  if (stream == nullptr) return {OpenVerdict::kTooManySsrcs, 0, 0};
  stream->window.note(index);
  return {OpenVerdict::kOpened, sealed.size() - transform_.rtpOverhead(), static_cast<SeqNo>(index)};
}

Opened OpenContext::openRtcp(Bytes sealed, MutableBytes out) {
  if (sealed.size() < kRtcpClearBytes + transform_.rtcpOverhead() || (sealed[0] >> 6) != 2 ||
      out.size() < sealed.size()) {
    return {};
  }
  const Ssrc ssrc = readU32(sealed.data() + 4);
  const uint32_t index = transform_.rtcpIndexWord(sealed) & (kRtcpIndexLimit - 1);
  StreamTable::Stream* stream = rtcp_.find(ssrc);
  if (stream != nullptr && !stream->window.isFresh(index)) return {OpenVerdict::kReplayed, 0, 0};
  if (!transform_.openRtcp(sealed, out.data())) return {OpenVerdict::kUnauthentic, 0, 0};
  if (stream == nullptr) stream = rtcp_.add(ssrc);
  if (stream == nullptr) return {OpenVerdict::kTooManySsrcs, 0, 0};
  stream->window.note(index);
  return {OpenVerdict::kOpened, sealed.size() - transform_.rtcpOverhead(), 0};
}

}  // namespace sluice::srtp
