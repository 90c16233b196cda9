// The handshake flight that was sent last, kept to be sent again (RFC 6347 §4.2.4), and when.
#pragma once

#include <vector>

#include "../wire/types.h"
#include "record.h"

namespace sluice::dtls {

/// Records in the clear, whichever epoch they belong to: each time they are sent they get new numbers, as a peer that
/// had them already takes a repeated number for a replay and would not answer.
class Flight {
 public:
  struct Item {
    uint8_t type;
    uint16_t version;
    uint16_t epoch;
    uint32_t offset;
    uint16_t size;
  };

  void clear();
  void add(uint8_t type, uint16_t version, uint16_t epoch, Bytes body);
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  [[nodiscard]] Bytes body(const Item& item) const { return Bytes(bytes_).subspan(item.offset, item.size); }
  /// Gives spare memory back: this is the last flight, kept for long.
  void settle();

 private:
  std::vector<Item> items_;
  std::vector<uint8_t> bytes_;
};

/// When to send it again. RFC 6347 §4.2.4.1 starts at 1 s; a call cannot wait that long for one lost datagram, and
/// browsers start at 50 ms. 100 ms spares most paths a needless copy.
class RetransmissionTimer {
 public:
  static constexpr TimeUs kFirstUs = 100 * kMillisecondUs;
  static constexpr TimeUs kLongestUs = 1'600 * kMillisecondUs;
  /// 0.1 + 0.2 + 0.4 + 0.8 s, then every 1.6 s: gives up after about 30 s, when users have long gone.
  static constexpr int kMaxRetransmissions = 21;

  void start(TimeUs nowUs);
  void stop() { dueUs_ = kNever; }
  /// Called when due. False: that was the last time.
  [[nodiscard]] bool again(TimeUs nowUs);
  [[nodiscard]] TimeUs dueUs() const { return dueUs_; }

 private:
  TimeUs dueUs_ = kNever;
  TimeUs intervalUs_ = kFirstUs;
  int count_ = 0;
};

}  // namespace sluice::dtls
