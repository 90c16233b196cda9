// The sending side, part by part: what is remembered of a stream, its reports, and bursts of equal segments.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "core/format.h"
#include "core/send/burst_writer.h"
#include "core/send/number_ledger.h"
#include "core/send/outgoing_stream.h"
#include "core/send/resend_ring.h"

using namespace sluice;
using namespace sluice::send;
using Verdict = ResendRing::Verdict;

namespace {

wire::SrtpKeys keys(wire::SrtpProfile profile = wire::SrtpProfile::kAeadAes128Gcm) {
  wire::SrtpKeys k;
  k.profile = profile;
  for (size_t i = 0; i < k.key.size(); ++i) k.key[i] = static_cast<uint8_t>(i);
  return k;
}

struct Sink final : DatagramSink {
  MutableBytes reserve(size_t bytes) override {
    if (bytes > kMaxBurstBytes || refuse) return {};
    slab.resize(bytes);
    return slab;
  }
  void commit(const Address&, size_t bytes, size_t segmentBytes) override {
    REQUIRE(bytes <= slab.size());
    REQUIRE(segmentBytes > 0);
    bursts.emplace_back();
    for (size_t at = 0; at < bytes; at += segmentBytes) {
      const auto begin = slab.begin() + static_cast<ptrdiff_t>(at);
      bursts.back().emplace_back(begin, begin + static_cast<ptrdiff_t>(std::min(segmentBytes, bytes - at)));
    }
    REQUIRE(bursts.back().size() <= kMaxBurstSegments);
  }
  std::vector<uint8_t> slab;
  std::vector<std::vector<std::vector<uint8_t>>> bursts;
  bool refuse = false;
};

struct Sending {
  explicit Sending(wire::SrtpProfile profile = wire::SrtpProfile::kAeadAes128Gcm)
      : transport{*srtp::SealContext::create(keys(profile)), {}, {}}, open(*srtp::OpenContext::create(keys(profile))) {
    transport.extensions.set(wire::ExtensionKind::kTransportCc, 3);
    transport.extensions.set(wire::ExtensionKind::kAbsSendTime, 2);
    transport.extensions.set(wire::ExtensionKind::kVideoOrientation, 13);
  }
  Outgoing& add(size_t payloadBytes) {
    PacketRef p = pool.take();
    REQUIRE(p);
    Packet& f = p.fill();
    f.payloadOffset = 40;
    f.payloadSize = static_cast<uint16_t>(payloadBytes);
    f.extensionCount = 0;
    for (size_t i = 0; i < payloadBytes; ++i) f.bytes[40 + i] = static_cast<uint8_t>(i * 7 + payloadBytes);
    f.preparePadding();
    held.push_back(p);
    Outgoing& o = batch.emplace_back();
    o.packet = &*held.back();
    o.seq = nextSeq++;
    o.timestamp = 1'234;
    o.ssrc = 77;
    o.payloadType = 106;
    return o;
  }
  /// Sends what was added; returns opened packets.
  std::vector<wire::RtpHeader> flush() {
    sink.bursts.clear();
    opened.clear();
    writer.write(batch, transport, sink, 5 * kSecondUs, counters);
    std::vector<wire::RtpHeader> headers;
    for (const auto& burst : sink.bursts) {
      for (const auto& segment : burst) {
        std::vector<uint8_t> out(segment.size());
        const auto o = open.openRtp(segment, out);
        REQUIRE(o.verdict == srtp::OpenVerdict::kOpened);
        out.resize(o.size);
        opened.push_back(out);
        headers.push_back(*wire::parseRtp(opened.back()));
      }
    }
    return headers;
  }
  Bytes payload(size_t i, const std::vector<wire::RtpHeader>& headers) const {
    return Bytes(opened[i]).subspan(headers[i].payloadOffset, headers[i].payloadSize);
  }

