// What a client's network carries, and what it is sent for that: whole shards, and clients that give feedback.
#include "core/receive/transport_recorder.h"
#include "world.h"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr Ssrc kCamera = 1'000;
constexpr Ssrc kOut = 2'000;
constexpr Ssrc kOutRtx = 2'001;

/// A publisher and one receiver that tells when each packet came, to the millisecond.
struct Watched {
  explicit Watched(const OutgoingTrackSpec& watches) {
    world.delayUs = 10 * kMillisecondUs;
    SessionSpec p = sessionSpec(1);
    p.incoming = {videoIn(1, kCamera), audioIn(2, kCamera + 1)};
    publisher = &world.add(p);
    SessionSpec s = sessionSpec(2);
    s.outgoing = {watches};
    receiver = &world.add(s);
    world.connect({publisher, receiver});
  }

  /// Thirty frames a second.
  void run(TimeUs forUs, size_t packetsOfFrame = 4) {
    for (TimeUs end = world.now + forUs; world.now < end;) {
      if (world.now >= nextFrameUs) {
        nextFrameUs = std::max(nextFrameUs, world.now) + 33'000;
        publisher->send(vp8Frame(kCamera, seq, timestamp, seq == 0, packetsOfFrame));
        publisher->send(opus(kCamera + 1, audioSeq, audioSeq * 960U));
        ++audioSeq;
        seq = static_cast<uint16_t>(seq + packetsOfFrame);
        timestamp += 3'000;
      }
      world.run(kMillisecondUs);
      for (; heard < receiver->packets.size(); ++heard) {
        const Datagram* number = receiver->packets[heard].extension(kTransportCcId);
        if (ignoresPadding && receiver->packets[heard].ssrc == kOutRtx) continue;
        if (number != nullptr) recorder.note(readU16(number->data()), world.now);
      }
      if (!givesFeedback || recorder.nextDeadline() > world.now) continue;
      for (bool more = true; more;) {
        receiver->sendRtcp([&](wire::RtcpWriter& writer) { more = recorder.write(writer, 1, kOut); });
      }
    }
  }
  [[nodiscard]] uint64_t target() { return world.snapshot(receiver->spec.session)->send->targetBps; }

  World world;
  Client* publisher = nullptr;
  Client* receiver = nullptr;
  receive::TransportRecorder recorder;
  bool givesFeedback = true;
  bool ignoresPadding = false;
  size_t heard = 0;
  uint16_t seq = 0;
  uint16_t audioSeq = 0;
  uint32_t timestamp = 0;
  TimeUs nextFrameUs = 0;
};

}  // namespace

TEST_CASE("send control: padding on the retransmission stream finds out that a path carries what is wanted") {
  Watched call(videoOut(1, kOut, kOutRtx));
  call.run(4 * kSecondUs);
  // 4 packets of 1,100 octets, 30 times a second, make 1.1 Mbit/s; what is probed lies above, within bounds.
  CHECK(call.target() > 1'150'000);
  CHECK(call.target() < 3'000'000);
  const auto padding = call.receiver->of(kOutRtx);
  REQUIRE(padding.size() >= 10);
  CHECK(call.world.total(Counter::kProbePacketsOut) == padding.size());
  for (size_t i = 0; i < padding.size(); ++i) {
    CHECK(padding[i].payloadType == 107);
    CHECK(padding[i].payload.empty());
    CHECK(padding[i].padding == 255);
    CHECK(padding[i].seq == static_cast<uint16_t>(padding[0].seq + i));
  }
  // Media has flowed before, and all transport-wide numbers follow each other.
  CHECK(call.receiver->packets.front().ssrc == kOut);
  const auto number = [&](size_t i) { return readU16(call.receiver->packets[i].extension(kTransportCcId)->data()); };
  for (size_t i = 1; i < call.receiver->packets.size(); ++i) {
    CHECK(number(i) == static_cast<uint16_t>(number(i - 1) + 1));
  }
  // What is wanted is known to be carried: no more of it.
  call.run(2 * kSecondUs);
  const size_t until = call.receiver->of(kOutRtx).size();
  call.run(10 * kSecondUs);
  CHECK(call.receiver->of(kOutRtx).size() == until);
}

TEST_CASE("send control: padding that a receiver leaves out of its reports is no loss, and is soon no longer sent") {
  Watched call(videoOut(1, kOut, kOutRtx));
  call.ignoresPadding = true;
  call.run(3 * kSecondUs);
  const size_t padding = call.receiver->of(kOutRtx).size();
  CHECK(padding > 0);
  CHECK(call.world.snapshot(call.receiver->spec.session)->send->loss < 0.01);
  call.run(10 * kSecondUs);
  CHECK(call.receiver->of(kOutRtx).size() == padding);
  // What media arrives raises the target by itself.
  CHECK(call.target() > 900'000);
}

TEST_CASE("send control: repairs go on under the numbers behind the padding") {
  Watched call(videoOut(1, kOut, kOutRtx));
  call.run(3 * kSecondUs);
  const uint16_t last = call.receiver->of(kOutRtx).back().seq;
  const uint16_t missing = call.receiver->of(kOut).back().seq;
  call.receiver->sendRtcp([&](wire::RtcpWriter& w) { w.nack(1, kOut, std::array{missing}); });
  call.run(100 * kMillisecondUs);
  const auto repairs = call.receiver->of(kOutRtx);
  const auto repair = std::find_if(repairs.begin(), repairs.end(), [](const Rtp& r) { return !r.payload.empty(); });
  REQUIRE(repair != repairs.end());
  CHECK(repair->seq == static_cast<uint16_t>(last + 1));
}

TEST_CASE("send control: nothing is probed without retransmission stream, for audio, or for who gives no feedback") {
  Watched plain(videoOut(1, kOut));
  plain.run(3 * kSecondUs);
  CHECK(plain.world.total(Counter::kProbePacketsOut) == 0);
  Watched audio(audioOut(2, kOut));
  audio.run(3 * kSecondUs);
  CHECK(audio.world.total(Counter::kProbePacketsOut) == 0);
  Watched silent(videoOut(1, kOut, kOutRtx));
  silent.givesFeedback = false;
  silent.run(3 * kSecondUs);
  CHECK(silent.world.total(Counter::kProbePacketsOut) == 0);
}
