// Simulated media: sources and sinks of two clients against each other, over a path that loses and delays.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "core/receive/key_frame.h"
#include "peer/delay_histogram.h"
#include "peer/mark.h"
#include "peer/media.h"
#include "peer/vp8_payload.h"

using namespace sluice;
using namespace sluice::peer;

namespace {

using Datagram = std::vector<uint8_t>;

constexpr uint8_t kVideoType = 96;
constexpr uint8_t kRtxType = 97;
constexpr uint8_t kAudioType = 111;
constexpr uint8_t kRedType = 63;
constexpr Ssrc kVideoSsrc = 1'000;
constexpr Ssrc kAudioSsrc = 2'000;

wire::ExtensionMap extensions() {
  wire::ExtensionMap map;
  map.set(wire::ExtensionKind::kMid, 4);
  map.set(wire::ExtensionKind::kTransportCc, 3);
  map.set(wire::ExtensionKind::kAudioLevel, 1);
  return map;
}

VideoSourceSpec camera(uint32_t bitsPerSecond = 1'500'000) {
  VideoSourceSpec spec;
  spec.mid = "1";
  spec.payloadType = kVideoType;
  spec.rtxPayloadType = kRtxType;
  EncodingSpec encoding;
  encoding.ssrc = kVideoSsrc;
  encoding.rtxSsrc = kVideoSsrc + 1;
  encoding.maxBitsPerSecond = bitsPerSecond;
  encoding.width = 1'280;
  encoding.height = 720;
  spec.encodings.push_back(encoding);
  return spec;
}

AudioSourceSpec microphone(bool red = false) {
  AudioSourceSpec spec;
  spec.mid = "0";
  spec.payloadType = kAudioType;
  if (red) spec.redPayloadType = kRedType;
  spec.ssrc = kAudioSsrc;
  return spec;
}

SinkSpec screen() {
  SinkSpec spec;
  spec.ssrc = kVideoSsrc;
  spec.rtxSsrc = kVideoSsrc + 1;
  spec.kind = MediaKind::kVideo;
  spec.mid = "1";
  spec.codecs.push_back({kVideoType, Codec::kVp8, 90'000, kRtxType, {}});
  spec.nack = true;
  return spec;
}

SinkSpec speaker(bool red = false) {
  SinkSpec spec;
  spec.ssrc = kAudioSsrc;
  spec.mid = "0";
  if (red) {
    spec.codecs.push_back({kRedType, Codec::kRed, 48'000, {}, {}});
  } else {
    spec.codecs.push_back({kAudioType, Codec::kOpus, 48'000, {}, {}});
  }
  return spec;
}

/// One client sends to another. Time moves in steps of a millisecond.
class Call {
 public:
  Call(const MediaSpec& from, const MediaSpec& to) : sender_({1, 0}), receiver_({2, 0}) {
    sender_.apply(from, now_);
    receiver_.apply(to, now_);
    sender_.start(now_);
    receiver_.start(now_);
  }

  double loss = 0;
  double feedbackLoss = 0;
  TimeUs delayUs = 0;
  TimeUs jitterUs = 0;
  bool down = false;

  void run(TimeUs forUs) {
    for (const TimeUs endUs = now_ + forUs; now_ < endUs; now_ += kMillisecondUs) {
      if (sender_.nextDeadline() <= now_) sender_.onDeadline(now_, forth_);
      deliver();
      if (receiver_.nextDeadline() <= now_) receiver_.onDeadline(now_, back_);
      deliver();
    }
  }
  void send(const MediaSpec& spec) { sender_.apply(spec, now_); }
  void receive(const MediaSpec& spec) { receiver_.apply(spec, now_); }
  Media& sender() { return sender_; }
  SentStream sent() { return sender_.report(now_).sent.at(0); }
  ReceivedStream received() { return receiver_.report(now_).received.at(0); }
  /// When set, decides about each packet, and may change it.
  std::function<bool(Datagram&)> inspect = nullptr;

 private:
  struct Direction final : MediaOut {
    Direction(Call& itsCall, bool itsForth) : call(itsCall), forth(itsForth) {}
    void sendRtp(std::span<const Bytes> packets) override {
      for (const Bytes p : packets) call.post(Datagram(p.begin(), p.end()), forth, false);
    }
    void sendRtcp(Bytes p) override { call.post(Datagram(p.begin(), p.end()), forth, true); }
    Call& call;
    bool forth;
  };
  struct Flying {
    Datagram bytes;
    bool forth;
    bool rtcp;
  };

  void post(Datagram bytes, bool forth, bool rtcp) {
    const auto unit = [this] { return static_cast<double>(random_()) / 4294967296.0; };
    if (down || unit() < (forth ? loss : feedbackLoss)) return;
    if (forth && !rtcp && inspect && !inspect(bytes)) return;
    const auto jitter = static_cast<TimeUs>(unit() * static_cast<double>(jitterUs));
    flying_.emplace(now_ + delayUs + jitter, Flying{std::move(bytes), forth, rtcp});
  }
  void deliver() {
    while (!flying_.empty() && flying_.begin()->first <= now_) {
      const Flying f = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      Media& to = f.forth ? receiver_ : sender_;
      if (f.rtcp) {
        to.receiveRtcp(f.bytes, now_, f.forth ? back_ : forth_);
      } else {
        to.receiveRtp(f.bytes, now_);
      }
    }
  }

  Media sender_;
  Media receiver_;
  Direction forth_{*this, true};
  Direction back_{*this, false};
  std::multimap<TimeUs, Flying> flying_;
  std::mt19937 random_{7};
  TimeUs now_ = kSecondUs;
};

MediaSpec sendsVideo(VideoSourceSpec spec = camera()) {
  MediaSpec out;
  out.extensions = extensions();
  out.video.push_back(std::move(spec));
  return out;
}
MediaSpec sendsAudio(bool red) {
  MediaSpec out;
  out.extensions = extensions();
  out.audio.push_back(microphone(red));
  return out;
}
MediaSpec receives(SinkSpec sink) {
  MediaSpec out;
  out.extensions = extensions();
  out.transportCc = true;
  out.sinks.push_back(std::move(sink));
  return out;
}

}  // namespace

TEST_CASE("mark: what is written is read back, and other payloads have none") {
  Datagram payload(100, 0x55);
  CHECK_FALSE(readMark(payload));
  const Mark mark{7, 8, 9, 10'000'000'000, 2, 1, 3, 4};
  writeMark(mark, MutableBytes(payload).last(kMarkBytes));
  CHECK(readMark(payload) == mark);
  CHECK_FALSE(readMark(Bytes(payload).first(99)));
  CHECK_FALSE(readMark(Bytes(payload).first(10)));
}

TEST_CASE("vp8 payload: what the server reads as a key frame is one") {
  Datagram payload(kVp8FrontBytes);
  for (const bool layered : {false, true}) {
    for (const bool key : {false, true}) {
      for (const bool first : {false, true}) {
        Vp8Frame frame;
        frame.keyFrame = key;
        frame.layered = layered;
        CHECK(writeVp8Front(frame, first, payload) <= kVp8FrontBytes);
        CHECK(receive::startsKeyFrame(Codec::kVp8, payload) == (key && first));
      }
    }
  }
}

TEST_CASE("delay histogram: a quantile is right to within three per cent") {
  std::mt19937 random(3);
  std::vector<TimeUs> all;
  DelayHistogram histogram;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(static_cast<TimeUs>(std::exp(static_cast<double>(random() % 2'000) / 100)));
    histogram.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(all[static_cast<size_t>(share * static_cast<double>(all.size()))]);
    CHECK(static_cast<double>(histogram.quantile(share)) >= exact);
    CHECK(static_cast<double>(histogram.quantile(share)) <= exact * 1.04 + 1);
  }
  CHECK(histogram.max() == all.back());
  CHECK(histogram.quantile(1) == all.back());
}

TEST_CASE("delay histogram: what came since then is what came less what had come by then") {
  DelayHistogram histogram;
  for (int i = 0; i < 1'000; ++i) histogram.add(20);
  const DelayHistogram before = histogram;
  for (int i = 0; i < 10; ++i) histogram.add(50);
  CHECK(histogram.since(before).total() == 10);
  CHECK(histogram.since(before).quantile(0) == 50);
  CHECK(histogram.since(histogram).total() == 0);
}

TEST_CASE("video source: sends at its rate, and all of it arrives where nothing is lost") {
  Call call(sendsVideo(), receives(screen()));
  call.run(10 * kSecondUs);
  const SentStream sent = call.sent();
  const ReceivedStream received = call.received();
  CHECK(sent.frames >= 299);
  CHECK(sent.frames <= 301);
  CHECK(sent.keyFrames == 1);
  const double bitsPerSecond = static_cast<double>(sent.bytes) * 8 / 10;
  CHECK(bitsPerSecond > 1'350'000);
  CHECK(bitsPerSecond < 1'650'000);
  CHECK(received.packets == sent.packets);
  CHECK(received.frames.framesDecoded == sent.frames);
  CHECK(received.frames.freezes == 0);
  CHECK(received.frames.brokenReferences == 0);
  CHECK(received.nacks == 0);
}

TEST_CASE("video source: obeys a target, and is silent below its least rate") {
  VideoSourceSpec spec = camera();
  spec.encodings.front().minBitsPerSecond = 100'000;
  Call call(sendsVideo(spec), receives(screen()));
  call.sender().setTarget(500'000);
  call.run(10 * kSecondUs);
  const uint64_t bytes = call.sent().bytes;
  CHECK(bytes * 8 / 10 > 420'000);
  CHECK(bytes * 8 / 10 < 580'000);
  call.sender().setTarget(50'000);
  call.run(kSecondUs);
  CHECK(call.sent().bytes == bytes);
}

TEST_CASE("video source: makes a key frame when asked, and no more than one in 300 ms") {
  Call call(sendsVideo(), receives(screen()));
  call.run(kSecondUs);
  struct Nowhere final : MediaOut {
    void sendRtp(std::span<const Bytes>) override {}
    void sendRtcp(Bytes) override {}
  } nowhere;
  for (int i = 0; i < 10; ++i) {
    Datagram pli(64);
    wire::RtcpWriter writer(pli);
    REQUIRE(writer.pli(1, kVideoSsrc));
    call.sender().receiveRtcp(writer.written(), 0, nowhere);
    call.run(100 * kMillisecondUs);
  }
  CHECK(call.sent().keyFramesAsked == 10);
  CHECK(call.sent().keyFrames >= 1 + 3);
  CHECK(call.sent().keyFrames <= 1 + 4);
}

TEST_CASE("media: what a tenth of loss takes, repair brings back") {
  Call call(sendsVideo(), receives(screen()));
  call.run(kSecondUs);
  call.loss = call.feedbackLoss = 0.1;
  call.delayUs = 25 * kMillisecondUs;
  call.run(20 * kSecondUs);
  const ReceivedStream received = call.received();
  CHECK(received.lost > 200);
  CHECK(received.recovered > 200);
  CHECK(received.frames.framesDecoded * 100 >= uint64_t{call.sent().frames} * 98);
  CHECK(received.frames.brokenReferences == 0);
  CHECK(call.sent().resent >= received.recovered);
}

TEST_CASE("media: after an outage the picture comes back with a key frame, and the freeze is counted") {
  Call call(sendsVideo(), receives(screen()));
  call.delayUs = 20 * kMillisecondUs;
  call.run(3 * kSecondUs);
  call.down = true;
  call.run(2 * kSecondUs);
  CHECK(call.received().frames.freezes == 1);  // it lasts
  call.down = false;
  call.run(2 * kSecondUs);
  const ReceivedStream received = call.received();
  CHECK(received.frames.freezes == 1);
  CHECK(received.frames.frozenUs > 2 * kSecondUs);
  CHECK(received.frames.frozenUs < 2'700 * kMillisecondUs);
  CHECK(received.keyFramesAsked >= 1);
  CHECK(received.frames.keyFrames >= 2);
  CHECK(received.frames.brokenReferences == 0);
}

TEST_CASE("media: a muted camera is no freeze") {
  Call call(sendsVideo(), receives(screen()));
  call.run(2 * kSecondUs);
  MediaSpec muted = sendsVideo();
  muted.video.front().muted = true;
  SinkSpec idle = screen();
  idle.idle = true;
  call.send(muted);
  call.receive(receives(idle));
  call.run(3 * kSecondUs);
  CHECK(call.received().frames.freezes == 0);
  call.send(sendsVideo());
  call.receive(receives(screen()));
  call.run(2 * kSecondUs);
  CHECK(call.received().frames.freezes == 0);
  CHECK(call.received().frames.framesDecoded > 110);
}

TEST_CASE("video playout: a frame that is kept from the decoder behind its back is a broken reference") {
  Call call(sendsVideo(), receives(screen()));
  call.run(kSecondUs);
  CHECK(call.received().frames.brokenReferences == 0);
  // A forwarder that drops a whole frame and closes the gap in the numbers.
  uint16_t dropped = 0;
  std::optional<uint32_t> victim;
  call.inspect = [&](Datagram& packet) {
    const uint32_t timestamp = readU32(packet.data() + 4);
    if (!victim) victim = timestamp;
    if (timestamp == *victim) return ++dropped, false;
    writeU16(packet.data() + 2, static_cast<uint16_t>(readU16(packet.data() + 2) - dropped));
    return true;
  };
  call.run(kSecondUs);
  CHECK(dropped > 0);
  CHECK(call.received().frames.brokenReferences == 1);
}

TEST_CASE("video playout: a frame that breaks off is given up, and the key frame behind it is shown") {
  Call call(sendsVideo(), receives(screen()));
  call.run(kSecondUs);
  // A forwarder that pauses in the middle of a frame, goes on with the next key frame, and leaves no gap.
  uint16_t dropped = 0;
  bool paused = false;
  call.inspect = [&](Datagram& packet) {
    const auto mark = readMark(packet);
    REQUIRE(mark);
    if (dropped == 0 && mark->part == 1) paused = true;
    if (paused && mark->reference == 0 && mark->part == 0) paused = false;
    if (paused) return ++dropped, false;
    writeU16(packet.data() + 2, static_cast<uint16_t>(readU16(packet.data() + 2) - dropped));
    return true;
  };
  call.run(kSecondUs / 2);
  CHECK(dropped > 0);
  struct Nowhere final : MediaOut {
    void sendRtp(std::span<const Bytes>) override {}
    void sendRtcp(Bytes) override {}
  } nowhere;
  Datagram pli(64);
  wire::RtcpWriter writer(pli);
  REQUIRE(writer.pli(1, kVideoSsrc));
  call.sender().receiveRtcp(writer.written(), 0, nowhere);
  const uint64_t before = call.received().frames.framesDecoded;
  call.run(kSecondUs);
  CHECK(call.received().frames.framesDecoded >= before + 29);
  CHECK(call.received().frames.framesDropped == 1);
  CHECK(call.received().frames.brokenReferences == 0);
}

TEST_CASE("video source: temporal layers refer only to what stays when higher ones are dropped") {
  for (const uint8_t layers : {uint8_t{2}, uint8_t{3}}) {
    VideoSourceSpec spec = camera();
    spec.temporalLayers = layers;
    for (uint8_t most = 0; most < layers; ++most) {
      CAPTURE(layers);
      CAPTURE(most);
      Call call(sendsVideo(spec), receives(screen()));
      uint16_t dropped = 0;
      call.inspect = [&](Datagram& packet) {
        const auto mark = readMark(packet);
        REQUIRE(mark);
        if (mark->temporalLayer > most) return ++dropped, false;
        writeU16(packet.data() + 2, static_cast<uint16_t>(readU16(packet.data() + 2) - dropped));
        return true;
      };
      call.run(4 * kSecondUs);
      const VideoTotals frames = call.received().frames;
      CHECK(frames.brokenReferences == 0);
      const uint64_t expected = call.sent().frames >> (layers - 1 - most);
      CHECK(frames.framesDecoded >= expected - 2);
      CHECK(frames.framesDecoded <= expected + 2);
    }
  }
}

TEST_CASE("audio playout: without loss nothing is concealed, whatever the jitter that has been seen") {
  Call call(sendsAudio(false), receives(speaker()));
  call.delayUs = 30 * kMillisecondUs;
  call.jitterUs = 15 * kMillisecondUs;
  call.run(10 * kSecondUs);
  const AudioTotals audio = call.received().audio;
  CHECK(audio.framesPlayed >= 490);
  CHECK(audio.framesConcealed == 0);
  CHECK(audio.bufferUs >= 15 * kMillisecondUs);
  CHECK(audio.bufferUs <= 80 * kMillisecondUs);
}

TEST_CASE("audio playout: what is lost is concealed, and RED brings most of it back") {
  const auto concealed = [](bool red) {
    Call call(sendsAudio(red), receives(speaker(red)));
    call.run(kSecondUs);
    call.loss = 0.2;
    call.run(30 * kSecondUs);
    const AudioTotals audio = call.received().audio;
    return static_cast<double>(audio.framesConcealed) / static_cast<double>(audio.framesConcealed + audio.framesPlayed);
  };
  CHECK(concealed(false) > 0.16);
  CHECK(concealed(false) < 0.24);
  CHECK(concealed(true) > 0.01);
  CHECK(concealed(true) < 0.07);
}

TEST_CASE("media: the round trip is measured from reports") {
  Call call(sendsVideo(), receives(screen()));
  call.delayUs = 40 * kMillisecondUs;
  call.run(5 * kSecondUs);
  CHECK(call.sender().report(0).rttMs > 70);
  CHECK(call.sender().report(0).rttMs < 90);
}