  PacketPool pool{256};
  Transport transport;
  srtp::OpenContext open;
  Sink sink;
  ShardCounters counters;
  BurstWriter writer;
  std::vector<PacketRef> held;
  std::vector<Outgoing> batch;
  std::vector<std::vector<uint8_t>> opened;
  SeqNo nextSeq = 65'500;
};

bool same(Bytes a, Bytes b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace

TEST_CASE("burst: a frame of nearly equal packets leaves in one call, padded to one size, its last one as it is") {
  Sending s;
  for (size_t size : {1'100U, 1'100U, 1'099U, 1'091U, 700U}) s.add(size);
  const auto headers = s.flush();
  REQUIRE(s.sink.bursts.size() == 1);
  const auto& burst = s.sink.bursts[0];
  REQUIRE(burst.size() == 5);
  for (size_t i = 0; i < 4; ++i) CHECK(burst[i].size() == burst[0].size());
  CHECK(burst[4].size() == burst[0].size() - 400);
  for (size_t i = 0; i < 5; ++i) {
    CHECK(same(s.payload(i, headers), s.held[i]->payload()));
    CHECK(headers[i].seq == static_cast<uint16_t>(65'500 + i));
    CHECK(s.batch[i].sent);
  }
  CHECK(s.counters.of(Counter::kRtpPaddingOut) == 10);
  CHECK(s.counters.of(Counter::kDatagramsOut) == 5);
  CHECK(s.counters.of(Counter::kBurstsOut) == 1);
}

TEST_CASE("burst: whatever the sizes are, every packet arrives whole, in order, in segments that GSO takes") {
  std::mt19937 random(31);
  for (const auto profile : {wire::SrtpProfile::kAeadAes128Gcm, wire::SrtpProfile::kAes128CmSha1_80}) {
    Sending s(profile);
    for (int round = 0; round < 400; ++round) {
      s.batch.clear();
      s.held.clear();
      const size_t count = 1 + random() % BurstWriter::kMaxPackets;
      const size_t base = random() % 1'300;
      for (size_t i = 0; i < count; ++i) {
        const size_t size = random() % 8 == 0 ? random() % 1'400 : base + random() % (1 + random() % 30);
        Outgoing& o = s.add(size);
        if (random() % 10 == 0) {
          o.repair = true;
          o.ssrc = 78;
          o.originalSeq = static_cast<uint16_t>(random());
        }
      }
      const auto headers = s.flush();
      REQUIRE(headers.size() == count);
      for (const auto& burst : s.sink.bursts) {
        for (size_t i = 0; i + 1 < burst.size(); ++i) REQUIRE(burst[i].size() == burst[0].size());
        REQUIRE(burst.back().size() <= burst[0].size());
      }
      for (size_t i = 0; i < count; ++i) {
        Bytes payload = s.payload(i, headers);
        if (s.batch[i].repair) {
          REQUIRE(readU16(payload.data()) == s.batch[i].originalSeq);
          payload = payload.subspan(2);
        }
        REQUIRE(same(payload, s.held[i]->payload()));
        REQUIRE(headers[i].seq == static_cast<uint16_t>(s.batch[i].seq));
      }
    }
  }
}

TEST_CASE("burst: sixteen bytes are made equal, more are not") {
  Sending s;
  s.add(1'000);
  s.add(1'015);
  s.add(1'015);
  CHECK(s.flush().size() == 3);
  CHECK(s.sink.bursts.size() == 1);
  s.batch.clear();
  s.add(1'000);
  s.add(1'017);
  s.add(1'017);
  CHECK(s.flush().size() == 3);
  CHECK(s.sink.bursts.size() == 2);
}

TEST_CASE("burst: a packet without payload is sent as padding, so that numbers stay without gaps") {
  Sending s;
  s.add(0);
  const auto headers = s.flush();
  REQUIRE(headers.size() == 1);
  CHECK(headers[0].payloadSize == 0);
  CHECK(s.opened[0].size() == headers[0].payloadOffset + 1U);
}

TEST_CASE("burst: a refused burst sends nothing, says so and goes on") {
  Sending s;
  s.add(100);
  s.sink.refuse = true;
  CHECK(s.flush().empty());
  CHECK_FALSE(s.batch[0].sent);
  CHECK(s.counters.of(DropReason::kBurstRefused) == 1);
}

TEST_CASE("burst: each packet carries its own transport-wide number and the time of sending") {
  Sending s;
  s.transport.nextTransportSeq = 65'535;
  s.add(10);
  s.add(10);
  const auto headers = s.flush();
  std::vector<uint16_t> numbers;
  for (size_t i = 0; i < headers.size(); ++i) {
    wire::ExtensionReader reader(Bytes(s.opened[i]).subspan(headers[i].extensionOffset, headers[i].extensionSize),
                                 headers[i].extensionForm);
    while (const auto e = reader.next()) {
      if (e->id == 3) numbers.push_back(readU16(e->data.data()));
      if (e->id == 2) CHECK(readU24(e->data.data()) == 5U << 18);
    }
  }
  CHECK(numbers == std::vector<uint16_t>{65'535, 0});
}

TEST_CASE("burst: another front goes before the rest of a payload, in first sendings and repairs alike") {
  std::mt19937 random(33);
  for (const auto profile : {wire::SrtpProfile::kAeadAes128Gcm, wire::SrtpProfile::kAes128CmSha1_80}) {
    Sending s(profile);
    for (int round = 0; round < 200; ++round) {
      s.batch.clear();
      s.held.clear();
      std::vector<std::vector<uint8_t>> fronts(2 + random() % 10);
      std::vector<std::vector<uint8_t>> were;
      for (auto& front : fronts) {
        front.resize(random() % 9);
        for (uint8_t& b : front) b = static_cast<uint8_t>(random());
        Outgoing& o = s.add(20 + random() % 1'100);
        o.front = front;
        o.skip = static_cast<uint16_t>(random() % 6);
        o.marker = random() % 2 == 0;
        o.repair = random() % 3 == 0;
        o.originalSeq = static_cast<uint16_t>(random());
        were.emplace_back(o.packet->bytes, o.packet->bytes + sizeof o.packet->bytes);
      }
      const auto headers = s.flush();
      REQUIRE(headers.size() == fronts.size());
      for (size_t i = 0; i < fronts.size(); ++i) {
        const Outgoing& o = s.batch[i];
        const Bytes rest = o.packet->payload().subspan(o.skip);
        const std::array<uint8_t, 2> original{static_cast<uint8_t>(o.originalSeq >> 8),
                                              static_cast<uint8_t>(o.originalSeq)};
        std::vector<uint8_t> expected;
        const auto expect = [&expected](Bytes bytes) {
          for (const uint8_t b : bytes) expected.push_back(b);
        };
        if (o.repair) expect(original);
        expect(fronts[i]);
        expect(rest);
        CHECK(same(s.payload(i, headers), expected));
        CHECK(headers[i].marker == o.marker);
        // The packet is shared: it stays as it was.
        CHECK(same(Bytes(o.packet->bytes), were[i]));
      }
    }
  }
}

TEST_CASE("burst: another dependency descriptor stands in the packet's place, one of no bytes leaves it out") {
  Sending s;
  s.transport.extensions.set(wire::ExtensionKind::kDependencyDescriptor, 12);
  const std::vector<uint8_t> other(23, 0xAB);
  for (int i = 0; i < 3; ++i) {
    Packet& p = const_cast<Packet&>(*s.add(100).packet);
    p.extensionCount = 1;
    p.extensions[0] = {wire::ExtensionKind::kDependencyDescriptor, 3, 0};
  }
  s.batch[1].descriptor = Bytes(other);
  s.batch[2].descriptor = Bytes{};
  CHECK(digest(s.batch[0]) == 0);
  CHECK(digest(s.batch[1]) != digest(s.batch[2]));
  CHECK(digest(s.batch[2]) != 0);
  const auto headers = s.flush();
  REQUIRE(headers.size() == 3);
  const std::array<Bytes, 3> expected{Bytes(s.held[0]->bytes, 3), Bytes(other), Bytes{}};
  for (size_t i = 0; i < 3; ++i) {
    wire::ExtensionReader reader(Bytes(s.opened[i]).subspan(headers[i].extensionOffset, headers[i].extensionSize),
                                 headers[i].extensionForm);
    Bytes found;
    while (const auto e = reader.next()) {
      if (e->id == 12) found = e->data;
    }
    CHECK(same(found, expected[i]));
    CHECK(same(s.payload(i, headers), s.held[i]->payload()));
  }
}

TEST_CASE("burst: what is sent as before is the same, bit by bit") {
  Sending s;
  for (size_t size : {900U, 893U, 900U}) s.add(size).mid = "m";
  s.transport.extensions.set(wire::ExtensionKind::kMid, 4);
  (void)s.flush();
  const auto first = s.sink.bursts[0][1];
  const Outgoing was = s.batch[1];
  CHECK(was.stamp.padding == 7);
  s.batch.clear();
  s.transport.nextTransportSeq = 500;
  Outgoing& again = s.batch.emplace_back(was);
  again.asBefore = true;
  again.sent = false;
  s.sink.bursts.clear();
  s.writer.write(s.batch, s.transport, s.sink, 9 * kSecondUs, s.counters);
  REQUIRE(s.sink.bursts.size() == 1);
  CHECK(s.sink.bursts[0][0] == first);
  CHECK(s.transport.nextTransportSeq == 500);
}

TEST_CASE("header: an element that one byte cannot describe makes the whole block two-byte (RFC 8285 §4.1)") {
  Sending s;
  s.transport.extensions.set(wire::ExtensionKind::kDependencyDescriptor, 12);
  Outgoing& o = s.add(100);
  Packet& p = const_cast<Packet&>(*o.packet);
  p.extensionCount = 2;
  p.extensions[0] = {wire::ExtensionKind::kDependencyDescriptor, 20, 0};
  p.extensions[1] = {wire::ExtensionKind::kColorSpace, 4, 20};  // not negotiated by this receiver
  const auto headers = s.flush();
  REQUIRE(headers.size() == 1);
  CHECK(headers[0].extensionForm == wire::ExtensionForm::kTwoByte);
  wire::ExtensionReader reader(Bytes(s.opened[0]).subspan(headers[0].extensionOffset, headers[0].extensionSize),
                               headers[0].extensionForm);
  std::vector<uint8_t> ids;
  while (const auto e = reader.next()) {
    ids.push_back(e->id);
    if (e->id == 12) CHECK(same(e->data, Bytes(p.bytes, 20)));
  }
  CHECK(ids == std::vector<uint8_t>{3, 2, 12});
}

TEST_CASE("resend ring: knows what was sent under which number, through the wrap, for as long as it says") {
  std::mt19937 random(32);
  ResendRing ring(ResendRing::kVideoPackets, true);
  std::map<SeqNo, std::pair<bool, uint16_t>> sent;
  SeqNo out = 32'000;
  TimeUs now = 0;
  for (int i = 0; i < 100'000; ++i) {
    now += 70 * kSecondUs;  // so that nothing is suppressed
    const SeqNo skip = random() % 40 == 0 ? static_cast<SeqNo>(random() % 1'500) : 0;
    out += 1 + skip;
    const auto mark = static_cast<uint16_t>(random());
    ring.sent(out, {mark % 3 == 0, mark % 3 != 0}, {mark, 0, false, 0, 0});
    sent[out] = {mark % 3 == 0, mark};
    const SeqNo probe = out - static_cast<SeqNo>(random() % 1'500);
    const auto answer = ring.ask(static_cast<uint16_t>(probe), now, 0);
    if (probe <= out - static_cast<SeqNo>(ResendRing::kVideoPackets)) {
      REQUIRE(answer.verdict == Verdict::kUnknown);
    } else if (probe < 32'001) {
      REQUIRE(answer.verdict == Verdict::kUnknown);
    } else if (!sent.contains(probe)) {
      REQUIRE(answer.verdict == Verdict::kUnsent);
    } else if (answer.verdict == Verdict::kResend) {
      REQUIRE(answer.out == probe);
      REQUIRE(answer.form.marker == sent[probe].first);
      REQUIRE(answer.form.empty == !sent[probe].first);
      REQUIRE(answer.stamp.transportSeq == sent[probe].second);
    }
  }
}

TEST_CASE("resend ring: a question that crosses the answer is not answered twice, and none more than ten times") {
  ResendRing ring(ResendRing::kAudioPackets, false);
  ring.sent(5, {}, {});
  constexpr TimeUs kRtt = 80 * kMillisecondUs;
  CHECK(ring.ask(5, 0, kRtt).verdict == Verdict::kResend);
  CHECK(ring.ask(5, kRtt / 2 - 1'000, kRtt).verdict == Verdict::kTooOften);
  TimeUs now = kRtt;
  for (int i = 1; i < ResendRing::kMaxResends; ++i, now += kRtt)
    CHECK(ring.ask(5, now, kRtt).verdict == Verdict::kResend);
  CHECK(ring.ask(5, now, kRtt).verdict == Verdict::kTooOften);
  CHECK(ring.ask(6, now, kRtt).verdict == Verdict::kUnknown);
  CHECK(ring.ask(4, now, kRtt).verdict == Verdict::kUnknown);
}

TEST_CASE("resend ring: what was sent before it was emptied is unknown, not unsent") {
  OutgoingTrackSpec spec;
  spec.kind = MediaKind::kVideo;
  spec.codecs = {{106, Codec::kVp8, 90'000, {}, ""}};
  OutgoingStream stream(spec, 0);
  PacketPool pool(64);
  PacketRef p = pool.take();
  REQUIRE(stream.format(formatKey(spec.codecs[0])) != nullptr);
  for (SeqNo out = 10; out < 20; ++out) stream.sent(*p, 100, out, {}, {});
  stream.forgetSent();
  stream.sent(*p, 100, 20, {}, {});
  stream.sent(*p, 100, 22, {}, {});
  CHECK(stream.ring()->ask(19, 0, 0).verdict == Verdict::kUnknown);
  CHECK(stream.ring()->ask(21, 0, 0).verdict == Verdict::kUnsent);
  CHECK(stream.ring()->ask(22, 0, 0).verdict == Verdict::kResend);
}

TEST_CASE("number ledger: a stream begins where one of its SSRC ended, and nowhere while another has it") {
  NumberLedger numbers;
  const auto first = numbers.begin(7, 0xFFFF'FFFF);
  REQUIRE(first);
  CHECK(*first == 0x7FFF);
  CHECK_FALSE(numbers.begin(7, 1));
  numbers.end(7, 123'456);
  CHECK(numbers.begin(7, 1) == 123'456);
  numbers.end(7, 200'000);
  for (Ssrc other = 100; other < 100 + NumberLedger::kMaxEnded; ++other) {
    REQUIRE(numbers.begin(other, other));
    numbers.end(other, 5);
  }
  CHECK(numbers.begin(7, 1) == 1);  // so long ago that it is forgotten
}

TEST_CASE("outgoing stream: its report stands on the publisher's time line, and measures the round trip") {
  OutgoingTrackSpec spec;
  spec.ssrc = 77;
  spec.codecs = {{106, Codec::kVp8, 90'000, {}, ""}};
  OutgoingStream stream(spec, 0);
  PacketPool pool(64);
  PacketRef p = pool.take();
  p.fill().clockRateHz = 90'000;
  p.fill().payloadSize = 100;
  const SenderClock clock{5, 0x1000'0000'0000'0000, 90'000, 10 * kSecondUs};
  CHECK_FALSE(stream.senderReport(clock, 1'000, 11 * kSecondUs));
  REQUIRE(stream.format(formatKey(spec.codecs[0])) != nullptr);
  stream.sent(*p, 100, 0, {}, {});
  CHECK(stream.sentSinceReport());
  const auto info = stream.senderReport(clock, 1'000, 11 * kSecondUs + kSecondUs / 2);
  REQUIRE(info);
  CHECK_FALSE(stream.sentSinceReport());
  CHECK(info->ssrc == 77);
  CHECK(info->ntp == 0x1000'0001'8000'0000);
  CHECK(info->rtpTimestamp == 90'000 + 1'000 + 135'000);
  CHECK(info->packets == 1);
  CHECK(info->octets == 100);
  wire::ReportBlock block;
  block.ssrc = 77;
  block.lastSenderReport = wire::compactNtp(info->ntp);
  block.delaySinceLastReport = 65'536 / 4;
  CHECK(stream.receiverReport(block, 12 * kSecondUs) == TimeUs{250 * kMillisecondUs});
  block.lastSenderReport += 1;
  CHECK_FALSE(stream.receiverReport(block, 12 * kSecondUs));
}

TEST_CASE("outgoing stream: the MID is written until the subscriber reports on the stream") {
  OutgoingTrackSpec spec;
  spec.mid = "3";
  OutgoingStream stream(spec, 0);
  CHECK(stream.mid() == "3");
  (void)stream.receiverReport({}, 0);
  CHECK(stream.mid().empty());
  CHECK(stream.wireMid() == "3");
}
