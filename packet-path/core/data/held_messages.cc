#include "held_messages.h"

#include <utility>

namespace sluice::data {

bool HeldMessages::hold(std::shared_ptr<const DataMessage> message, TimeUs nowUs) {
  const size_t size = message->bytes.size();
  if (held_.size() == kMaxMessages || bytes_ + size > kMaxBytes) return false;
  bytes_ += size;
  held_.push_back({std::move(message), nowUs + kMaxWaitUs});
  return true;
}

void HeldMessages::pop() {
  bytes_ -= held_.front().message->bytes.size();
  held_.pop_front();
}

size_t HeldMessages::expire(TimeUs nowUs) {
  size_t count = 0;
  for (; !held_.empty() && held_.front().untilUs <= nowUs; ++count) pop();
  return count;
}

}  // namespace sluice::data
