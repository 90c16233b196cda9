// The pieces of a dependency descriptor that its reader and its writer share.
#pragma once

#include "bits.h"
#include "dependency_descriptor.h"

namespace sluice::wire::descriptor {

// Decode target indications (A.8.3, table A.1).
inline constexpr uint32_t kNotPresent = 0;
inline constexpr uint32_t kDiscardable = 1;
inline constexpr uint32_t kSwitch = 2;
inline constexpr uint32_t kRequired = 3;

// next_layer_idc (A.8.3, table A.2).
inline constexpr uint32_t kSameLayer = 0;
inline constexpr uint32_t kNextTemporal = 1;
inline constexpr uint32_t kNextSpatial = 2;
inline constexpr uint32_t kNoMoreTemplates = 3;

/// A.8.2, extended_descriptor_fields
struct Flags {
  bool structure = false;
  bool activeTargets = false;
  bool customTargets = false;
  bool customDiffs = false;
  bool customChains = false;

  [[nodiscard]] bool any() const { return structure || activeTargets || customTargets || customDiffs || customChains; }
};

inline void writeFlags(BitWriter& out, const Flags& f) {
  out.flag(f.structure);
  out.flag(f.activeTargets);
  out.flag(f.customTargets);
  out.flag(f.customDiffs);
  out.flag(f.customChains);
}

inline void writeFront(BitWriter& out, const DescriptorFront& f) {
  out.flag(f.startsFrame);
  out.flag(f.endsFrame);
  out.write(f.templateId, 6);
  out.write(f.frameNumber, 16);
}

}  // namespace sluice::wire::descriptor
