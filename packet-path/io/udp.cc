// RFC 3542's packet information must be asked for on Apple's systems.
#define __APPLE_USE_RFC_3542  // NOLINT: the system's name

#include "udp.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "clock.h"

namespace sluice::io {

namespace {

void setFlag(int fd, int level, int option, bool on) {
  const int value = on ? 1 : 0;
  // Every caller's option is an improvement; a kernel without it still carries datagrams.
  (void)::setsockopt(fd, level, option, &value, sizeof value);
}

OpenFailure failureOf(int code) {
  switch (code) {
    case EADDRINUSE:
      return OpenFailure::kAddressInUse;
    case EACCES:
    case EPERM:
      return OpenFailure::kPermissionDenied;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EINVAL:  // a link-local address without its interface
      return OpenFailure::kAddressNotAvailable;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return OpenFailure::kOutOfResources;
    default:
      return OpenFailure::kUnknown;
  }
}

/// Asks for `bytes`, past the system's limit where we may; returns what was granted. Linux counts its own overhead in
/// and says the double (socket(7)).
size_t sizeBuffer(int fd, int option, [[maybe_unused]] int forceOption, size_t bytes) {
  const int wish = static_cast<int>(bytes);
  if (wish > 0) {
#ifdef __linux__
    if (::setsockopt(fd, SOL_SOCKET, forceOption, &wish, sizeof wish) != 0)
#endif
      (void)::setsockopt(fd, SOL_SOCKET, option, &wish, sizeof wish);
  }
  int granted = 0;
  socklen_t length = sizeof granted;
  (void)::getsockopt(fd, SOL_SOCKET, option, &granted, &length);
#ifdef __linux__
  granted /= 2;
#endif
  return static_cast<size_t>(granted);
}

void askForLocalAddresses(int fd, int family) {
  if (family == AF_INET6) {
    setFlag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, true);
#ifdef IP_PKTINFO
  } else {
    setFlag(fd, IPPROTO_IP, IP_PKTINFO, true);
#endif
  }
}

bool isLinkLocal(const Address& ip) {
  return ip.family == 6 && ip.ip[0] == 0xFE && (ip.ip[1] & 0xC0) == 0x80;
}

bool bindShared(int fd, const SocketOptions& options, const sockaddr_storage& name, socklen_t length) {
#ifdef __linux__
  // A founder becomes shareable only once it is bound.
  constexpr bool kFoundersBindAlone = true;
#else
  constexpr bool kFoundersBindAlone = false;
#endif
  const bool shared = options.sharing != PortSharing::kAlone;
  const bool afterwards = options.sharing == PortSharing::kFounder && kFoundersBindAlone;
  if (shared && !afterwards) setFlag(fd, SOL_SOCKET, SO_REUSEPORT, true);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), length) != 0) return false;
  if (shared && afterwards) setFlag(fd, SOL_SOCKET, SO_REUSEPORT, true);
  return true;
}

void appendControl(msghdr& message, int level, int type, const void* data, size_t bytes) {
  auto* header = reinterpret_cast<cmsghdr*>(static_cast<uint8_t*>(message.msg_control) + message.msg_controllen);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(header), data, bytes);
  message.msg_controllen += CMSG_SPACE(bytes);
}

}  // namespace

std::variant<BoundSocket, SocketError> openBoundSocket(const SocketOptions& options) {
  const auto failed = [&] { return SocketError{failureOf(errno), options.bind, errno}; };
  const int family = options.bind.family == 6 ? AF_INET6 : AF_INET;
  Descriptor descriptor(::socket(family, SOCK_DGRAM, 0));
  const int fd = descriptor.get();
  if (!descriptor.isOpen()) return failed();
  if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return failed();
  if (family == AF_INET6) setFlag(fd, IPPROTO_IPV6, IPV6_V6ONLY, !options.dualStack);

  sockaddr_storage name{};
  socklen_t length = toSockaddr(options.bind, family, name);
  if (!bindShared(fd, options, name, length)) return failed();
  length = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) return failed();

  BoundSocket bound;
  bound.family = family;
  bound.address = fromSockaddr(name);
  bound.index = options.index;
  bound.dualStack = options.dualStack;
  bound.wildcard = isWildcard(options.bind);
  if (bound.wildcard) askForLocalAddresses(fd, family);
#ifdef __linux__
  constexpr int kForceReceive = SO_RCVBUFFORCE;
  constexpr int kForceSend = SO_SNDBUFFORCE;
#else
  constexpr int kForceReceive = 0;
  constexpr int kForceSend = 0;
#endif
  bound.receiveBufferBytes = sizeBuffer(fd, SO_RCVBUF, kForceReceive, options.receiveBufferBytes);
  bound.sendBufferBytes = sizeBuffer(fd, SO_SNDBUF, kForceSend, options.sendBufferBytes);
  bound.descriptor = std::move(descriptor);
  return bound;
}

Arrivals::Arrivals(const BoundSocket& socket, LocalEnds& ends)
    : ends_(ends), index_(socket.index), wildcard_(socket.wildcard) {
  if (!wildcard_) fixed_ = ends.number({.socket = index_, .ip = {}, .interface = 0});
}

uint8_t Arrivals::via(const msghdr& message) {
  if (!wildcard_) return fixed_;
  LocalEnd end{.socket = index_, .ip = {}, .interface = 0};
  for (const cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(c))) {
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      end.ip = fromIn6(info.ipi6_addr, 0);
      if (isLinkLocal(end.ip)) end.interface = static_cast<uint32_t>(info.ipi6_ifindex);
    }
#ifdef IP_PKTINFO
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      end.ip.family = 4;
      std::memcpy(end.ip.ip, &info.ipi_spec_dst, 4);
    }
#endif
  }
  if (!end.ip.isSet()) return LocalEnds::kAny;
  if (lastVia_ == LocalEnds::kAny || !(end == lastEnd_)) {
    lastEnd_ = end;
    lastVia_ = ends_.number(end);
  }
  return lastVia_;
}

void appendSource(msghdr& message, int family, const LocalEnd& source) {
  if (!source.ip.isSet()) return;
  if (family == AF_INET6) {
    // On a dual-stack socket Linux takes a mapped address for IPv4 destinations.
    in6_pktinfo info{};
    info.ipi6_addr = toIn6(source.ip);
    info.ipi6_ifindex = source.interface;
    appendControl(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
#ifdef IP_PKTINFO
  } else {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, source.ip.ip, 4);
    appendControl(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
#endif
  }
}

bool BoundSocket::reaches(const Address& to) const {
  return family == AF_INET ? to.family == 4 : to.family == 6 || (to.family == 4 && dualStack);
}

ReceiveBuffer::ReceiveBuffer() : bytes_(new uint8_t[kSlots * kStride]) {}

bool SendPatience::waitWritable(int fd) {
  if (leftUs_ <= 0) return false;
  pollfd writable{fd, POLLOUT, 0};
  const TimeUs from = monotonicUs();
  const int timeoutMs = static_cast<int>((leftUs_ + kMillisecondUs - 1) / kMillisecondUs);
  const int ready = ::poll(&writable, 1, timeoutMs);
  leftUs_ -= monotonicUs() - from;
  return ready > 0;
}

}  // namespace sluice::io
