// Who gets what of a session's budget: audio first, then the least of every picture, then better pictures where they
// are worth most per bit.
#pragma once

#include <span>

#include "types.h"

namespace sluice::congestion {

/// One outgoing track, with what it would cost in each layer that the client wants and the publisher sends.
struct Demand {
  std::span<const Bps> layers;  ///< measured bitrates, ascending; empty: nothing is sent now
  double weight = 1;            ///< what its picture is worth: priority and shown area
  int current = -1;             ///< layer that flows now; -1: none
  bool audio = false;
  bool mayPause = true;  ///< false: the client cannot be told of a pause, it gets the least layer at any budget
};

/// Writes the chosen layer of each demand, -1 for a pause. Raising above `current` takes some room to spare, so that a
/// budget that trembles around a layer's cost does not make the picture tremble. Returns what the choice costs.
Bps allocate(std::span<const Demand> demands, Bps budget, std::span<int> chosen);

/// What all demands would cost in their best layers: the most that this session could use.
[[nodiscard]] Bps wanted(std::span<const Demand> demands);

}  // namespace sluice::congestion
