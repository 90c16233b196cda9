// Waits for thousands of sockets at once: epoll on Linux, poll elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "../core/wire/types.h"

namespace sluice::swarm {

class Poller {
 public:
  /// Null when the system has no descriptors left.
  [[nodiscard]] static std::unique_ptr<Poller> open();
  virtual ~Poller() = default;

  /// From any thread, while nobody else adds or removes. False when the system refuses.
  [[nodiscard]] virtual bool add(int fd, uint32_t tag) = 0;
  virtual void remove(int fd) = 0;
  /// Tags of the sockets that have something; kNever waits without limit.
  [[nodiscard]] virtual std::span<const uint32_t> wait(TimeUs timeoutUs) = 0;
  /// From any thread: the current wait, or else the next one, returns.
  virtual void wake() = 0;
};

}  // namespace sluice::swarm
