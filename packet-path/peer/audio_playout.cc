#include "audio_playout.h"

#include <algorithm>

namespace sluice::peer {

namespace {

// What NetEq weighs: a hundredth of the packets that comes too late costs as much as 20 ms of delay (its
// ReorderOptimizer); and a packet more.
constexpr TimeUs kLatePercentCostUs = 20 * kMillisecondUs;
// The depth is looked at again after so many packets.
constexpr size_t kAdjustEvery = 10;
// Deep enough for the first packets, about which nothing is known.
constexpr TimeUs kFirstBufferUs = 60 * kMillisecondUs;
constexpr TimeUs kMaxBufferUs = 2 * kSecondUs;
// Time is taken out of speech at most this fast (NetEq's accelerate): a fifth of the time between two looks.
constexpr TimeUs kMaxShrinkUs = 40 * kMillisecondUs;
// Timestamps that jump by more have another time line.
constexpr int64_t kMaxJump = 48'000 * 5;

}  // namespace

void AudioPlayout::start(int64_t timestamp, TimeUs nowUs) {
  started_ = true;
  states_.fill(State::kSilent);
  firstTimestamp_ = timestamp;
  lastTimestamp_ = timestamp;
  newest_ = next_ = 0;
  watched_ = 0;
  leastTransitUs_ = nowUs;
  totals_.bufferUs = std::max(totals_.bufferUs, kFirstBufferUs);
  if (totals_.firstFrameUs == kNever) totals_.firstFrameUs = nowUs;
}

void AudioPlayout::receive(const Packet& packet, bool red, TimeUs clockOffsetUs, TimeUs nowUs) {
  if (packet.payloadSize == 0) return;
  const int64_t timestamp = started_ ? extendTimestamp(packet.timestamp, lastTimestamp_) : packet.timestamp;
  const bool first = !started_ || std::abs(timestamp - lastTimestamp_) > kMaxJump;
  if (first) {
    start(timestamp, nowUs);
    highest_ = packet.seq;
  }
  play(nowUs);
  if (const auto mark = readMark(packet.payload())) {
    totals_.source = mark->source;
    delays_.add(nowUs + clockOffsetUs - mark->sentAtUs);
  }
  const int64_t frame = frameOf(timestamp);
  if (packet.seq > highest_) {
    noteGap(frame, packet.seq);
    highest_ = packet.seq;
    lastTimestamp_ = timestamp;
    newest_ = std::max(newest_, frame);
  }
  if (!packet.recovered) watch(nowUs - frame * kFrameUs);
  arrived(frame, packet.recovered);
  if (red) splitRed(packet);
  totals_.lastFrameUs = nowUs;
}

// Frames whose packets were lost, as far as numbers tell; time without numbers is silence (DTX, mute).
void AudioPlayout::noteGap(int64_t frame, SeqNo seq) {
  const int64_t lost = std::min<int64_t>(seq - highest_ - 1, frame - newest_ - 1);
  const int64_t from = std::max(newest_ + 1, frame - static_cast<int64_t>(kFrames) / 2);
  if (from > newest_ + 1) {
    // Longer ago than anything that still waits.
    totals_.framesConcealed += static_cast<uint64_t>(std::clamp<int64_t>(lost, 0, from - newest_ - 1));
    next_ = std::max(next_, from);
  }
  for (int64_t f = from; f < frame; ++f) state(f) = f <= newest_ + lost ? State::kMissing : State::kSilent;
  if (frame > newest_) state(frame) = State::kSilent;
}

void AudioPlayout::arrived(int64_t frame, bool redundant) {
  if (frame < next_) {
    if (!redundant) ++totals_.framesLate;
    return;
  }
  if (frame > newest_ || state(frame) == State::kHere) return;
  state(frame) = State::kHere;
  if (redundant) ++totals_.framesRedundant;
}

// RFC 2198 §3: headers, each with the block's length and how much older it is; then the blocks.
void AudioPlayout::splitRed(const Packet& packet) {
  Bytes rest = packet.payload();
  while (rest.size() >= 4 && (rest[0] & 0x80) != 0) {
    const uint32_t header = readU24(rest.data() + 1);
    const auto ticks = static_cast<int64_t>(header >> 10);
    rest = rest.subspan(4);
    arrived(frameOf(extendTimestamp(packet.timestamp, lastTimestamp_) - ticks), true);
  }
}

void AudioPlayout::watch(TimeUs transitUs) {
  transits_[watched_++ % kWatched] = transitUs;
  leastTransitUs_ = std::min(leastTransitUs_, transitUs);
  if (watched_ % kAdjustEvery != 0) return;
  const auto count = static_cast<std::ptrdiff_t>(std::min(watched_, kWatched));
  std::array<TimeUs, kWatched> sorted = transits_;
  std::sort(sorted.begin(), sorted.begin() + count);
  const TimeUs least = sorted.front();
  TimeUs depth = 0;
  TimeUs leastCost = kNever;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const TimeUs waits = sorted[static_cast<size_t>(i)] - least;
    const TimeUs cost = waits + kLatePercentCostUs * 100 * (count - 1 - i) / count;
    if (cost < leastCost) leastCost = cost, depth = waits;
  }
  const TimeUs wanted = std::min(depth + kFrameUs, kMaxBufferUs);
  const TimeUs before = leastTransitUs_ + totals_.bufferUs;
  leastTransitUs_ = least;
  totals_.bufferUs = std::max(wanted, before - least - kMaxShrinkUs);
}

// Everything whose time has come.
void AudioPlayout::play(TimeUs nowUs) {
  for (; next_ <= newest_ && playsAtUs(next_) <= nowUs; ++next_) {
    switch (state(next_)) {
      case State::kHere:
        ++totals_.framesPlayed;
        break;
      case State::kMissing:
        ++totals_.framesConcealed;
        break;
      case State::kSilent:
        break;
    }
    state(next_) = State::kSilent;
  }
}

const AudioTotals& AudioPlayout::totals(TimeUs nowUs) {
  if (started_) play(nowUs);
  return totals_;
}

}  // namespace sluice::peer
