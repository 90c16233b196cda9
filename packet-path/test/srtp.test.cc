#include "core/srtp/srtp.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "hex.h"

using namespace sluice;
using namespace sluice::srtp;
using sluice::test::hex;
using wire::SrtpProfile;

namespace {

constexpr SrtpProfile kProfiles[] = {SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAes128CmSha1_80,
                                     SrtpProfile::kAeadAes256Gcm};

wire::SrtpKeys keysFor(SrtpProfile profile, uint8_t seed = 1) {
  wire::SrtpKeys keys;
  keys.profile = profile;
  for (size_t i = 0; i < keys.key.size(); ++i) keys.key[i] = static_cast<uint8_t>(seed * 7 + i);
  for (size_t i = 0; i < keys.salt.size(); ++i) keys.salt[i] = static_cast<uint8_t>(seed * 13 + i);
  return keys;
}

std::vector<uint8_t> header(Ssrc ssrc, uint16_t seq) {
  std::vector<uint8_t> h(12);
  h[0] = 0x80;
  h[1] = 96;
  writeU16(h.data() + 2, seq);
  writeU32(h.data() + 8, ssrc);
  return h;
}

std::vector<uint8_t> receiverReport(Ssrc ssrc) {
  std::vector<uint8_t> p = hex("80 c9 00 01 00 00 00 00");
  writeU32(p.data() + 4, ssrc);
  return p;
}

/// Two ends that share keys.
struct Pair {
  explicit Pair(SrtpProfile profile)
      : seal(std::move(*SealContext::create(keysFor(profile)))),
        open(std::move(*OpenContext::create(keysFor(profile)))) {}

