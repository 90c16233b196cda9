// What clients tell their owner. Many threads put, one takes; it is notified once for whatever has gathered.
#pragma once

#include <mutex>

#include "swarm.h"

namespace sluice::swarm {

class Outbox {
 public:
  /// Messages of a thousand clients for a second; beyond it events are lost, and counted.
  static constexpr size_t kMostEvents = 262'144;

  explicit Outbox(std::function<void()> notify) : notify_(std::move(notify)) {}

  void put(ClientId client, peer::PeerEvent&& what) {
    bool first = false;
    {
      const std::lock_guard lock(working_);
      first = waiting_.events.empty();
      if (waiting_.events.size() < kMostEvents) {
        waiting_.events.push_back({client, std::move(what)});
      } else {
        ++waiting_.lost;
      }
    }
    if (first) notify_();
  }

  [[nodiscard]] Taken take() {
    const std::lock_guard lock(working_);
    return std::exchange(waiting_, {});
  }

 private:
  std::function<void()> notify_;
  std::mutex working_;
  Taken waiting_;
};

}  // namespace sluice::swarm
