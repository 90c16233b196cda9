#include "allocator.h"

#include <cmath>

namespace sluice::congestion {

namespace {

// Room to spare for a layer above the current one.
constexpr double kRaiseMargin = 1.1;
// A picture that is there is worth more than one that would come in its place: equal ones do not take turns.
constexpr double kThere = 1.5;

Bps cost(const Demand& d, int layer) {
  return layer < 0 ? 0 : d.layers[static_cast<size_t>(layer)];
}

/// What a layer is worth: quality grows with the logarithm of its bits.
double worth(const Demand& d, int layer) {
  return layer < 0 ? 0 : d.weight * std::log2(1.0 + static_cast<double>(cost(d, layer)) / 50'000.0);
}

bool affordable(const Demand& d, int layer, Bps spent, Bps budget) {
  const auto total = static_cast<double>(spent - cost(d, layer - 1) + cost(d, layer));
  const double margin = layer > d.current ? kRaiseMargin : 1.0;
  // The margin is asked of the step alone: what already flows has shown that it fits.
  const double step = static_cast<double>(cost(d, layer) - cost(d, layer - 1));
  return total + (margin - 1) * step <= static_cast<double>(budget);
}

/// One more layer for whom it is worth most per bit. False when nothing more fits.
bool raiseOne(std::span<const Demand> demands, Bps budget, std::span<int> chosen, Bps& spent, bool onlyFirst) {
  size_t best = demands.size();
  double bestValue = 0;
  for (size_t i = 0; i < demands.size(); ++i) {
    const Demand& d = demands[i];
    const int next = chosen[i] + 1;
    if (d.audio || next >= static_cast<int>(d.layers.size()) || (onlyFirst && next > 0)) continue;
    if (!affordable(d, next, spent, budget)) continue;
    double value = (worth(d, next) - worth(d, next - 1)) / static_cast<double>(cost(d, next) - cost(d, next - 1) + 1);
    if (onlyFirst && d.current >= 0) value *= kThere;
    if (best == demands.size() || value > bestValue) {
      best = i;
      bestValue = value;
    }
  }
  if (best == demands.size()) return false;
  const Demand& d = demands[best];
  spent += cost(d, chosen[best] + 1) - cost(d, chosen[best]);
  ++chosen[best];
  return true;
}

}  // namespace

Bps allocate(std::span<const Demand> demands, Bps budget, std::span<int> chosen) {
  Bps spent = 0;
  for (size_t i = 0; i < demands.size(); ++i) {
    const Demand& d = demands[i];
    const bool atAnyBudget = (d.audio || !d.mayPause) && !d.layers.empty();
    chosen[i] = atAnyBudget ? 0 : -1;
    spent += cost(d, chosen[i]);
  }
  while (raiseOne(demands, budget, chosen, spent, true)) {
  }
  while (raiseOne(demands, budget, chosen, spent, false)) {
  }
  return spent;
}

Bps wanted(std::span<const Demand> demands) {
  Bps sum = 0;
  for (const Demand& d : demands) {
    if (!d.layers.empty()) sum += d.layers.back();
  }
  return sum;
}

}  // namespace sluice::congestion
