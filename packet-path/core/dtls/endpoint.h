// One end of a DTLS 1.2 association (RFC 6347) over memory: handshake, SRTP keys (RFC 5764), application data.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "../spec.h"
#include "../wire/srtp_keys.h"
#include "../wire/types.h"
#include "context.h"

namespace sluice::dtls {

enum class Role : uint8_t { kClient, kServer };

enum class EndReason : uint8_t {
  kClosedHere,           ///< close() was called
  kClosedByPeer,         ///< close_notify
  kHandshakeFailed,      ///< the peer sent an alert, or we had to
  kHandshakeTimeout,     ///< nothing came of it, however often the flight was sent
  kFingerprintMismatch,  ///< the certificate is not the one that signaling announced (RFC 8827 §6.5)
};

/// Why a received record was not used. Counted by the endpoint.
enum class RecordDrop : uint8_t {
  kMalformed,
  kUnauthentic,
  kReplayed,
  kUnexpected,  ///< of an epoch or type that has no meaning now
  kEarlyFull,   ///< application data came before the handshake's end, and its small buffer is full
  kCount,
};

/// Receives what an endpoint gives. During a call the sink may call seal() and close() of the same endpoint.
class EndpointSink {
 public:
  virtual ~EndpointSink() = default;
  /// To be sent to the peer. Valid during the call.
  virtual void dtlsDatagram(Bytes datagram) = 0;
  /// The handshake is over and the peer is who signaling said. No keys: use_srtp was not negotiated (data only).
  virtual void dtlsConnected(const std::optional<wire::SrtpKeyPair>& keys) = 0;
  /// One application datagram (SCTP packet). Valid during the call.
  virtual void dtlsData(Bytes message) = 0;
  /// Told once; nothing follows.
  virtual void dtlsClosed(EndReason reason) = 0;
};

class Endpoint {
 public:
  /// Bytes that a DTLS record adds to application data: header, explicit nonce, tag (RFC 5288 §3).
  static constexpr size_t kOverheadBytes = 13 + 8 + 16;
  /// Largest application datagram. Anything that fits a datagram of ours.
  static constexpr size_t kMaxDataBytes = 1'800;

  /// `context` outlives the endpoint.
  Endpoint(const Context& context, Role role);
  ~Endpoint();
  Endpoint(Endpoint&&) noexcept;
  Endpoint& operator=(Endpoint&&) noexcept;

  /// A client sends its first flight; a server waits and this does nothing. Once there is an address to send to.
  void start(TimeUs nowUs, EndpointSink& sink);
  /// A datagram of class kDtls.
  void receive(Bytes datagram, TimeUs nowUs, EndpointSink& sink);

  /// What signaling announced; may come after the handshake, which then ends here: `connected` and data are withheld
  /// until one of these matches the peer's certificate. An empty list withholds. Later lists must match too.
  void setRemoteFingerprints(std::span<const Fingerprint> fingerprints, EndpointSink& sink);

  /// Seals application data as one record at the front of `out`; returns its size (data + kOverheadBytes),
  /// 0 when not connected, too long, or `out` is too small.
  [[nodiscard]] size_t seal(Bytes data, MutableBytes out);

  /// Sends close_notify, if there is anyone to tell.
  void close(EndpointSink& sink);

  /// Of the next retransmission; kNever when there is none.
  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs, EndpointSink& sink);

  [[nodiscard]] Role role() const;
  [[nodiscard]] bool connected() const;
  [[nodiscard]] bool closed() const;
  [[nodiscard]] uint64_t dropped(RecordDrop reason) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
