#include "poller.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "../io/descriptor.h"

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

namespace sluice::swarm {

namespace {

/// Waits until one of these has something, or the time is over.
void waitForAny(std::span<pollfd> watched, TimeUs timeoutUs) {
#ifdef __linux__
  const timespec timeout{timeoutUs / kSecondUs, (timeoutUs % kSecondUs) * 1'000};
  (void)::ppoll(watched.data(), watched.size(), timeoutUs == kNever ? nullptr : &timeout, nullptr);
#else
  const TimeUs ms = timeoutUs == kNever ? -1 : std::min<TimeUs>((timeoutUs + 999) / 1'000, INT32_MAX);
  (void)::poll(watched.data(), static_cast<nfds_t>(watched.size()), static_cast<int>(ms));
#endif
}

#ifdef __linux__

class LinuxPoller final : public Poller {
 public:
  LinuxPoller(io::Descriptor set, io::Descriptor wakeUp) : set_(std::move(set)), wakeUp_(std::move(wakeUp)) {}

  bool add(int fd, uint32_t tag) override {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = tag;
    return ::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }
  void remove(int fd) override { (void)::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  std::span<const uint32_t> wait(TimeUs timeoutUs) override {
    // epoll itself counts in milliseconds; sources' deadlines are closer.
    std::array<pollfd, 2> watched{pollfd{set_.get(), POLLIN, 0}, pollfd{wakeUp_.get(), POLLIN, 0}};
    if (timeoutUs > 0) waitForAny(watched, timeoutUs);
    uint64_t count = 0;
    (void)!::read(wakeUp_.get(), &count, sizeof count);
    const int got = ::epoll_wait(set_.get(), events_.data(), static_cast<int>(events_.size()), 0);
    const auto ready = static_cast<size_t>(std::max(got, 0));
    for (size_t i = 0; i < ready; ++i) tags_[i] = events_[i].data.u32;
    return std::span(tags_).first(ready);
  }

  void wake() override {
    const uint64_t one = 1;
    (void)!::write(wakeUp_.get(), &one, sizeof one);
  }

 private:
  static constexpr size_t kBatch = 256;
  io::Descriptor set_;
  io::Descriptor wakeUp_;
  std::array<epoll_event, kBatch> events_{};
  std::array<uint32_t, kBatch> tags_{};
};

#else

class PortablePoller final : public Poller {
 public:
  PortablePoller(io::Descriptor read, io::Descriptor write) : read_(std::move(read)), write_(std::move(write)) {}

  bool add(int fd, uint32_t tag) override {
    const std::lock_guard lock(changing_);
    watched_.push_back({fd, tag});
    return true;
  }
  void remove(int fd) override {
    const std::lock_guard lock(changing_);
    std::erase_if(watched_, [fd](const Watched& w) { return w.fd == fd; });
  }

  std::span<const uint32_t> wait(TimeUs timeoutUs) override {
    polled_.assign(1, pollfd{read_.get(), POLLIN, 0});
    tags_.clear();
    {
      const std::lock_guard lock(changing_);
      for (const Watched& w : watched_) polled_.push_back({w.fd, POLLIN, 0});
      for (const Watched& w : watched_) tags_.push_back(w.tag);
    }
    waitForAny(polled_, timeoutUs);
    std::array<uint8_t, 64> rest;
    while (::read(read_.get(), rest.data(), rest.size()) > 0) {
    }
    ready_.clear();
    for (size_t i = 1; i < polled_.size(); ++i) {
      if (polled_[i].revents != 0) ready_.push_back(tags_[i - 1]);
    }
    return ready_;
  }

  void wake() override { (void)!::write(write_.get(), "", 1); }

 private:
  struct Watched {
    int fd;
    uint32_t tag;
  };
  io::Descriptor read_;
  io::Descriptor write_;
  std::mutex changing_;
  std::vector<Watched> watched_;
  std::vector<pollfd> polled_;
  std::vector<uint32_t> tags_;
  std::vector<uint32_t> ready_;
};

#endif

}  // namespace

std::unique_ptr<Poller> Poller::open() {
#ifdef __linux__
  io::Descriptor set(::epoll_create1(EPOLL_CLOEXEC));
  io::Descriptor wakeUp(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!set.isOpen() || !wakeUp.isOpen()) return nullptr;
  return std::make_unique<LinuxPoller>(std::move(set), std::move(wakeUp));
#else
  int ends[2];
  if (::pipe(ends) != 0) return nullptr;
  for (const int end : ends) {
    (void)::fcntl(end, F_SETFL, O_NONBLOCK);
    (void)::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  return std::make_unique<PortablePoller>(io::Descriptor(ends[0]), io::Descriptor(ends[1]));
#endif
}

}  // namespace sluice::swarm
