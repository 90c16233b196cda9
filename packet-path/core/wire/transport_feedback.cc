// Transport-wide congestion control feedback, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.
#include <algorithm>
#include <array>

#include "rtcp.h"

namespace sluice::wire {

namespace {

constexpr size_t kFixedBytes = 8;         // base, count, reference time, feedback count
constexpr int64_t kReferenceTicks = 256;  // 64 ms
constexpr uint16_t kMaxRun = 0x1FFF;      // 13 bits
constexpr size_t kMaxPackets = UINT16_MAX;
constexpr size_t kOneBitSymbols = 14;
constexpr size_t kTwoBitSymbols = 7;

enum Symbol : uint8_t { kLost = 0, kSmallDelta = 1, kLargeDelta = 2 };

// Walks the symbols of a list of arrivals. `stop` says where deltas stop fitting 16 bits.
class Symbols {
 public:
  Symbols(std::span<const int64_t> arrivals, int64_t reference) : arrivals_(arrivals), last_(reference) {}

  [[nodiscard]] bool done() const { return at_ == arrivals_.size(); }
  [[nodiscard]] size_t at() const { return at_; }
  [[nodiscard]] int64_t delta() const { return arrivals_[at_] - last_; }
  [[nodiscard]] bool fits() const {
    return arrivals_[at_] == kNotReceived || (delta() >= INT16_MIN && delta() <= INT16_MAX);
  }
  [[nodiscard]] Symbol symbol() const {
    if (arrivals_[at_] == kNotReceived) return kLost;
    return delta() >= 0 && delta() <= UINT8_MAX ? kSmallDelta : kLargeDelta;
  }
  void advance() {
    if (arrivals_[at_] != kNotReceived) last_ = arrivals_[at_];
    ++at_;
  }

 private:
  std::span<const int64_t> arrivals_;
  int64_t last_;
  size_t at_ = 0;
};

// One status chunk: how many symbols it takes from here, and its 16 bits (§3.1.3, §3.1.4).
struct Chunk {
  size_t symbols = 0;
  uint16_t bits = 0;
};

Chunk nextChunk(Symbols from) {
  std::array<Symbol, kOneBitSymbols> head{};
  size_t heads = 0;
  size_t run = 0;
  bool running = true;
  const Symbol first = from.symbol();
  for (; !from.done() && (running || heads < head.size()) && run < kMaxRun; from.advance()) {
    const Symbol s = from.symbol();
    running = running && s == first;
    if (running) ++run;
    if (heads < head.size()) head[heads++] = s;
  }
  const bool large = std::find(head.begin(), head.begin() + heads, kLargeDelta) != head.begin() + heads;
  const size_t vector = std::min(heads, large ? kTwoBitSymbols : kOneBitSymbols);
  if (run >= vector) return {run, static_cast<uint16_t>((size_t{first} << 13) | run)};

  uint16_t bits = large ? 0xC000 : 0x8000;
  for (size_t i = 0; i < vector; ++i) {
    const size_t shift = large ? 12 - 2 * i : 13 - i;
    bits = static_cast<uint16_t>(bits | (head[i] << shift));
  }
  return {vector, bits};
}

size_t deltaBytes(Symbols& symbols, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i, symbols.advance()) bytes += symbols.symbol();  // 0, 1 or 2 bytes
  return bytes;
}

// What a message needs for as many whole chunks as fit `room`.
struct Extent {
  size_t packets = 0;
  size_t chunkBytes = 0;
  size_t deltaBytes = 0;
};

Extent measure(Symbols symbols, size_t room) {
  Extent extent;
  while (!symbols.done()) {
    const size_t deltas = deltaBytes(symbols, nextChunk(symbols).symbols);
    if (extent.chunkBytes + 2 + extent.deltaBytes + deltas > room) break;
    extent = {symbols.at(), extent.chunkBytes + 2, extent.deltaBytes + deltas};
  }
  return extent;
}

}  // namespace

