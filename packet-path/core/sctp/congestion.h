// How much may be in flight (RFC 9260 §7.2).
#pragma once

#include <cstddef>

#include "tsn.h"

namespace sluice::sctp {

class Congestion {
 public:
  /// `mtuBytes` is what chunks may take of one packet (PMDCS).
  explicit Congestion(size_t mtuBytes);

  /// The association stands: the peer's window bounds the slow start (§7.2.1).
  void begin(size_t peerWindowBytes);

  [[nodiscard]] size_t windowBytes() const { return window_; }
  [[nodiscard]] bool inFastRecovery() const { return recovering_; }

  /// The cumulative TSN advanced to `cumulative`, `bytes` were newly acknowledged, and before that `flightBytes` were
  /// in flight.
  void onAdvanced(Tsn cumulative, size_t bytes, size_t flightBytes);
  /// Chunks were found missing while `highest` was the last TSN sent (§7.2.4). False when that loss is part of a
  /// recovery that goes on.
  bool onLoss(Tsn highest);
  /// T3-rtx ran out (§7.2.3).
  void onTimeout();
  /// Nothing was in flight for `timeouts` retransmission timeouts (§7.2.1).
  void onIdle(size_t timeouts);

 private:
  [[nodiscard]] size_t halved() const;

  size_t mtu_;
  size_t window_;
  size_t slowStartUpTo_ = 0;
  size_t partialBytes_ = 0;  ///< acknowledged since the window last grew, in congestion avoidance
  bool recovering_ = false;
  Tsn recoverUpTo_ = 0;
};

}  // namespace sluice::sctp