  std::vector<uint8_t> sealed(Ssrc ssrc, SeqNo seq, size_t payloadBytes = 100) {
    const std::vector<uint8_t> payload(payloadBytes, static_cast<uint8_t>(seq));
    std::vector<uint8_t> out(1'500);
    out.resize(seal.sealRtp(header(ssrc, static_cast<uint16_t>(seq)), payload, seq, out));
    return out;
  }
  Opened opened(const std::vector<uint8_t>& packet) {
    std::vector<uint8_t> out(packet.size());
    return open.openRtp(packet, out);
  }
  OpenVerdict receive(Ssrc ssrc, SeqNo seq) { return opened(sealed(ssrc, seq)).verdict; }

  SealContext seal;
  OpenContext open;
};

/// RFC 7714 gives session keys, not master keys.
SessionKeys rfc7714Keys(SrtpProfile profile) {
  SessionKeys keys;
  keys.profile = profile;
  for (ProtocolKeys* p : {&keys.rtp, &keys.rtcp}) {
    for (size_t i = 0; i < p->key.size(); ++i) p->key[i] = static_cast<uint8_t>(i);
    const auto salt = hex("51756964 2070726f 2071756f");
    std::copy(salt.begin(), salt.end(), p->salt.begin());
  }
  return keys;
}

}  // namespace

TEST_CASE("srtp: session keys are those of RFC 3711 §B.3") {
  wire::SrtpKeys master;
  master.profile = SrtpProfile::kAes128CmSha1_80;
  const auto key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
  const auto salt = hex("0EC675AD498AFEEBB6960B3AABE6");
  std::copy(key.begin(), key.end(), master.key.begin());
  std::copy(salt.begin(), salt.end(), master.salt.begin());
  const auto keys = deriveSessionKeys(master);
  REQUIRE(keys);
  const auto expectedKey = hex("C61E7A93744F39EE10734AFE3FF7A087");
  const auto expectedSalt = hex("30CBBC08863D8C85D49DB34A9AE1");
  const auto expectedAuth = hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
  CHECK(std::equal(expectedKey.begin(), expectedKey.end(), keys->rtp.key.begin()));
  CHECK(std::equal(expectedSalt.begin(), expectedSalt.end(), keys->rtp.salt.begin()));
  CHECK(std::equal(expectedAuth.begin(), expectedAuth.end(), keys->rtp.auth.begin()));
  CHECK(keys->rtcp.key != keys->rtp.key);
}

TEST_CASE("srtp: seals and opens the RTP packet of RFC 7714 §16") {
  const auto plain = hex(R"(8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120
                            696e2070 61727465 73207472 6573)");
  const auto sealed128 = hex(R"(8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f
                                42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce)");
  const auto sealed256 = hex(R"(8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3
                                b50b2a02 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13)");
  for (const auto profile : {SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAeadAes256Gcm}) {
    const auto& expected = profile == SrtpProfile::kAeadAes128Gcm ? sealed128 : sealed256;
    auto seal = Transform::create(rfc7714Keys(profile), Direction::kSeal);
    auto open = Transform::create(rfc7714Keys(profile), Direction::kOpen);
    REQUIRE(seal);
    REQUIRE(open);
    std::vector<uint8_t> out(plain.size() + seal->rtpOverhead());
    REQUIRE(seal->sealRtp(Bytes(plain).first(12), Bytes(plain).subspan(12), 0xf17b, out.data()));
    CHECK(out == expected);
    std::vector<uint8_t> back(expected.size());
    REQUIRE(open->openRtp(expected, 12, 0xf17b, back.data()));
    CHECK(std::equal(plain.begin(), plain.end(), back.begin()));
  }
}

TEST_CASE("srtp: seals and opens the RTCP packet of RFC 7714 §17") {
  const auto plain = hex(R"(81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
                            deadbeef deadbeef deadbeef deadbeef deadbeef)");
  const auto expected = hex(R"(81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
                               c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872
                               45d9eade 800005d4)");
  auto seal = Transform::create(rfc7714Keys(SrtpProfile::kAeadAes128Gcm), Direction::kSeal);
  auto open = Transform::create(rfc7714Keys(SrtpProfile::kAeadAes128Gcm), Direction::kOpen);
  REQUIRE(seal);
  REQUIRE(open);
  std::vector<uint8_t> out(plain.size() + seal->rtcpOverhead());
  REQUIRE(seal->sealRtcp(plain, 0x5d4, out.data()));
  CHECK(out == expected);
  std::vector<uint8_t> back(expected.size());
  REQUIRE(open->openRtcp(expected, back.data()));
  CHECK(std::equal(plain.begin(), plain.end(), back.begin()));
}

TEST_CASE("srtp: what is sealed opens as it was, with CSRCs, extensions and any payload") {
  for (const SrtpProfile profile : kProfiles) {
    Pair pair(profile);
    SeqNo seq = 0;
    for (const size_t csrcs : {0U, 3U, 15U}) {
      for (const size_t words : {0U, 1U, 7U}) {
        for (const size_t payloadBytes : {0U, 1U, 16U, 1'100U}) {
          auto h = header(0x11223344, static_cast<uint16_t>(seq));
          h[0] = static_cast<uint8_t>(0x80 | csrcs | (words > 0 ? 0x10U : 0U));
          h.resize(12 + csrcs * 4, 0xCC);
          if (words > 0) {
            const uint8_t extension[] = {0xBE, 0xDE, 0, static_cast<uint8_t>(words)};
            h.insert(h.end(), extension, extension + 4);
            h.resize(h.size() + words * 4, 0xEE);
          }
          const std::vector<uint8_t> payload(payloadBytes, 0x77);
          std::vector<uint8_t> sealed(1'500);
          const size_t size = pair.seal.sealRtp(h, payload, seq, sealed);
          REQUIRE(size == h.size() + payloadBytes + pair.seal.rtpOverhead());
          sealed.resize(size);
          CHECK(std::equal(h.begin(), h.end(), sealed.begin()));
          std::vector<uint8_t> plain(size);
          const Opened opened = pair.open.openRtp(sealed, plain);
          REQUIRE(opened.verdict == OpenVerdict::kOpened);
          REQUIRE(opened.size == h.size() + payloadBytes);
          CHECK(opened.seq == seq);
          CHECK(std::equal(h.begin(), h.end(), plain.begin()));
          CHECK(std::equal(payload.begin(), payload.end(), plain.begin() + static_cast<std::ptrdiff_t>(h.size())));
          ++seq;
        }
      }
    }
  }
}

TEST_CASE("srtp: opens in place as well") {
  for (const SrtpProfile profile : kProfiles) {
    Pair pair(profile);
    auto packet = pair.sealed(1, 5);
    const Opened opened = pair.open.openRtp(packet, packet);
    CHECK(opened.verdict == OpenVerdict::kOpened);
    CHECK(packet[12] == 5);
  }
}

TEST_CASE("srtp: a replayed packet is refused, a late one within the window is not") {
  for (const SrtpProfile profile : kProfiles) {
    Pair pair(profile);
    CHECK(pair.receive(1, 1'000) == OpenVerdict::kOpened);
    CHECK(pair.receive(1, 1'000) == OpenVerdict::kReplayed);
    CHECK(pair.receive(1, 1'100) == OpenVerdict::kOpened);
    CHECK(pair.receive(1, 1'000) == OpenVerdict::kReplayed);
    CHECK(pair.receive(1, 1'001) == OpenVerdict::kOpened);
    CHECK(pair.receive(1, 1'001) == OpenVerdict::kReplayed);
    CHECK(pair.receive(1, 1'100 - 128) == OpenVerdict::kReplayed);  // too old to know
    CHECK(pair.receive(2, 1'000) == OpenVerdict::kOpened);          // another stream, its own window
  }
}

TEST_CASE("srtp: the rollover counter follows 200,000 packets with loss and reordering") {
  for (const SrtpProfile profile : kProfiles) {
    Pair pair(profile);
    std::mt19937 rng(3);
    for (SeqNo base = 30'000; base < 230'000; base += 20) {
      std::vector<SeqNo> burst;
      for (SeqNo s = base; s < base + 20; ++s) {
        if (rng() % 10 == 0) burst.push_back(s);
      }
      std::shuffle(burst.begin(), burst.end(), rng);
      for (const SeqNo s : burst) {
        const Opened o = pair.opened(pair.sealed(9, s, 20));
        REQUIRE(o.verdict == OpenVerdict::kOpened);
        REQUIRE(o.seq == s);
      }
    }
  }
}

TEST_CASE("srtp: any flipped bit is refused and leaves no trace") {
  for (const SrtpProfile profile : kProfiles) {
    Pair pair(profile);
    const auto whole = pair.sealed(0xABCD, 7, 10);
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      auto packet = whole;
      packet[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
      CAPTURE(bit);
      CHECK(pair.opened(packet).verdict != OpenVerdict::kOpened);
    }
    CHECK(pair.opened(whole).verdict == OpenVerdict::kOpened);
  }
}

TEST_CASE("srtp: what is too short or not RTP is malformed") {
  for (const SrtpProfile profile : kProfiles) {
    Pair pair(profile);
    const auto whole = pair.sealed(1, 1, 0);
    for (size_t size = 0; size < whole.size(); ++size) {
      std::vector<uint8_t> out(100);
      CHECK(pair.open.openRtp(Bytes(whole).first(size), out).verdict == OpenVerdict::kMalformed);
      CHECK(pair.open.openRtcp(Bytes(whole).first(size), out).verdict != OpenVerdict::kOpened);
    }
    std::vector<uint8_t> none;
    CHECK(pair.open.openRtp(whole, none).verdict == OpenVerdict::kMalformed);
  }
}

TEST_CASE("srtcp: opens what was sealed, once") {
  for (const SrtpProfile profile : kProfiles) {
    Pair pair(profile);
    for (int i = 0; i < 300; ++i) {
      const auto report = receiverReport(static_cast<Ssrc>(i % 3));
      std::vector<uint8_t> sealed(100);
      sealed.resize(pair.seal.sealRtcp(report, sealed));
      REQUIRE(sealed.size() == report.size() + pair.seal.rtcpOverhead());
      std::vector<uint8_t> plain(sealed.size());
      const Opened opened = pair.open.openRtcp(sealed, plain);
      REQUIRE(opened.verdict == OpenVerdict::kOpened);
      plain.resize(opened.size);
      CHECK(plain == report);
      std::vector<uint8_t> again(sealed.size());
      CHECK(pair.open.openRtcp(sealed, again).verdict == OpenVerdict::kReplayed);
      sealed[4] ^= 1;
      CHECK(pair.open.openRtcp(sealed, again).verdict != OpenVerdict::kOpened);
    }
  }
}

TEST_CASE("srtp: an SSRC takes memory only once it proved authentic, and there is a last one") {
  StreamTable table;
  for (uint32_t i = 0; i < StreamTable::kMaxStreams; ++i) {
    const Ssrc ssrc = i * 0x10000U + 5;
    REQUIRE(table.find(ssrc) == nullptr);
    StreamTable::Stream* s = table.add(ssrc);
    REQUIRE(s != nullptr);
    s->window.note(i);
  }
  CHECK(table.add(1) == nullptr);
  for (uint32_t i = 0; i < StreamTable::kMaxStreams; ++i) {
    const StreamTable::Stream* s = table.find(i * 0x10000U + 5);
    REQUIRE(s != nullptr);
    CHECK(s->window.highest() == i);
  }

  Pair pair(SrtpProfile::kAeadAes128Gcm);
  Pair foreign(SrtpProfile::kAeadAes128Gcm);
  foreign.seal = std::move(*SealContext::create(keysFor(SrtpProfile::kAeadAes128Gcm, 99)));
  for (Ssrc i = 0; i < 3'000; ++i) CHECK(pair.opened(foreign.sealed(i, 1)).verdict == OpenVerdict::kUnauthentic);
  CHECK(pair.receive(7, 1) == OpenVerdict::kOpened);
}

TEST_CASE("srtp: a negative number or a buffer too small seals nothing") {
  Pair pair(SrtpProfile::kAes128CmSha1_80);
  std::vector<uint8_t> out(22);
  CHECK(pair.seal.sealRtp(header(1, 1), {}, 1, out) == 22);
  CHECK(pair.seal.sealRtp(header(1, 1), {}, -1, out) == 0);
  CHECK(pair.seal.sealRtp(header(1, 1), {}, 2, MutableBytes(out).first(21)) == 0);
  CHECK(pair.seal.sealRtcp(receiverReport(1), MutableBytes(out).first(21)) == 0);
}
