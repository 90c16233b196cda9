#include "transform.h"

#include <algorithm>
#include <cstring>

namespace sluice::srtp {

namespace {

constexpr size_t kCmTagBytes = 10;         // RFC 3711 §5.2: 80 bits, for SRTCP as well
constexpr size_t kRtcpClearBytes = 8;      // RFC 3711 §3.4: the first header and the sender's SSRC
constexpr uint32_t kEncrypted = 1U << 31;  // the E bit

// RFC 7714 §8.1: two zero bytes, SSRC, rollover counter and sequence number, XOR salt.
crypto::AesGcm::Nonce rtpNonce(const std::array<uint8_t, 12>& salt, uint32_t ssrc, uint64_t index) {
  crypto::AesGcm::Nonce n{};
  writeU32(n.data() + 2, ssrc);
  writeU32(n.data() + 6, static_cast<uint32_t>(index >> 16));
  writeU16(n.data() + 10, static_cast<uint16_t>(index));
  for (size_t i = 0; i < n.size(); ++i) n[i] ^= salt[i];
  return n;
}

// RFC 7714 §9.1: two zero bytes, SSRC, two zero bytes, index, XOR salt.
crypto::AesGcm::Nonce rtcpNonce(const std::array<uint8_t, 12>& salt, uint32_t ssrc, uint32_t index) {
  crypto::AesGcm::Nonce n{};
  writeU32(n.data() + 2, ssrc);
  writeU32(n.data() + 8, index);
  for (size_t i = 0; i < n.size(); ++i) n[i] ^= salt[i];
  return n;
}

// RFC 3711 §4.1.1: salt · 2^16 XOR SSRC · 2^64 XOR index · 2^16.
crypto::AesCtr::Counter counter(const std::array<uint8_t, 14>& salt, uint32_t ssrc, uint64_t index) {
  crypto::AesCtr::Counter c{};
  writeU32(c.data() + 4, ssrc);
  writeU64(c.data() + 8, index << 16);
  for (size_t i = 0; i < salt.size(); ++i) c[i] ^= salt[i];
  return c;
}

std::array<uint8_t, 4> bigEndian(uint32_t v) {
  std::array<uint8_t, 4> b;
  writeU32(b.data(), v);
  return b;
}

void copy(Bytes from, uint8_t* to) {
  if (!from.empty() && to != from.data()) std::memcpy(to, from.data(), from.size());
}

}  // namespace

std::optional<Transform> Transform::create(const SessionKeys& keys, Direction direction) {
  const size_t keyBytes = wire::srtpKeyBytes(keys.profile);
  const Bytes rtpKey = Bytes(keys.rtp.key).first(keyBytes);
  const Bytes rtcpKey = Bytes(keys.rtcp.key).first(keyBytes);
  if (keys.profile == wire::SrtpProfile::kAes128CmSha1_80) {
    auto rtp = crypto::AesCtr::create(rtpKey);
    auto rtcp = crypto::AesCtr::create(rtcpKey);
    if (!rtp || !rtcp) return std::nullopt;
    return Transform(CounterMode{std::move(*rtp), std::move(*rtcp), wire::HmacSha1(keys.rtp.auth),
                                 wire::HmacSha1(keys.rtcp.auth), keys.rtp.salt, keys.rtcp.salt},
                     kCmTagBytes);
  }
  const auto way = direction == Direction::kSeal ? crypto::AesGcm::Direction::kSeal : crypto::AesGcm::Direction::kOpen;
  auto rtp = crypto::AesGcm::create(rtpKey, way);
  auto rtcp = crypto::AesGcm::create(rtcpKey, way);
  if (!rtp || !rtcp) return std::nullopt;
  Aead aead{std::move(*rtp), std::move(*rtcp), {}, {}};
  std::copy_n(keys.rtp.salt.begin(), aead.rtpSalt.size(), aead.rtpSalt.begin());
  std::copy_n(keys.rtcp.salt.begin(), aead.rtcpSalt.size(), aead.rtcpSalt.begin());
  return Transform(std::move(aead), crypto::AesGcm::kTagBytes);
}

bool Transform::sealRtp(Bytes header, Bytes payload, uint64_t index, uint8_t* out) {
  const uint32_t ssrc = readU32(header.data() + 8);
  copy(header, out);
  uint8_t* body = out + header.size();
  if (auto* aead = std::get_if<Aead>(&ciphers_)) {
    return aead->rtp.seal(rtpNonce(aead->rtpSalt, ssrc, index), header, payload, body);
  }
  auto& cm = *std::get_if<CounterMode>(&ciphers_);
  if (!cm.rtp.crypt(counter(cm.rtpSalt, ssrc, index), payload, body)) return false;
  // RFC 3711 §4.2: over header, ciphertext and the rollover counter.
  const Bytes sealed(out, header.size() + payload.size());
  const wire::HmacSha1::Tag tag = cm.rtpAuth.sign(sealed, bigEndian(static_cast<uint32_t>(index >> 16)));
  std::copy_n(tag.begin(), tagBytes_, out + sealed.size());
  return true;
}

bool Transform::openRtp(Bytes sealed, size_t headerBytes, uint64_t index, uint8_t* out) {
  const Bytes header = sealed.first(headerBytes);
  const uint32_t ssrc = readU32(header.data() + 8);
  if (auto* aead = std::get_if<Aead>(&ciphers_)) {
    if (!aead->rtp.open(rtpNonce(aead->rtpSalt, ssrc, index), header, sealed.subspan(headerBytes), out + headerBytes)) {
      return false;
    }
  } else {
    auto& cm = *std::get_if<CounterMode>(&ciphers_);
    const Bytes text = sealed.first(sealed.size() - tagBytes_);
    const auto rollover = bigEndian(static_cast<uint32_t>(index >> 16));
    if (!cm.rtpAuth.verify(text, rollover, sealed.last(tagBytes_))) return false;
    if (!cm.rtp.crypt(counter(cm.rtpSalt, ssrc, index), text.subspan(headerBytes), out + headerBytes)) return false;
  }
  copy(header, out);
  return true;
}

bool Transform::sealRtcp(Bytes packet, uint32_t index, uint8_t* out) {
  const uint32_t ssrc = readU32(packet.data() + 4);
  const Bytes clear = packet.first(kRtcpClearBytes);
  const Bytes body = packet.subspan(kRtcpClearBytes);
  const auto indexWord = bigEndian(index | kEncrypted);
  if (auto* aead = std::get_if<Aead>(&ciphers_)) {
    // RFC 7714 §9.2: the clear header and the index word are authenticated; the index follows the tag.
    std::array<uint8_t, kRtcpClearBytes + kIndexBytes> associated;
    copy(clear, associated.data());
    copy(indexWord, associated.data() + kRtcpClearBytes);
    copy(clear, out);
    if (!aead->rtcp.seal(rtcpNonce(aead->rtcpSalt, ssrc, index), associated, body, out + kRtcpClearBytes)) return false;
    copy(indexWord, out + packet.size() + tagBytes_);
    return true;
  }
  auto& cm = *std::get_if<CounterMode>(&ciphers_);
  copy(clear, out);
  if (!cm.rtcp.crypt(counter(cm.rtcpSalt, ssrc, index), body, out + kRtcpClearBytes)) return false;
  // RFC 3711 §3.4: the index precedes the tag, which covers it.
  copy(indexWord, out + packet.size());
  const wire::HmacSha1::Tag tag = cm.rtcpAuth.sign(Bytes(out, packet.size() + kIndexBytes));
  std::copy_n(tag.begin(), tagBytes_, out + packet.size() + kIndexBytes);
  return true;
}

bool Transform::openRtcp(Bytes sealed, uint8_t* out) {
  const uint32_t ssrc = readU32(sealed.data() + 4);
  const uint32_t word = rtcpIndexWord(sealed);
  const uint32_t index = word & ~kEncrypted;
  const bool encrypted = (word & kEncrypted) != 0;
  const Bytes clear = sealed.first(kRtcpClearBytes);
  const Bytes body = sealed.subspan(kRtcpClearBytes, sealed.size() - kRtcpClearBytes - rtcpOverhead());
  if (auto* aead = std::get_if<Aead>(&ciphers_)) {
    // Unencrypted SRTCP (RFC 7714 §9.3) is deliberately refused: nobody who negotiates by DTLS sends it.
    if (!encrypted) return false;
    std::array<uint8_t, kRtcpClearBytes + kIndexBytes> associated;
    copy(clear, associated.data());
    writeU32(associated.data() + kRtcpClearBytes, word);
    const Bytes text = sealed.subspan(kRtcpClearBytes, body.size() + tagBytes_);
    if (!aead->rtcp.open(rtcpNonce(aead->rtcpSalt, ssrc, index), associated, text, out + kRtcpClearBytes)) return false;
  } else {
    auto& cm = *std::get_if<CounterMode>(&ciphers_);
    if (!cm.rtcpAuth.verify(sealed.first(sealed.size() - tagBytes_), {}, sealed.last(tagBytes_))) return false;
    if (!encrypted) return false;
    if (!cm.rtcp.crypt(counter(cm.rtcpSalt, ssrc, index), body, out + kRtcpClearBytes)) return false;
  }
  copy(clear, out);
  return true;
}

uint32_t Transform::rtcpIndexWord(Bytes sealed) const {
  const size_t behind = std::holds_alternative<Aead>(ciphers_) ? kIndexBytes : kIndexBytes + tagBytes_;
  return readU32(sealed.data() + sealed.size() - behind);
}

}  // namespace sluice::srtp
