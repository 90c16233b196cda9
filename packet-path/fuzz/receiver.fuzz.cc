// The receiving side of a session under any mixture of packets, reports, specs and time.
#include "core/receive/receiver.h"

#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/input.h"

using namespace sluice;
using namespace sluice::receive;

namespace {

IncomingTrackSpec track(fuzz::Input& input, uint64_t key) {
  const uint8_t flags = input.u8();
  IncomingTrackSpec t;
  t.track = TrackKey{key};
  t.kind = (flags & 1) != 0 ? MediaKind::kVideo : MediaKind::kAudio;
  t.mid = std::string(1, static_cast<char>('a' + flags / 64));
  t.nack = (flags & 2) != 0;
  t.transportCc = (flags & 4) != 0;
  for (int i = 0; i <= (flags >> 3 & 3); ++i) {
    CodecSpec c;
    c.codec = static_cast<Codec>(input.u8() % 10);
    c.payloadType = static_cast<uint8_t>(96 + input.u8() % 8);
    c.clockRateHz = (flags & 1) != 0 ? 90'000 : 48'000;
    if ((flags & 32) != 0) c.rtxPayloadType = static_cast<uint8_t>(104 + input.u8() % 8);
    t.codecs.push_back(c);
  }
  for (int i = 0; i < input.u8() % 4; ++i) {
    IncomingStreamSpec s;
    const uint8_t named = input.u8();
    if ((named & 1) != 0) s.ssrc = named % 16;
    if ((named & 2) != 0) s.rtxSsrc = 16 + named % 16;
    if ((named & 4) != 0) s.rid = std::string(1, static_cast<char>('q' + i));
    t.streams.push_back(s);
  }
  return t;
}

struct Run {
  PacketPool pool{256};
  Receiver receiver;
  wire::ExtensionMap extensions;
  TimeUs now = kSecondUs;

  void packet(fuzz::Input& input) {
    PacketRef p = pool.take();
    fuzz::require(static_cast<bool>(p), "no packet is lost");
    const uint8_t flags = input.u8();
    uint8_t* b = p.fill().bytes;
    b[0] = (flags & 1) != 0 ? 0x90 : 0x80;
    b[1] = static_cast<uint8_t>(96 + flags / 16);
    const uint16_t seq = input.u16();
    b[2] = static_cast<uint8_t>(seq >> 8);
    b[3] = static_cast<uint8_t>(seq);
    writeU32(b + 4, uint32_t{input.u16()} * 100);
    writeU32(b + 8, input.u8() % 40);
    size_t size = 12;
    if ((flags & 1) != 0) {
      writeU32(b + size, 0xBEDE'0003);
      const Bytes elements = input.bytes(12);
      std::fill_n(b + size + 4, 12, uint8_t{0});
      std::copy(elements.begin(), elements.end(), b + size + 4);
      size += 16;
    }
    const Bytes payload = input.bytes(flags >> 1 & 7);
    std::copy(payload.begin(), payload.end(), b + size);
    size += payload.size();
    p.fill().size = static_cast<uint16_t>(size);
    const auto header = wire::parseRtp(Bytes(b, size));
    if (!header) return;
    const auto result = receiver.receive(p.fill(), *header, now);
    if (result.received.verdict != Verdict::kAccepted) return;
    fuzz::require(result.track != nullptr, "an accepted packet has a track");
    fuzz::require(p->seq > 0, "numbers are positive");
    fuzz::require(size_t{p->payloadOffset} + p->payloadSize <= size, "the payload is inside");
    fuzz::require(p->encoding < result.track->encodings().size(), "the encoding exists");
    for (size_t i = 0; i < p->extensionCount; ++i) {
      fuzz::require(size_t{p->extensions[i].offset} + p->extensions[i].size <= size, "an extension is inside");
    }
  }

  void feedback() {
    for (int messages = 0;; ++messages) {
      fuzz::require(messages < 100, "feedback comes to an end");
      std::array<uint8_t, 1'200> buffer{};
      wire::RtcpWriter writer(buffer);
      const auto written = receiver.writeDue(writer, 1, now, 50'000);
      wire::RtcpReader reader(writer.written());
      while (reader.next()) {
      }
      fuzz::require(!reader.malformed(), "feedback is well formed");
      if (!written.more) break;
      fuzz::require(writer.size() > 0, "there is more only behind something");
    }
    for (const auto& t : receiver.tracks()) (void)t->activity().onDeadline(now);
    fuzz::require(receiver.nextDeadline() > now, "what was due is done");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  Run run;
  for (uint8_t id = 1; id < 15; ++id) run.extensions.set(static_cast<wire::ExtensionKind>(id), id);
  std::vector<IncomingTrackSpec> tracks;
  for (uint64_t i = 0; i < 2; ++i) tracks.push_back(track(input, i));
  run.receiver.apply(tracks, run.extensions, [](IncomingTrack&) {});
  while (!input.empty()) {
    switch (input.u8() % 8) {
      case 0:
        run.now += input.u16() * TimeUs{16};
        break;
      case 1:
        run.feedback();
        break;
      case 2:
        if (input.u8() % 4 != 0) break;
        tracks[input.u8() % tracks.size()] = track(input, input.u8() % 3);
        run.receiver.apply(tracks, run.extensions, [](IncomingTrack&) {});
        break;
      case 3: {
        (void)run.receiver.senderReport({input.u8() % 40U, input.u16(), input.u16(), 0, 0}, run.now);
        std::array<wire::ReportBlock, 3> blocks;
        size_t from = 0;
        do from = run.receiver.reports(from, blocks, run.now).next;
        while (from != 0);
        break;
      }
      default:
        run.packet(input);
    }
  }
  return 0;
}
