// SRTP and SRTCP, opened raw and as a history of sealed packets that are lost, repeated, reordered and damaged.
#include "core/srtp/srtp.h"

#include <map>
#include <set>
#include <vector>

#include "input.h"

using namespace sluice;
using fuzz::require;

namespace {

wire::SrtpKeys keysFor(uint8_t choice) {
  constexpr wire::SrtpProfile kProfiles[] = {wire::SrtpProfile::kAeadAes128Gcm, wire::SrtpProfile::kAes128CmSha1_80,
                                             wire::SrtpProfile::kAeadAes256Gcm};
  wire::SrtpKeys keys;
  keys.profile = kProfiles[choice % 3];
  keys.key.fill(0x4B);
  keys.salt.fill(0x5A);
  return keys;
}

void openRaw(srtp::OpenContext& open, Bytes raw) {
  std::vector<uint8_t> out(raw.size());
  const srtp::Opened rtp = open.openRtp(raw, out);
  require(rtp.verdict != srtp::OpenVerdict::kOpened, "nobody guesses a tag");
  const srtp::Opened rtcp = open.openRtcp(raw, out);
  require(rtcp.verdict != srtp::OpenVerdict::kOpened, "nobody guesses an RTCP tag");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const wire::SrtpKeys keys = keysFor(in.u8());
  auto seal = srtp::SealContext::create(keys);
  auto open = srtp::OpenContext::create(keys);
  require(seal && open, "contexts are made");
  openRaw(*open, Bytes(data, size));

  std::map<Ssrc, SeqNo> next;
  std::map<Ssrc, SeqNo> highest;
  std::map<Ssrc, std::set<SeqNo>> seen;
  std::vector<std::pair<SeqNo, std::vector<uint8_t>>> history;
  while (!in.empty()) {
    const uint8_t op = in.u8();
    const Ssrc ssrc = op >> 6;
    std::vector<uint8_t> packet;
    SeqNo seq = 0;
    if ((op & 1) == 0 || history.empty()) {
      // A new packet, some numbers on; jumps stay below what the rollover counter can follow (RFC 3711 §3.3.1).
      seq = next[ssrc] + ((op & 2) != 0 ? in.u16() % 20'000 : 0);
      next[ssrc] = seq + 1;
      std::vector<uint8_t> header(12);
      header[0] = 0x80;
      writeU16(header.data() + 2, static_cast<uint16_t>(seq));
      writeU32(header.data() + 8, ssrc);
      packet.resize(12 + 64 + srtp::kMaxOverheadBytes);
      packet.resize(seal->sealRtp(header, in.bytes(in.u8() % 64), seq, packet));
      require(!packet.empty(), "a packet with room for it is sealed");
      history.emplace_back(seq, packet);
      if (history.size() > 64) history.erase(history.begin());
      if ((op & 4) != 0) continue;  // lost, for now
    } else {
      std::tie(seq, packet) = history[in.u8() % history.size()];
    }
    const Ssrc from = readU32(packet.data() + 8);
    const bool damaged = (op & 24) == 24;
    if (damaged) packet[in.u16() % packet.size()] ^= static_cast<uint8_t>(1 + in.u8() % 255);

    std::vector<uint8_t> out(packet.size());
    const srtp::Opened opened = open->openRtp(packet, out);
    if (damaged) {
      require(opened.verdict != srtp::OpenVerdict::kOpened, "a damaged packet is refused");
      continue;
    }
    // What must open: new, not older than the window, and within reach of the rollover counter (RFC 3711 §3.3.1).
    const bool first = !seen.contains(from);
    const bool fresh = first || (!seen[from].contains(seq) && seq + 128 > highest[from]);
    const bool inReach = first ? seq <= 0xFFFF : std::abs(seq - highest[from]) < 0x8000;
    const bool isOpen = opened.verdict == srtp::OpenVerdict::kOpened;
    require(isOpen || !(fresh && inReach), "what is fresh and in reach opens");
    require(fresh || !isOpen, "what was seen does not");
    if (!isOpen) continue;
    require(opened.seq == seq, "the number is the sealed one");
    seen[from].insert(seq);
    highest[from] = std::max(highest[from], seq);
  }
  return 0;
}
