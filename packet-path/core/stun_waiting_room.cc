#include "stun_waiting_room.h"

#include <algorithm>

namespace sluice {

StunWaitingRoom::Outcome StunWaitingRoom::put(std::string_view fragment, Bytes message, const Address& from,
                                              ShardIndex landedOn, TimeUs nowUs) {
  if (message.size() > wire::kMaxStunBytes) return Outcome::kRefused;
  bool known = false;
  for (Check& c : checks_) {
    if (c.fragment != fragment) continue;
    known = true;
    if (c.from != from) continue;
    // The same client again: its newest check is the one to answer.
    c.size = message.size();
    std::copy(message.begin(), message.end(), c.bytes.begin());
    return Outcome::kWaits;
  }
  if (checks_.size() == kMaxChecks) return Outcome::kRefused;
  Check& c = checks_.emplace_back();
  c.fragment = fragment;
  c.from = from;
  c.landedOn = landedOn;
  c.untilUs = nowUs + kMaxWaitUs;
  c.size = message.size();
  std::copy(message.begin(), message.end(), c.bytes.begin());
  return !known && mayTell(nowUs) ? Outcome::kWaitsAndIsNew : Outcome::kWaits;
}

size_t StunWaitingRoom::expire(TimeUs nowUs) {
  const auto kept = std::find_if(checks_.begin(), checks_.end(), [nowUs](const Check& c) { return c.untilUs > nowUs; });
  const auto count = static_cast<size_t>(kept - checks_.begin());
  checks_.erase(checks_.begin(), kept);
  return count;
}

bool StunWaitingRoom::mayTell(TimeUs nowUs) {
  if (nowUs - toldSinceUs_ >= kSecondUs) {
    toldSinceUs_ = nowUs;
    told_ = 0;
  }
  return ++told_ <= kMaxTold;
}

}  // namespace sluice
