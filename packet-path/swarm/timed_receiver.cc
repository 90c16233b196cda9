#include "timed_receiver.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>

#include "../io/address.h"
#include "../io/clock.h"

#ifdef __linux__
#include <netinet/udp.h>
#endif

namespace sluice::swarm {

#ifdef __linux__

namespace {

constexpr size_t kBatch = 16;
constexpr int kUdpGro = 104;  // linux/udp.h; older C libraries lack it

}  // namespace

struct TimedReceiver::System {
  std::array<mmsghdr, kBatch> headers{};
  std::array<iovec, kBatch> vectors{};
  std::array<sockaddr_storage, kBatch> names{};
  struct alignas(cmsghdr) Control {
    std::array<uint8_t, 128> bytes;
  };
  std::array<Control, kBatch> controls{};
};

void TimedReceiver::prepare(const io::Socket& socket) {
  const int on = 1;
  // Without it the moment of reading is taken.
  (void)::setsockopt(socket.fd(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

std::span<const TimedReceiver::Datagram> TimedReceiver::receive(io::Socket& socket, io::IoCounters& counters) {
  System& s = *system_;
  for (size_t i = 0; i < kBatch; ++i) {
    s.vectors[i] = {buffer_.slot(i).data(), io::ReceiveBuffer::kSlotBytes};
    s.headers[i] = {};
    s.headers[i].msg_hdr = {
        &s.names[i], sizeof s.names[i], &s.vectors[i], 1, s.controls[i].bytes.data(), s.controls[i].bytes.size(), 0};
  }
  received_.clear();
  ++counters.receiveCalls;
  const int got = ::recvmmsg(socket.fd(), s.headers.data(), kBatch, MSG_DONTWAIT, nullptr);
  const TimeUs nowUs = io::monotonicUs();
  // Timestamps are on the wall clock.
  const TimeUs offsetUs = nowUs - io::readClockUs(CLOCK_REALTIME);
  for (int i = 0; i < got; ++i) {
    const mmsghdr& header = s.headers[static_cast<size_t>(i)];
    const size_t whole = header.msg_len;
    size_t segment = std::max<size_t>(whole, 1);
    TimeUs atUs = nowUs;
    for (const cmsghdr* c = CMSG_FIRSTHDR(&header.msg_hdr); c != nullptr;
         c = CMSG_NXTHDR(const_cast<msghdr*>(&header.msg_hdr), const_cast<cmsghdr*>(c))) {
      if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == kUdpGro) {
        int size = 0;
        std::memcpy(&size, CMSG_DATA(c), sizeof size);
        if (size > 0) segment = static_cast<size_t>(size);
      } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        timespec t{};
        std::memcpy(&t, CMSG_DATA(c), sizeof t);
        atUs = std::min(nowUs, TimeUs{t.tv_sec} * kSecondUs + t.tv_nsec / 1'000 + offsetUs);
      }
    }
    const Address from = io::fromSockaddr(s.names[static_cast<size_t>(i)]);
    const auto* data = static_cast<const uint8_t*>(s.vectors[static_cast<size_t>(i)].iov_base);
    for (size_t at = 0; at < whole; at += segment) {
      received_.push_back({{data + at, std::min(segment, whole - at)}, from, atUs});
      ++counters.datagramsReceived;
    }
    counters.bytesReceived += whole;
  }
  return received_;
}

#else

struct TimedReceiver::System {
  std::vector<ReceivedDatagram> batch;
};

void TimedReceiver::prepare(const io::Socket&) {}

std::span<const TimedReceiver::Datagram> TimedReceiver::receive(io::Socket& socket, io::IoCounters& counters) {
  system_->batch.clear();
  received_.clear();
  (void)socket.receive(buffer_, system_->batch, counters);
  const TimeUs nowUs = io::monotonicUs();
  for (const ReceivedDatagram& d : system_->batch) {
    Address from = d.from;
    from.via = 0;
    received_.push_back({d.bytes, from, nowUs});
  }
  return received_;
}

#endif

TimedReceiver::TimedReceiver() : system_(std::make_unique<System>()) {}
TimedReceiver::~TimedReceiver() = default;

}  // namespace sluice::swarm
