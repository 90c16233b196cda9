#include <algorithm>
#include <bit>

#include "dependency_descriptor_bits.h"

namespace sluice::wire {

using namespace descriptor;

namespace {

void writeIndications(BitWriter& out, const TargetIndications& t, uint32_t targets) {
  for (uint32_t i = 0; i < targets; ++i) {
    const TargetSet bit = TargetSet{1} << i;
    uint32_t indication = kRequired;
    if ((t.present & bit) == 0)
      indication = kNotPresent;
    else if ((t.switches & bit) != 0)
      indication = kSwitch;
    else if ((t.discardable & bit) != 0)
      indication = kDiscardable;
    out.write(indication, 2);
  }
}

// From the layer of one template to the next one's (A.8.3, table A.2).
uint32_t nextLayer(const DependencyTemplate& from, const DependencyTemplate& to) {
  if (to.spatialId != from.spatialId) return kNextSpatial;
  return to.temporalId != from.temporalId ? kNextTemporal : kSameLayer;
}

void writeStructure(BitWriter& out, const DependencyStructure& s) {
  const auto templates = std::span(s.templates).first(s.templateCount);
  out.write(s.templateIdOffset, 6);
  out.write(s.targetCount - 1U, 5);
  for (size_t i = 1; i < templates.size(); ++i) out.write(nextLayer(templates[i - 1], templates[i]), 2);
  out.write(kNoMoreTemplates, 2);
  for (const DependencyTemplate& t : templates) writeIndications(out, t.targets, s.targetCount);
  for (const DependencyTemplate& t : templates) {
    for (uint32_t diffs = t.frameDiffs; diffs != 0; diffs &= diffs - 1) {
      out.flag(true);
      out.write(static_cast<uint32_t>(std::countr_zero(diffs)), 4);
    }
    out.flag(false);
  }
  out.nonSymmetric(s.targetCount + 1U, s.chainCount);
  if (s.chainCount > 0) {
    for (size_t i = 0; i < s.targetCount; ++i) out.nonSymmetric(s.chainCount, s.protectedBy[i]);
    for (const DependencyTemplate& t : templates) {
      for (size_t i = 0; i < s.chainCount; ++i) out.write(t.chainDiffs[i], 4);
    }
  }
  out.flag(s.hasResolutions);
  for (size_t i = 0; s.hasResolutions && i < s.spatialLayers; ++i) {
    out.write(s.resolutions[i].width - 1U, 16);
    out.write(s.resolutions[i].height - 1U, 16);
  }
}

// The references as a template tells them; empty when it cannot.
std::optional<uint16_t> templateDiffs(const FrameDependencies& frame) {
  uint32_t diffs = 0;
  for (const uint16_t diff : frame.referenced()) {
    if (diff == 0 || diff > 16) return {};
    diffs |= 1U << (diff - 1);
  }
  return static_cast<uint16_t>(diffs);
}

struct Choice {
  uint8_t templateId = 0;
  Flags flags;
  size_t bits = SIZE_MAX;  // that must be told besides
};

size_t customDiffBits(const FrameDependencies& frame) {
  size_t bits = 2;
  for (const uint16_t diff : frame.referenced()) bits += diff <= 16 ? 6 : diff <= 256 ? 10 : 14;
  return bits;
}

Choice choose(const DependencyStructure& s, const FrameDependencies& frame) {
  Choice best;
  const auto diffs = templateDiffs(frame);
  for (size_t i = 0; i < s.templateCount; ++i) {
    const DependencyTemplate& t = s.templates[i];
    if (t.spatialId != frame.spatialId || t.temporalId != frame.temporalId) continue;
    Choice c;
    c.templateId = static_cast<uint8_t>((s.templateIdOffset + i) % 64);
    c.flags.customTargets = !(t.targets == frame.targets);
    c.flags.customDiffs = diffs != t.frameDiffs;
    c.flags.customChains =
        !std::equal(t.chainDiffs.begin(), t.chainDiffs.begin() + s.chainCount, frame.chainDiffs.begin());
    c.bits = (c.flags.customTargets ? size_t{2} * s.targetCount : 0) +
             (c.flags.customDiffs ? customDiffBits(frame) : 0) + (c.flags.customChains ? size_t{8} * s.chainCount : 0);
    if (c.bits < best.bits) best = c;
  }
  return best;
}

}  // namespace

size_t writeDependencyDescriptor(const DescriptorFront& front, const DependencyStructure& structure,
                                 const FrameDependencies& frame, bool attach, std::optional<TargetSet> activeTargets,
                                 MutableBytes bytes) {
  Choice choice = choose(structure, frame);
  if (choice.bits == SIZE_MAX) return 0;
  choice.flags.structure = attach;
  choice.flags.activeTargets = activeTargets.has_value();

  BitWriter out(bytes);
  DescriptorFront written = front;
  written.templateId = choice.templateId;
  writeFront(out, written);
  if (choice.flags.any()) {
    writeFlags(out, choice.flags);
    if (attach) writeStructure(out, structure);
    if (activeTargets) out.write(*activeTargets, structure.targetCount);
    if (choice.flags.customTargets) writeIndications(out, frame.targets, structure.targetCount);
    if (choice.flags.customDiffs) {
      for (const uint16_t diff : frame.referenced()) {
        const uint32_t size = diff <= 16 ? 1 : diff <= 256 ? 2 : 3;
        out.write(size, 2);
        out.write(diff - 1U, 4 * size);
      }
      out.write(0, 2);
    }
    if (choice.flags.customChains) {
      for (size_t i = 0; i < structure.chainCount; ++i) out.write(frame.chainDiffs[i], 8);
    }
  }
  return out.ok() ? out.finish() : 0;
}

}  // namespace sluice::wire
