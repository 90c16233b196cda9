// Which TSNs have arrived: all up to a cumulative one, and ranges beyond it (RFC 9260 §6.2).
#pragma once

#include <cstdint>
#include <vector>

#include "tsn.h"

namespace sluice::sctp {

class ReceivedTsns {
 public:
  struct Range {
    Tsn first = 0;
    Tsn last = 0;
  };

  enum class Arrival : uint8_t {
    kNext,       ///< extends the cumulative TSN
    kBeyond,     ///< leaves a gap before it, or fills part of one
    kDuplicate,  ///< was here before
    kTooFar,     ///< no SACK could report it, or one range too many
  };

  explicit ReceivedTsns(Tsn cumulative) : cumulative_(cumulative) {}

  [[nodiscard]] Tsn cumulative() const { return cumulative_; }
  /// Sorted, none touching another.
  [[nodiscard]] const std::vector<Range>& beyond() const { return beyond_; }

  [[nodiscard]] Arrival classify(Tsn tsn) const;
  /// `tsn` was classified as kNext or kBeyond.
  void add(Tsn tsn);
  /// Everything up to `cumulative` counts as arrived (RFC 3758 §3.6).
  void forwardTo(Tsn cumulative);

 private:
  void absorb();

  Tsn cumulative_;
  std::vector<Range> beyond_;
};

}  // namespace sluice::sctp
