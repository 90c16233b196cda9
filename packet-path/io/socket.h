// UDP sockets and the way to wait for them: the port between a shard's thread and the operating system.
// Two backends stand behind it: Linux's own (recvmmsg, UDP GRO and GSO) and a portable one (POSIX). Both are compiled
// and tested on Linux; SLUICE_PORTABLE_IO or another system makes the portable one the default.
#pragma once

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "../core/shard.h"
#include "counters.h"
#include "local_ends.h"

namespace sluice::io {

enum class Backend : uint8_t { kLinux, kPortable };

#if defined(__linux__) && !defined(SLUICE_PORTABLE_IO)
inline constexpr Backend kDefaultBackend = Backend::kLinux;
#else
inline constexpr Backend kDefaultBackend = Backend::kPortable;
#endif

/// How shards come to one port (SO_REUSEPORT). The founder binds as if alone, so that a port which another process
/// shares is refused, not silently joined; the others follow.
enum class PortSharing : uint8_t { kAlone, kFounder, kFollower };

struct SocketOptions {
  Address bind;            ///< port 0: the kernel chooses
  uint8_t index = 0;       ///< which socket of its shard this is
  bool dualStack = false;  ///< `::` takes IPv4 too
  PortSharing sharing = PortSharing::kAlone;
  size_t receiveBufferBytes = 0;
  size_t sendBufferBytes = 0;
};

/// Why a socket could not be had, as far as the one who configured it can do something about it.
enum class OpenFailure : uint8_t {
  kAddressInUse,
  kPermissionDenied,
  kAddressNotAvailable,  ///< not an address of this machine, or a family that it does not speak
  kOutOfResources,
  kUnknown,
};

struct SocketError {
  OpenFailure failure = OpenFailure::kUnknown;
  Address address;
  int code = 0;  ///< errno
};

/// Where received datagrams lie until the next receive; one per shard, shared by its sockets.
class ReceiveBuffer {
 public:
  ReceiveBuffer();
  /// With GRO one slot holds up to 64 KiB of datagrams of equal size.
  static constexpr size_t kSlots = 32;
  static constexpr size_t kSlotBytes = 65'536;
  /// Slots begin on different cache sets: at a stride of 64 KiB all headers would share one.
  static constexpr size_t kStride = kSlotBytes + 192;

  [[nodiscard]] MutableBytes slot(size_t index) { return {bytes_.get() + index * kStride, kSlotBytes}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
};

/// How long a shard may still wait in this round for full send buffers, all sockets together.
class SendPatience {
 public:
  /// A shard that waits serves nobody: 2 ms is a tenth of an audio frame.
  static constexpr TimeUs kPerRoundUs = 2 * kMillisecondUs;

  void renew() { leftUs_ = kPerRoundUs; }
  /// Waits until `fd` takes more; false when patience is at its end.
  [[nodiscard]] bool waitWritable(int fd);

 private:
  TimeUs leftUs_ = kPerRoundUs;
};

class Socket {
 public:
  virtual ~Socket() = default;

  /// Appends what has arrived; false when no more waits. Bytes lie in `buffer`.
  virtual bool receive(ReceiveBuffer& buffer, std::vector<ReceivedDatagram>& out, IoCounters& counters) = 0;

  /// Sends `burst` to `to` as datagrams of `segmentBytes`, the last one possibly shorter. `source` is null, or says
  /// from which local address.
  virtual void send(const Address& to, const LocalEnd* source, MutableBytes burst, size_t segmentBytes,
                    SendPatience& patience, IoCounters& counters) = 0;

  [[nodiscard]] virtual int fd() const = 0;
  [[nodiscard]] virtual const Address& boundTo() const = 0;
  /// What the kernel granted, as it counts them.
  [[nodiscard]] virtual size_t receiveBufferBytes() const = 0;
  [[nodiscard]] virtual size_t sendBufferBytes() const = 0;
  /// Datagrams that the kernel dropped for want of buffer so far; 0 where it does not say.
  [[nodiscard]] virtual uint64_t overflows() const = 0;
  [[nodiscard]] virtual bool reaches(const Address& to) const = 0;
};

/// Lets one thread sleep until a socket has something, a moment has come or another thread wakes it.
class Waiter {
 public:
  virtual ~Waiter() = default;
  /// Before the first wait; at most kMaxSockets.
  virtual void watch(const Socket& socket) = 0;
  /// Returns a bit set of the sockets that have something, by order of `watch`. `timeoutUs` 0 does not sleep, kNever
  /// sleeps without limit.
  virtual uint32_t wait(TimeUs timeoutUs) = 0;
  /// From any thread: makes the current wait, or else the next one, return.
  virtual void wake() = 0;

  static constexpr size_t kMaxSockets = 32;
};

[[nodiscard]] std::variant<std::unique_ptr<Socket>, SocketError> openSocket(Backend backend,
                                                                            const SocketOptions& options,
                                                                            LocalEnds& ends);
/// Null when the process has no descriptors left.
[[nodiscard]] std::unique_ptr<Waiter> makeWaiter(Backend backend);

}  // namespace sluice::io
