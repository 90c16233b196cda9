// A model of a scalable encoder: which frames it makes, what each truly depends on, and how the dependency descriptor
// tells it. Reads no standard's tables: they are what it is checked against.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/wire/dependency_descriptor.h"

namespace sluice::test {

/// L: lower spatial layers are referred to in every picture; KEY: in key pictures alone; S: never.
enum class SvcKind : uint8_t { kL, kKey, kS };

struct SvcMode {
  SvcKind kind = SvcKind::kL;
  uint8_t spatialLayers = 1;
  uint8_t temporalLayers = 1;

  [[nodiscard]] std::string name() const {
    return (kind == SvcKind::kS ? "S" : "L") + std::to_string(spatialLayers) + "T" + std::to_string(temporalLayers) +
           (kind == SvcKind::kKey ? "_KEY" : "");
  }
};

struct SvcFrame {
  int64_t number = 0;   ///< of the frame, over everything
  int64_t picture = 0;  ///< temporal unit
  uint8_t spatial = 0;
  uint8_t temporal = 0;
  bool keyPicture = false;
  bool lastOfPicture = false;
  bool startsSequence = false;      ///< a decoder can start here: the lowest layer of a key picture
  std::vector<int64_t> references;  ///< what it truly depends on, by number
  bool refersBelow = false;         ///< one of them is of its own picture
  wire::FrameDependencies dependencies;
};

class SvcEncoder {
 public:
  explicit SvcEncoder(SvcMode m, int64_t firstNumber = 0, uint8_t templateIdOffset = 0)
      : mode(m), nextNumber_(firstNumber) {
    structure.templateIdOffset = templateIdOffset;
    describe();
  }

  /// The frames of the next picture. `layers`: how many spatial layers are encoded.
  std::vector<SvcFrame> next(bool key, uint8_t layers = 8) {
    layers = std::min(layers, mode.spatialLayers);
    if (!started_) key = true;
    if (key) phase_ = 0;
    started_ = true;
    const uint8_t temporal = temporalId();
    std::vector<SvcFrame> frames;
    for (uint8_t s = 0; s < layers; ++s) frames.push_back(make(s, temporal, key));
    frames.back().lastOfPicture = true;
    ++phase_;
    ++picture_;
    return frames;
  }

  /// The decode target with this layer.
  [[nodiscard]] int target(uint8_t spatial, uint8_t temporal) const {
    return (mode.spatialLayers - 1 - spatial) * mode.temporalLayers + (mode.temporalLayers - 1 - temporal);
  }

  const SvcMode mode;
  wire::DependencyStructure structure;

 private:
  static constexpr int64_t kNone = -1;

  [[nodiscard]] uint8_t temporalId() const {
    if (mode.temporalLayers == 1) return 0;
    if (mode.temporalLayers == 2) return phase_ % 2 == 0 ? 0 : 1;
    constexpr std::array<uint8_t, 4> kPattern = {0, 2, 1, 2};
    return kPattern[static_cast<size_t>(phase_ % 4)];
  }

  SvcFrame make(uint8_t s, uint8_t t, bool key) {
    SvcFrame f;
    f.number = nextNumber_++;
    f.picture = picture_;
    f.spatial = s;
    f.temporal = t;
    f.keyPicture = key;
    f.startsSequence = key && (s == 0 || mode.kind == SvcKind::kS);
    if (!key) {
      // The newest frame of its own spatial layer in a lower temporal layer; the base refers to itself.
      int64_t newest = newest_[s][0];
      for (uint8_t lower = 0; lower < t; ++lower) newest = std::max(newest, newest_[s][lower]);
      f.references.push_back(newest);
    }
    if (s > 0 && (mode.kind == SvcKind::kL || (key && mode.kind == SvcKind::kKey))) {
      f.references.push_back(f.number - 1);
      f.refersBelow = true;
    }
    depend(f, key);
    if (key) newest_[s].fill(kNone);
    newest_[s][t] = f.number;
    return f;
  }

  void depend(SvcFrame& f, bool key) {
    wire::FrameDependencies& d = f.dependencies;
    d.spatialId = f.spatial;
    d.temporalId = f.temporal;
    for (uint8_t s = 0; s < mode.spatialLayers; ++s) {
      for (uint8_t t = 0; t < mode.temporalLayers; ++t) {
        const wire::TargetSet bit = wire::TargetSet{1} << target(s, t);
        bool present = f.spatial <= s && f.temporal <= t;
        if (mode.kind == SvcKind::kKey && !key && f.spatial != s) present = false;
        if (mode.kind == SvcKind::kS && f.spatial != s) present = false;
        if (!present) continue;
        d.targets.present |= bit;
        if (key || (f.spatial == s && (f.temporal < t || t == 0 || f.temporal == 0))) {
          d.targets.switches |= bit;
        } else if (f.spatial == s) {
          d.targets.discardable |= bit;
        }
      }
    }
    std::vector<int64_t> sorted = f.references;
    std::sort(sorted.rbegin(), sorted.rend());
    for (const int64_t r : sorted) d.refer(static_cast<uint16_t>(f.number - r));
    for (uint8_t c = 0; c < mode.spatialLayers; ++c) {
      const bool begins = key && (mode.kind == SvcKind::kS ? c == f.spatial : f.spatial == 0);
      d.chainDiffs[c] = begins || chain_[c] == kNone ? 0 : static_cast<uint8_t>(f.number - chain_[c]);
      if (begins) chain_[c] = f.number;
      const bool inChain = f.temporal == 0 && (mode.kind == SvcKind::kL   ? f.spatial <= c
                                               : mode.kind == SvcKind::kS ? f.spatial == c
                                                                          : f.spatial == c || (key && f.spatial < c));
      if (inChain) chain_[c] = f.number;
    }
  }

  // Makes the templates from the frames that two rounds of the pattern bring, then begins anew.
  void describe() {
    structure.targetCount = static_cast<uint8_t>(mode.spatialLayers * mode.temporalLayers);
    structure.chainCount = mode.spatialLayers;
    structure.spatialLayers = mode.spatialLayers;
    for (uint8_t s = 0; s < mode.spatialLayers; ++s) {
      for (uint8_t t = 0; t < mode.temporalLayers; ++t) {
        structure.protectedBy[static_cast<size_t>(target(s, t))] = s;
      }
    }
    chain_.fill(kNone);
    const int64_t first = nextNumber_;
    std::map<std::pair<uint8_t, uint8_t>, std::vector<wire::DependencyTemplate>> byLayer;
    for (int i = 0; i < 12; ++i) {
      for (const SvcFrame& f : next(i == 0)) {
        wire::DependencyTemplate t{f.spatial, f.temporal, f.dependencies.targets, 0, f.dependencies.chainDiffs};
        for (const uint16_t diff : f.dependencies.referenced()) {
          t.frameDiffs = static_cast<uint16_t>(t.frameDiffs | (1U << (diff - 1)));
        }
        auto& all = byLayer[{f.spatial, f.temporal}];
        if (std::find(all.begin(), all.end(), t) == all.end()) all.push_back(t);
      }
    }
    for (const auto& [layer, all] : byLayer) {
      for (const auto& t : all) structure.templates[structure.templateCount++] = t;
    }
    structure.deriveTargetLayers();
    chain_.fill(kNone);
    nextNumber_ = first;
    picture_ = 0;
    started_ = false;
  }

  int64_t nextNumber_;
  int64_t picture_ = 0;
  int64_t phase_ = 0;
  bool started_ = false;
  std::array<std::array<int64_t, 4>, 8> newest_{};
  std::array<int64_t, 8> chain_{};
};

}  // namespace sluice::test
