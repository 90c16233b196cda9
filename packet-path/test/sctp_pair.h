// Two associations on virtual time, joined by links that lose, delay, reorder and duplicate as a seed tells.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "core/sctp/association.h"

namespace sluice::sctp::test {

struct LinkSpec {
  double loss = 0;
  double duplication = 0;
  TimeUs delayUs = 5 * kMillisecondUs;
  TimeUs jitterUs = 0;   ///< uniform, reorders
  double bitsPerUs = 0;  ///< rate, 0 is none; the queue before it is unbounded
};

struct Received {
  StreamId stream = 0;
  MessageKind kind = MessageKind::kBinary;
  std::string bytes;
  friend bool operator==(const Received&, const Received&) = default;
};

inline Seed seedOf(uint64_t n, uint32_t tag = 0, uint32_t tsn = 0) {
  std::mt19937_64 random(n);
  Seed seed;
  for (uint8_t& b : seed) b = static_cast<uint8_t>(random());
  if (tag != 0) writeU32(&seed[0], tag);
  if (tsn != 0) writeU32(&seed[4], tsn);
  return seed;
}

inline Bytes bytesOf(const std::string& s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}

/// One end, with all that it was told.
class End : public Sink {
 public:
  End(const AssociationConfig& config, const Seed& seed) : association(std::make_unique<Association>(config, seed)) {}

  void packet(Bytes bytes) override {
    largestPacket = std::max(largestPacket, bytes.size());
    if (onPacket) onPacket(bytes);
  }
  void established() override { ++timesEstablished; }
  void channelOpened(StreamId stream, const ChannelSpec& spec) override { opened[stream] = spec; }
  void message(const Message& m) override {
    messages.push_back({m.stream, m.kind, std::string(m.bytes.begin(), m.bytes.end())});
    if (onMessage) onMessage(messages.back());
  }
  void channelClosed(StreamId stream) override {
    opened.erase(stream);
    closedChannels.push_back(stream);
  }
  void writable() override { ++timesWritable; }
  void closed(CloseReason reason) override {
    ++timesClosed;
    closeReason = reason;
  }

  std::unique_ptr<Association> association;
  std::function<void(Bytes)> onPacket;
  std::function<void(const Received&)> onMessage;
  std::map<StreamId, ChannelSpec> opened;
  std::vector<Received> messages;
  std::vector<StreamId> closedChannels;
  int timesEstablished = 0;
  int timesWritable = 0;
  int timesClosed = 0;
  CloseReason closeReason{};
  size_t largestPacket = 0;
};

class Pair {
 public:
  explicit Pair(LinkSpec link = {}, uint64_t seed = 1, AssociationConfig configA = {}, AssociationConfig configB = {})
      : a(asClient(configA), seedOf(seed * 2)), b(configB, seedOf(seed * 2 + 1)), link_(link), random_(seed) {
    connect();
  }
  Pair(const Seed& seedA, const Seed& seedB, LinkSpec link = {}, uint64_t seed = 1)
      : a(asClient({}), seedA), b({}, seedB), link_(link), random_(seed) {
    connect();
  }

  void setLink(const LinkSpec& link) { link_ = link; }

  /// Both start, as browsers do, and all settles.
  void establish() {
    a.association->start(now, a);
    b.association->start(now, b);
    runUntil([&] { return a.timesEstablished > 0 && b.timesEstablished > 0; });
  }

  StreamId open(End& end, const ChannelSpec& spec) { return end.association->open(spec, now, end).value(); }

  SendResult send(End& end, StreamId stream, const std::string& text, MessageKind kind = MessageKind::kString) {
    return end.association->send({stream, kind, bytesOf(text)}, now, end);
  }

