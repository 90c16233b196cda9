#include "linux_backend.h"

#ifdef __linux__

#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::io {

namespace {

// linux/udp.h; older C libraries lack them, the kernel decides at run time.
constexpr int kUdpSegment = 103;
constexpr int kUdpGro = 104;

class LinuxSocket final : public Socket {
 public:
  LinuxSocket(BoundSocket socket, LocalEnds& ends) : socket_(std::move(socket)), arrivals_(socket_, ends) {
    const int on = 1;
    // Without GRO (before Linux 5.0) datagrams simply come one by one.
    (void)::setsockopt(fd(), IPPROTO_UDP, kUdpGro, &on, sizeof on);
    // Reading the option tells whether the kernel knows GSO (4.18), and changes nothing.
    int segment = 0;
    socklen_t length = sizeof segment;
    gso_ = ::getsockopt(fd(), IPPROTO_UDP, kUdpSegment, &segment, &length) == 0;
    for (size_t i = 0; i < ReceiveBuffer::kSlots; ++i) prepare(i);
  }

  bool receive(ReceiveBuffer& buffer, std::vector<ReceivedDatagram>& out, IoCounters& counters) override {
    for (size_t i = 0; i < ReceiveBuffer::kSlots; ++i) {
      vectors_[i] = {buffer.slot(i).data(), ReceiveBuffer::kSlotBytes};
    }
    const int got = ::recvmmsg(fd(), headers_, ReceiveBuffer::kSlots, MSG_DONTWAIT, nullptr);
    ++counters.receiveCalls;
    // EAGAIN: nothing there. Anything else is an ICMP error of some earlier send, which ends with being read.
    if (got <= 0) return got < 0 && errno == EINTR;
    for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
      take(i, out, counters);
      prepare(i);
    }
    return static_cast<size_t>(got) == ReceiveBuffer::kSlots;
  }

  void send(const Address& to, const LocalEnd* source, MutableBytes burst, size_t segmentBytes, SendPatience& patience,
            IoCounters& counters) override {
    sockaddr_storage name{};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = toSockaddr(to, socket_.family, name);
    alignas(cmsghdr) uint8_t control[kControlBytes] = {};
    message.msg_control = control;
    if (source != nullptr) appendSource(message, socket_.family, *source);
    if (burst.size() > segmentBytes && gso_ && sendSegmented(message, burst, segmentBytes, patience, counters)) return;
    for (size_t at = 0; at < burst.size(); at += segmentBytes) {
      const MutableBytes one = burst.subspan(at, std::min(segmentBytes, burst.size() - at));
      count(transmit(message, one, patience, counters), 1, one.size(), counters);
    }
  }

  [[nodiscard]] int fd() const override { return socket_.descriptor.get(); }
  [[nodiscard]] const Address& boundTo() const override { return socket_.address; }
  [[nodiscard]] size_t receiveBufferBytes() const override { return socket_.receiveBufferBytes; }
  [[nodiscard]] size_t sendBufferBytes() const override { return socket_.sendBufferBytes; }
  [[nodiscard]] bool reaches(const Address& to) const override { return socket_.reaches(to); }

  [[nodiscard]] uint64_t overflows() const override {
    uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t length = sizeof memory;
    if (::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) return 0;
    return memory[SK_MEMINFO_DROPS];
  }

 private:
  void prepare(size_t i) {
    headers_[i] = {};
    headers_[i].msg_hdr.msg_name = &names_[i];
    headers_[i].msg_hdr.msg_namelen = sizeof names_[i];
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_control = controls_[i];
    headers_[i].msg_hdr.msg_controllen = sizeof controls_[i];
  }

