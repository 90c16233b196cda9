#include "flight.h"

#include <algorithm>

namespace sluice::dtls {

void Flight::clear() {
  items_.clear();
  bytes_.clear();
}

void Flight::add(uint8_t type, uint16_t version, uint16_t epoch, Bytes body) {
  items_.push_back({type, version, epoch, static_cast<uint32_t>(bytes_.size()), static_cast<uint16_t>(body.size())});
  bytes_.insert(bytes_.end(), body.begin(), body.end());
}

void Flight::settle() {
  items_.shrink_to_fit();
  bytes_.shrink_to_fit();
}

void RetransmissionTimer::start(TimeUs nowUs) {
  intervalUs_ = kFirstUs;
  count_ = 0;
  dueUs_ = nowUs + intervalUs_;
}

bool RetransmissionTimer::again(TimeUs nowUs) {
  if (++count_ > kMaxRetransmissions) {
    stop();
    return false;
  }
  intervalUs_ = std::min(intervalUs_ * 2, kLongestUs);
  dueUs_ = nowUs + intervalUs_;
  return true;
}

}  // namespace sluice::dtls