  /// Runs for `forUs` of virtual time.
  void run(TimeUs forUs) {
    const TimeUs end = now + forUs;
    while (nextEvent() <= end) step();
    now = end;
  }
  /// Runs until `done`, or nothing more happens, or a virtual hour has passed. Returns whether `done`.
  bool runUntil(const std::function<bool()>& done, TimeUs atMostUs = 3'600 * kSecondUs) {
    const TimeUs end = now + atMostUs;
    while (!done()) {
      if (nextEvent() > end) return false;
      step();
    }
    return true;
  }
  bool idle() const { return nextEvent() == kNever; }

  void restart(End& end, const Seed& seed) {
    end.association = std::make_unique<Association>(asClient({}), seed);
    end.opened.clear();
  }

  TimeUs now = kSecondUs;
  End a;
  End b;
  /// Sees every packet before the link; true lets it through.
  std::function<bool(const End& from, Bytes)> filter;
  size_t packetsOnLink = 0;

 private:
  struct InFlight {
    TimeUs atUs;
    uint64_t order;
    End* to;
    std::vector<uint8_t> bytes;
    bool operator>(const InFlight& o) const { return atUs != o.atUs ? atUs > o.atUs : order > o.order; }
  };

  static AssociationConfig asClient(AssociationConfig config) {
    config.dtlsClient = true;
    return config;
  }

  void connect() {
    a.onPacket = [this](Bytes bytes) { carry(a, b, bytes, busyUntilAb_); };
    b.onPacket = [this](Bytes bytes) { carry(b, a, bytes, busyUntilBa_); };
  }

  bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }

  void carry(const End& from, End& to, Bytes bytes, TimeUs& busyUntil) {
    ++packetsOnLink;
    if (filter && !filter(from, bytes)) return;
    if (chance(link_.loss)) return;
    TimeUs leaves = now;
    if (link_.bitsPerUs > 0) {
      busyUntil =
          std::max(busyUntil, now) + static_cast<TimeUs>(static_cast<double>(bytes.size() * 8) / link_.bitsPerUs);
      leaves = busyUntil;
    }
    const int copies = chance(link_.duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const TimeUs jitter = link_.jitterUs == 0 ? 0 : std::uniform_int_distribution<TimeUs>(0, link_.jitterUs)(random_);
      inFlight_.push({leaves + link_.delayUs + jitter, order_++, &to, {bytes.begin(), bytes.end()}});
    }
  }

  TimeUs nextEvent() const {
    const TimeUs timers = std::min(a.association->nextDeadline(), b.association->nextDeadline());
    return inFlight_.empty() ? timers : std::min(timers, inFlight_.top().atUs);
  }

  void step() {
    now = std::max(now, nextEvent());
    for (End* end : {&a, &b}) {
      if (end->association->nextDeadline() <= now) end->association->onDeadline(now, *end);
    }
    while (!inFlight_.empty() && inFlight_.top().atUs <= now) {
      const InFlight next = inFlight_.top();
      inFlight_.pop();
      next.to->association->receive(next.bytes, now, *next.to);
    }
  }

  LinkSpec link_;
  std::mt19937_64 random_;
  std::priority_queue<InFlight, std::vector<InFlight>, std::greater<>> inFlight_;
  uint64_t order_ = 0;
  TimeUs busyUntilAb_ = 0;
  TimeUs busyUntilBa_ = 0;
};

inline ChannelSpec reliable(const std::string& label = "_reliable") {
  ChannelSpec spec;
  spec.label = label;
  return spec;
}

inline ChannelSpec lossy(uint16_t maxRetransmits = 0, const std::string& label = "_lossy") {
  ChannelSpec spec;
  spec.label = label;
  spec.ordered = false;
  spec.maxRetransmits = maxRetransmits;
  return spec;
}

/// A message that shows its number and any damage.
inline std::string numbered(size_t n, size_t size) {
  std::string s = std::to_string(n) + ":";
  while (s.size() < size) s.push_back(static_cast<char>('a' + (s.size() * 7 + n) % 26));
  return s;
}

inline size_t numberOf(const std::string& s) {
  return std::stoul(s);
}

}  // namespace sluice::sctp::test