  void take(size_t i, std::vector<ReceivedDatagram>& out, IoCounters& counters) {
    const msghdr& message = headers_[i].msg_hdr;
    const size_t bytes = headers_[i].msg_len;
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      ++counters.receivedTruncated;
      return;
    }
    Address from = fromSockaddr(names_[i]);
    from.via = arrivals_.via(message);
    const size_t segment = std::max<size_t>(1, segmentSize(message, bytes));
    auto* data = static_cast<uint8_t*>(vectors_[i].iov_base);
    for (size_t at = 0; at < bytes; at += segment) {
      out.push_back({from, {data + at, std::min(segment, bytes - at)}});
      ++counters.datagramsReceived;
    }
    counters.bytesReceived += bytes;
  }

  /// A run of datagrams that GRO joined says the size of each but the last; a single one says nothing.
  static size_t segmentSize(const msghdr& message, size_t whole) {
    for (const cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr;
         c = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(c))) {
      if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != kUdpGro) continue;
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      return size > 0 ? static_cast<size_t>(size) : whole;
    }
    return whole;
  }

  /// False when the kernel refuses the burst as such: the caller sends it datagram by datagram.
  bool sendSegmented(msghdr message, MutableBytes burst, size_t segmentBytes, SendPatience& patience,
                     IoCounters& counters) {
    auto* header = reinterpret_cast<cmsghdr*>(static_cast<uint8_t*>(message.msg_control) + message.msg_controllen);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = kUdpSegment;
    header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const auto segment = static_cast<uint16_t>(segmentBytes);
    std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
    message.msg_controllen += CMSG_SPACE(sizeof segment);

    const int code = transmit(message, burst, patience, counters);
    if (code == EIO || code == EINVAL || code == EMSGSIZE) {
      // EIO: the device cannot checksum segments, and will not learn it. The others speak of this burst alone: its
      // path takes smaller datagrams than these, which IP then fragments one by one.
      if (code == EIO) gso_ = false;
      ++counters.burstsSplit;
      return false;
    }
    count(code, (burst.size() + segmentBytes - 1) / segmentBytes, burst.size(), counters);
    return true;
  }

  /// One sendmsg, as often as it takes; 0 or errno.
  int transmit(msghdr& message, MutableBytes bytes, SendPatience& patience, IoCounters& counters) {
    iovec vector{bytes.data(), bytes.size()};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (message.msg_controllen == 0) message.msg_control = nullptr;
    bool refusedBefore = false;
    for (;;) {
      ++counters.sendCalls;
      if (::sendmsg(fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
      const int code = errno;
      if (code == EINTR) continue;
      // An ICMP error of an earlier send is told once, in place of this one.
      if (code == ECONNREFUSED && !refusedBefore) {
        refusedBefore = true;
        continue;
      }
      if (code == EAGAIN && patience.waitWritable(fd())) continue;
      return code;
    }
  }

  static void count(int code, size_t datagrams, size_t bytes, IoCounters& counters) {
    if (code == 0) {
      counters.datagramsSent += datagrams;
      counters.bytesSent += bytes;
    } else if (code == EAGAIN || code == ENOBUFS) {
      counters.sendBufferFull += datagrams;
    } else {
      counters.sendFailed += datagrams;
    }
  }

  BoundSocket socket_;
  Arrivals arrivals_;
  bool gso_ = false;
  mmsghdr headers_[ReceiveBuffer::kSlots];
  iovec vectors_[ReceiveBuffer::kSlots];
  sockaddr_storage names_[ReceiveBuffer::kSlots];
  alignas(cmsghdr) uint8_t controls_[ReceiveBuffer::kSlots][kControlBytes];
};

/// ppoll, for its nanoseconds: a pacer's deadlines are closer than a millisecond. A shard has a handful of sockets, for
/// which an epoll set would cost as much and say no more.
class LinuxWaiter final : public Waiter {
 public:
  explicit LinuxWaiter(Descriptor wakeUp) : wakeUp_(std::move(wakeUp)) {
    watched_.push_back({wakeUp_.get(), POLLIN, 0});
  }

  void watch(const Socket& socket) override { watched_.push_back({socket.fd(), POLLIN, 0}); }

  uint32_t wait(TimeUs timeoutUs) override {
    timespec timeout{timeoutUs / kSecondUs, (timeoutUs % kSecondUs) * 1'000};
    if (::ppoll(watched_.data(), watched_.size(), timeoutUs == kNever ? nullptr : &timeout, nullptr) <= 0) return 0;
    if ((watched_[0].revents & POLLIN) != 0) {
      uint64_t count = 0;
      (void)!::read(wakeUp_.get(), &count, sizeof count);
    }
    uint32_t ready = 0;
    for (size_t i = 1; i < watched_.size(); ++i) {
      if (watched_[i].revents != 0) ready |= 1U << (i - 1);
    }
    return ready;
  }

  void wake() override {
    const uint64_t one = 1;
    // Full only when 2^64 - 2 wake-ups wait, in which case it is awake.
    (void)!::write(wakeUp_.get(), &one, sizeof one);
  }

 private:
  Descriptor wakeUp_;
  std::vector<pollfd> watched_;
};

}  // namespace

std::unique_ptr<Socket> makeLinuxSocket(BoundSocket socket, LocalEnds& ends) {
  return std::make_unique<LinuxSocket>(std::move(socket), ends);
}

std::unique_ptr<Waiter> makeLinuxWaiter() {
  Descriptor wakeUp(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wakeUp.isOpen()) return nullptr;
  return std::make_unique<LinuxWaiter>(std::move(wakeUp));
}

}  // namespace sluice::io

#endif  // __linux__
