#include "state_cookie.h"

namespace sluice::sctp {
namespace {

constexpr size_t kHashBytes = 8;
constexpr uint8_t kForwardTsnBit = 0x01;
constexpr uint8_t kReconfigBit = 0x02;

}  // namespace

StateCookie::Written StateCookie::write(const HashKey& key) const {
  Written out{};
  writeU64(&out[8], static_cast<uint64_t>(createdAtUs));
  writeU32(&out[16], localTag);
  writeU32(&out[20], localInitialTsn);
  writeU32(&out[24], peer.tag);
  writeU32(&out[28], peer.initialTsn);
  writeU32(&out[32], peer.window);
  writeU32(&out[36], localTieTag);
  writeU32(&out[40], peerTieTag);
  writeU16(&out[44], peer.outgoingStreams);
  writeU16(&out[46], peer.incomingStreams);
  out[48] = static_cast<uint8_t>((peer.forwardTsn ? kForwardTsnBit : 0) | (peer.reconfig ? kReconfigBit : 0));
  writeU64(out.data(), keyedHash(key, Bytes(out).subspan(kHashBytes)));
  return out;
}

std::optional<StateCookie> StateCookie::read(Bytes in, const HashKey& key) {
  if (in.size() != kBytes || readU64(in.data()) != keyedHash(key, in.subspan(kHashBytes))) return std::nullopt;
  return StateCookie{.createdAtUs = static_cast<TimeUs>(readU64(&in[8])),
                     .localTag = readU32(&in[16]),
                     .localInitialTsn = readU32(&in[20]),
                     .peer = {.tag = readU32(&in[24]),
                              .initialTsn = readU32(&in[28]),
                              .window = readU32(&in[32]),
                              .outgoingStreams = readU16(&in[44]),
                              .incomingStreams = readU16(&in[46]),
                              .forwardTsn = (in[48] & kForwardTsnBit) != 0,
                              .reconfig = (in[48] & kReconfigBit) != 0},
                     .localTieTag = readU32(&in[36]),
                     .peerTieTag = readU32(&in[40])};
}

}  // namespace sluice::sctp
