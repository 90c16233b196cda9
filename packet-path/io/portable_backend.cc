#include "portable_backend.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace sluice::io {

namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;
#endif

class PortableSocket final : public Socket {
 public:
  PortableSocket(BoundSocket socket, LocalEnds& ends) : socket_(std::move(socket)), arrivals_(socket_, ends) {}

  bool receive(ReceiveBuffer& buffer, std::vector<ReceivedDatagram>& out, IoCounters& counters) override {
    for (size_t i = 0; i < ReceiveBuffer::kSlots;) {
      sockaddr_storage name{};
      alignas(cmsghdr) uint8_t control[kControlBytes];
      iovec vector{buffer.slot(i).data(), ReceiveBuffer::kSlotBytes};
      msghdr message{};
      message.msg_name = &name;
      message.msg_namelen = sizeof name;
      message.msg_iov = &vector;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t got = ::recvmsg(fd(), &message, 0);
      ++counters.receiveCalls;
      if (got < 0) {
        // An ICMP error of an earlier send stands in a datagram's place; after it the next one comes.
        if (errno == EINTR || errno == ECONNREFUSED || errno == ECONNRESET) continue;
        return false;
      }
      if ((message.msg_flags & MSG_TRUNC) != 0) {
        ++counters.receivedTruncated;
        continue;
      }
      Address from = fromSockaddr(name);
      from.via = arrivals_.via(message);
      out.push_back({from, buffer.slot(i).first(static_cast<size_t>(got))});
      ++counters.datagramsReceived;
      counters.bytesReceived += static_cast<uint64_t>(got);
      ++i;
    }
    return true;
  }

  void send(const Address& to, const LocalEnd* source, MutableBytes burst, size_t segmentBytes, SendPatience& patience,
            IoCounters& counters) override {
    sockaddr_storage name{};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = toSockaddr(to, socket_.family, name);
    alignas(cmsghdr) uint8_t control[kControlBytes];
    message.msg_control = control;
    if (source != nullptr) appendSource(message, socket_.family, *source);
    if (message.msg_controllen == 0) message.msg_control = nullptr;
    for (size_t at = 0; at < burst.size(); at += segmentBytes) {
      transmit(message, burst.subspan(at, std::min(segmentBytes, burst.size() - at)), patience, counters);
    }
  }

  [[nodiscard]] int fd() const override { return socket_.descriptor.get(); }
  [[nodiscard]] const Address& boundTo() const override { return socket_.address; }
  [[nodiscard]] size_t receiveBufferBytes() const override { return socket_.receiveBufferBytes; }
  [[nodiscard]] size_t sendBufferBytes() const override { return socket_.sendBufferBytes; }
  [[nodiscard]] uint64_t overflows() const override { return 0; }
  [[nodiscard]] bool reaches(const Address& to) const override { return socket_.reaches(to); }

 private:
  void transmit(msghdr& message, MutableBytes bytes, SendPatience& patience, IoCounters& counters) {
    iovec vector{bytes.data(), bytes.size()};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    bool refusedBefore = false;
    for (;;) {
      ++counters.sendCalls;
      if (::sendmsg(fd(), &message, kSendFlags) >= 0) {
        ++counters.datagramsSent;
        counters.bytesSent += bytes.size();
        return;
      }
      const int code = errno;
      if (code == EINTR) continue;
      if ((code == ECONNREFUSED || code == ECONNRESET) && !refusedBefore) {
        refusedBefore = true;
        continue;
      }
      const bool full = code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS;
      if (full && patience.waitWritable(fd())) continue;
      ++(full ? counters.sendBufferFull : counters.sendFailed);
      return;
    }
  }

  BoundSocket socket_;
  Arrivals arrivals_;
};

class PortableWaiter final : public Waiter {
 public:
  PortableWaiter(Descriptor reading, Descriptor writing) : reading_(std::move(reading)), writing_(std::move(writing)) {
    watched_.push_back({reading_.get(), POLLIN, 0});
  }

  void watch(const Socket& socket) override { watched_.push_back({socket.fd(), POLLIN, 0}); }

  uint32_t wait(TimeUs timeoutUs) override {
    // Up to a whole millisecond: too late by less than one, but never awake for nothing. A day stands for ever.
    constexpr TimeUs kLongestUs = 86'400 * kSecondUs;
    const TimeUs bounded = std::min(timeoutUs, kLongestUs);
    const int timeoutMs = static_cast<int>((bounded + kMillisecondUs - 1) / kMillisecondUs);
    if (::poll(watched_.data(), static_cast<nfds_t>(watched_.size()), timeoutMs) <= 0) return 0;
    if ((watched_[0].revents & POLLIN) != 0) {
      uint8_t bytes[64];
      while (::read(reading_.get(), bytes, sizeof bytes) == sizeof bytes) {
      }
    }
    uint32_t ready = 0;
    for (size_t i = 1; i < watched_.size(); ++i) {
      if (watched_[i].revents != 0) ready |= 1U << (i - 1);
    }
    return ready;
  }

  void wake() override {
    const uint8_t one = 1;
    // A full pipe wakes as well.
    (void)!::write(writing_.get(), &one, sizeof one);
  }

 private:
  Descriptor reading_;
  Descriptor writing_;
  std::vector<pollfd> watched_;
};

}  // namespace

std::unique_ptr<Socket> makePortableSocket(BoundSocket socket, LocalEnds& ends) {
  return std::make_unique<PortableSocket>(std::move(socket), ends);
}

std::unique_ptr<Waiter> makePortableWaiter() {
  int ends[2];
  if (::pipe(ends) != 0) return nullptr;
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  for (const int fd : ends) {
    if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return nullptr;
  }
  return std::make_unique<PortableWaiter>(std::move(reading), std::move(writing));
}

}  // namespace sluice::io
