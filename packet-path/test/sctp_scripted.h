// A peer that says exactly what it is told to, chunk by chunk.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/sctp/chunks.h"
#include "core/sctp/crc32c.h"
#include "core/sctp/dcep.h"
#include "sctp_pair.h"

namespace sluice::sctp::test {

using Chunk = std::vector<uint8_t>;

inline Chunk chunk(uint8_t type, uint8_t flags, std::vector<uint8_t> value) {
  Chunk c(padded(4 + value.size()));
  c[0] = type;
  c[1] = flags;
  writeU16(&c[2], static_cast<uint16_t>(4 + value.size()));
  std::copy(value.begin(), value.end(), c.begin() + 4);
  return c;
}

inline std::vector<uint8_t> words(std::initializer_list<uint32_t> list) {
  std::vector<uint8_t> out(4 * list.size());
  uint8_t* at = out.data();
  for (const uint32_t word : list) {
    writeU32(at, word);
    at += 4;
  }
  return out;
}

inline std::vector<uint8_t> operator+(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  std::vector<uint8_t> both(a.size() + b.size());
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), both.begin()));
  return both;
}

inline std::vector<uint8_t> parameter(uint16_t type, const std::vector<uint8_t>& value) {
  std::vector<uint8_t> p(padded(4 + value.size()));
  writeU16(&p[0], type);
  writeU16(&p[2], static_cast<uint16_t>(4 + value.size()));
  std::copy(value.begin(), value.end(), p.begin() + 4);
  return p;
}

inline const std::vector<uint8_t> kStreamFour = {0, 4};
inline constexpr uint32_t kPeerTag = 0x7EE77EE7;
inline constexpr uint32_t kPeerTsn = 1'000;
inline constexpr uint32_t kOurTag = 0x0A0B0C0D;
inline constexpr uint32_t kOurTsn = 500;

/// `us` is the association under test.
class Scripted {
 public:
  explicit Scripted(AssociationConfig config = {}) : us(config, seedOf(1, kOurTag, kOurTsn)) {
    us.onPacket = [this](Bytes bytes) { replies.emplace_back(bytes.begin(), bytes.end()); };
  }

  template <typename... Chunks>
  void sayTo(uint32_t tag, const Chunks&... chunks) {
    std::vector<uint8_t> packet(kCommonHeaderBytes);
    writeU16(&packet[0], 5'000);
    writeU16(&packet[2], 5'000);
    writeU32(&packet[4], tag);
    packet = (packet + ... + chunks);
    writeU32(&packet[8], packetChecksum(packet));
    us.association->receive(packet, now, us);
  }

  template <typename... Chunks>
  void say(const Chunks&... chunks) {
    sayTo(kOurTag, chunks...);
  }

  static Chunk init(const std::vector<uint8_t>& parameters, uint32_t tag = kPeerTag) {
    return chunk(1, 0, words({tag, 131'072, 0x0400'0400, kPeerTsn}) + parameters);
  }

  /// The peer sets up, with FORWARD-TSN and RE-CONFIG.
  void establish(const std::vector<uint8_t>& parameters = {0xC0, 0, 0, 4, 0x80, 8, 0, 6, 192, 130, 0, 0}) {
    sayTo(0, init(parameters));
    say(chunk(10, 0, cookieOfReply()));
    REQUIRE(us.timesEstablished > 0);
    replies.clear();
  }

  std::vector<uint8_t> cookieOfReply() {
    const auto ack = reply(2);
    REQUIRE(ack.size() > 20);
    ParameterReader reader(Bytes(ack).subspan(20));
    while (const auto p = reader.next()) {
      if (p->type == 7) return {p->value.begin(), p->value.end()};
    }
    FAIL("no cookie");
    return {};
  }

  static Chunk data(uint32_t tsn, uint16_t stream, uint16_t ssn, uint32_t ppid, const std::vector<uint8_t>& bytes,
                    uint8_t flags = 3) {
    return chunk(0, flags, words({tsn, uint32_t{stream} << 16 | ssn, ppid}) + bytes);
  }

  Chunk openChunk(uint32_t tsn, uint16_t stream, const std::string& label = "x", uint16_t ssn = 0) {
    return data(tsn, stream, ssn, 50, writeOpen({.label = label, .protocol = ""}));
  }

  /// The first chunk of this type that was answered, empty when there is none.
  std::vector<uint8_t> reply(uint8_t type) const {
    std::vector<uint8_t> found;
    for (auto packet = replies.begin(); packet != replies.end() && found.empty(); ++packet) {
      ChunkReader reader(parsePacket(*packet)->chunks);
      while (const auto c = reader.next()) {
        if (static_cast<uint8_t>(c->type) != type) continue;
        found.assign(c->whole.begin(), c->whole.end());
        break;
      }
    }
    return found;
  }

  void wait(TimeUs us_) {
    now += us_;
    if (us.association->nextDeadline() <= now) us.association->onDeadline(now, us);
  }

  /// Result of a RE-CONFIG response to request `sequence`, if there is one.
  std::optional<uint32_t> resetResult(uint32_t sequence) const {
    for (const auto& packet : replies) {
      ChunkReader reader(parsePacket(packet)->chunks);
      while (const auto c = reader.next()) {
        if (c->type == ChunkType::kReconfig && readU16(&c->value[0]) == 16 && readU32(&c->value[4]) == sequence) {
          return readU32(&c->value[8]);
        }
      }
    }
    return std::nullopt;
  }

  static Chunk resetRequest(uint32_t sequence, uint32_t lastTsn, const std::vector<uint8_t>& streams) {
    return chunk(130, 0, parameter(13, words({sequence, kOurTsn - 1, lastTsn}) + streams));
  }

  TimeUs now = kSecondUs;
  End us;
  std::vector<std::vector<uint8_t>> replies;
};

}  // namespace sluice::sctp::test