size_t RtcpWriter::transportFeedback(Ssrc sender, Ssrc media, uint16_t baseSeq, uint8_t feedbackCount,
                                     std::span<const int64_t> arrivals) {
  if (arrivals.empty() || arrivals[0] == kNotReceived) return 0;
  arrivals = arrivals.first(std::min(arrivals.size(), kMaxPackets));
  const int64_t reference = (arrivals[0] >= 0 ? arrivals[0] : arrivals[0] - kReferenceTicks + 1) / kReferenceTicks;
  const auto start = [&] { return Symbols(arrivals, reference * kReferenceTicks); };

  // A gap that does not fit 16 bits begins a message of its own.
  Symbols whole = start();
  while (!whole.done() && whole.fits()) whole.advance();
  arrivals = arrivals.first(whole.at());

  // How many chunks, and with them packets, fit the span. When not even the first does, fewer packets make it smaller.
  const size_t fixed = 4 + 8 + kFixedBytes;
  const size_t room = out_.size() - size_ < fixed ? 0 : (out_.size() - size_ - fixed) / 4 * 4;
  Extent extent = measure(start(), room);
  while (extent.packets == 0 && arrivals.size() > 1) {
    arrivals = arrivals.first(arrivals.size() / 2);
    extent = measure(start(), room);
  }
  const auto [packets, chunkBytes, deltas] = extent;
  if (packets == 0) return 0;

  const size_t bytes = (kFixedBytes + chunkBytes + deltas + 3) / 4 * 4;
  uint8_t* p = beginFeedback(RtcpType::kTransportFeedback, kTransportWideFormat, sender, media, bytes);
  if (p == nullptr) return 0;
  std::fill_n(p, bytes, uint8_t{0});
  writeU16(p, baseSeq);
  writeU16(p + 2, static_cast<uint16_t>(packets));
  writeU24(p + 4, static_cast<uint32_t>(reference) & 0xFF'FFFF);
  p[7] = feedbackCount;

  uint8_t* chunk = p + kFixedBytes;
  uint8_t* delta = chunk + chunkBytes;
  for (Symbols s = start(); s.at() < packets;) {
    const Chunk c = nextChunk(s);
    writeU16(chunk, c.bits);
    chunk += 2;
    for (size_t i = 0; i < c.symbols; ++i, s.advance()) {
      switch (s.symbol()) {
        case kLost:
          break;
        case kSmallDelta:
          *delta++ = static_cast<uint8_t>(s.delta());
          break;
        case kLargeDelta:
          writeU16(delta, static_cast<uint16_t>(s.delta()));
          delta += 2;
          break;
      }
    }
  }
  return packets;
}

std::optional<TransportFeedbackReader> TransportFeedbackReader::open(Bytes control) {
  if (control.size() < kFixedBytes) return {};
  TransportFeedbackReader r;
  r.seq_ = readU16(control.data());
  r.left_ = readU16(control.data() + 2);
  const uint32_t reference = readU24(control.data() + 4);
  r.ticks_ = int64_t{static_cast<int32_t>(reference << 8) >> 8} * kReferenceTicks;
  r.feedbackCount_ = control[7];

  // Find where the chunks end: the deltas begin there.
  Bytes rest = control.subspan(kFixedBytes);
  size_t covered = 0;
  while (covered < r.left_) {
    if (rest.size() < 2) return {};
    const uint16_t chunk = readU16(rest.data());
    rest = rest.subspan(2);
    if ((chunk & 0x8000) == 0) {
      if ((chunk & kMaxRun) == 0) return {};  // covers nothing: would never end
      covered += chunk & kMaxRun;
    } else {
      covered += (chunk & 0x4000) == 0 ? kOneBitSymbols : kTwoBitSymbols;
    }
  }
  r.chunks_ = control.subspan(kFixedBytes, control.size() - kFixedBytes - rest.size());
  r.deltas_ = rest;
  return r;
}

uint8_t TransportFeedbackReader::nextSymbol() {
  if (chunkLeft_ == 0) {
    chunk_ = readU16(chunks_.data());
    chunks_ = chunks_.subspan(2);
    if ((chunk_ & 0x8000) == 0) {
      chunkLeft_ = chunk_ & kMaxRun;
    } else {
      chunkLeft_ = (chunk_ & 0x4000) == 0 ? kOneBitSymbols : kTwoBitSymbols;
    }
  }
  --chunkLeft_;
  if ((chunk_ & 0x8000) == 0) return (chunk_ >> 13) & 0x03;
  if ((chunk_ & 0x4000) == 0) return (chunk_ >> chunkLeft_) & 0x01;
  return (chunk_ >> (2 * chunkLeft_)) & 0x03;
}

std::optional<TransportFeedbackReader::Status> TransportFeedbackReader::next() {
  if (left_ == 0) return {};
  const uint8_t symbol = nextSymbol();
  Status status{seq_, kNotReceived};
  if (symbol == kSmallDelta || symbol == kLargeDelta) {
    if (deltas_.size() < symbol) {
      left_ = 0;
      return {};
    }
    ticks_ += symbol == kSmallDelta ? deltas_[0] : static_cast<int16_t>(readU16(deltas_.data()));
    deltas_ = deltas_.subspan(symbol);
    status.arrivalTicks = ticks_;
  }
  --left_;
  ++seq_;
  return status;
}

}  // namespace sluice::wire
