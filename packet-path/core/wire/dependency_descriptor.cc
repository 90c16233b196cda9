#include "dependency_descriptor.h"

#include <bit>

#include "dependency_descriptor_bits.h"

namespace sluice::wire {

using namespace descriptor;

namespace {

TargetIndications readIndications(BitReader& in, uint32_t targets) {
  TargetIndications t;
  for (uint32_t i = 0; i < targets; ++i) {
    const uint32_t indication = in.read(2);
    const TargetSet bit = TargetSet{1} << i;
    if (indication != kNotPresent) t.present |= bit;
    if (indication == kSwitch) t.switches |= bit;
    if (indication == kDiscardable) t.discardable |= bit;
  }
  return t;
}

bool readTemplateLayers(BitReader& in, DependencyStructure& s) {
  uint8_t spatial = 0;
  uint8_t temporal = 0;
  uint32_t next = 0;
  do {
    if (s.templateCount == DependencyStructure::kMaxTemplates) return false;
    DependencyTemplate& t = s.templates[s.templateCount++] = {};
    t.spatialId = spatial;
    t.temporalId = temporal;
    next = in.read(2);
    if (next == kNextTemporal) ++temporal;
    if (next == kNextSpatial) {
      temporal = 0;
      ++spatial;
    }
    if (next != kNoMoreTemplates &&
        (spatial >= DependencyStructure::kMaxLayers || temporal >= DependencyStructure::kMaxLayers)) {
      return false;
    }
  } while (next != kNoMoreTemplates && in.ok());
  s.spatialLayers = static_cast<uint8_t>(spatial + 1);
  return in.ok();
}

bool readStructure(BitReader& in, DependencyStructure& s) {
  s = {};
  s.templateIdOffset = static_cast<uint8_t>(in.read(6));
  s.targetCount = static_cast<uint8_t>(in.read(5) + 1);
  if (!readTemplateLayers(in, s)) return false;
  const auto templates = std::span(s.templates).first(s.templateCount);
  for (DependencyTemplate& t : templates) t.targets = readIndications(in, s.targetCount);
  for (DependencyTemplate& t : templates) {
    while (in.flag()) t.frameDiffs = static_cast<uint16_t>(t.frameDiffs | (1U << in.read(4)));
  }
  s.chainCount = static_cast<uint8_t>(in.nonSymmetric(s.targetCount + 1U));
  if (s.chainCount > 0) {
    for (size_t i = 0; i < s.targetCount; ++i) s.protectedBy[i] = static_cast<uint8_t>(in.nonSymmetric(s.chainCount));
    for (DependencyTemplate& t : templates) {
      for (size_t i = 0; i < s.chainCount; ++i) t.chainDiffs[i] = static_cast<uint8_t>(in.read(4));
    }
  }
  s.hasResolutions = in.flag();
  for (size_t i = 0; s.hasResolutions && i < s.spatialLayers; ++i) {
    // The value on the wire is one less; 65536 does not fit and is no picture either.
    s.resolutions[i].width = static_cast<uint16_t>(in.read(16) + 1);
    s.resolutions[i].height = static_cast<uint16_t>(in.read(16) + 1);
  }
  s.deriveTargetLayers();
  return in.ok();
}

Flags readFlags(BitReader& in) {
  Flags f;
  f.structure = in.flag();
  f.activeTargets = in.flag();
  f.customTargets = in.flag();
  f.customDiffs = in.flag();
  f.customChains = in.flag();
  return f;
}

DescriptorFront readFront(BitReader& in) {
  DescriptorFront f;
  f.startsFrame = in.flag();
  f.endsFrame = in.flag();
  f.templateId = static_cast<uint8_t>(in.read(6));
  f.frameNumber = static_cast<uint16_t>(in.read(16));
  return f;
}

bool readFrame(BitReader& in, const DependencyStructure& s, const DependencyTemplate& t, const Flags& flags,
               FrameDependencies& frame) {
  frame.spatialId = t.spatialId;
  frame.temporalId = t.temporalId;
  frame.targets = flags.customTargets ? readIndications(in, s.targetCount) : t.targets;
  frame.references = 0;
  if (flags.customDiffs) {
    while (const uint32_t size = in.read(2)) {
      if (frame.references == FrameDependencies::kMaxReferences) return false;
      frame.refer(static_cast<uint16_t>(in.read(4 * size) + 1));
    }
  } else {
    for (uint32_t diffs = t.frameDiffs; diffs != 0; diffs &= diffs - 1) {
      frame.refer(static_cast<uint16_t>(std::countr_zero(diffs) + 1));
    }
  }
  for (size_t i = 0; i < s.chainCount; ++i) {
    frame.chainDiffs[i] = flags.customChains ? static_cast<uint8_t>(in.read(8)) : t.chainDiffs[i];
  }
  return in.ok();
}

}  // namespace

void DependencyStructure::deriveTargetLayers() {
  targetLayers = {};
  for (size_t i = 0; i < templateCount; ++i) {
    const DependencyTemplate& t = templates[i];
    for (TargetSet present = t.targets.present; present != 0; present &= present - 1) {
      TargetLayer& layer = targetLayers[static_cast<size_t>(std::countr_zero(present))];
      layer.spatialId = std::max(layer.spatialId, t.spatialId);
      layer.temporalId = std::max(layer.temporalId, t.temporalId);
    }
  }
}

std::optional<DescriptorFront> readDescriptorFront(Bytes descriptor) {
  if (descriptor.size() < DescriptorFront::kBytes) return {};
  BitReader in(descriptor);
  return readFront(in);
}

DescriptorVerdict parseDependencyDescriptor(Bytes bytes, const DependencyStructure* current,
                                            DependencyStructure& attached, DependencyDescriptor& out) {
  if (bytes.size() < DescriptorFront::kBytes) return DescriptorVerdict::kMalformed;
  BitReader in(bytes);
  out.front = readFront(in);
  out.hasStructure = false;
  out.activeTargets.reset();
  Flags flags;
  if (bytes.size() > DescriptorFront::kBytes) flags = readFlags(in);
  if (flags.structure) {
    if (!readStructure(in, attached)) return DescriptorVerdict::kMalformed;
    out.hasStructure = true;
    out.activeTargets = attached.allTargets();
    current = &attached;
  }
  const DependencyTemplate* t = current == nullptr ? nullptr : current->find(out.front.templateId);
  if (t == nullptr) return DescriptorVerdict::kUnknownTemplate;
  if (flags.activeTargets) out.activeTargets = in.read(current->targetCount);
  return readFrame(in, *current, *t, flags, out.frame) ? DescriptorVerdict::kRead : DescriptorVerdict::kMalformed;
}

size_t changeDependencyDescriptor(Bytes descriptor, const DescriptorChange& change, MutableBytes out) {
  if (descriptor.size() < DescriptorFront::kBytes || out.size() < descriptor.size() + kMaxDescriptorGrowth) return 0;
  BitReader in(descriptor);
  DescriptorFront front = readFront(in);
  front.frameNumber = change.frameNumber;
  const Flags flags = descriptor.size() > DescriptorFront::kBytes ? readFlags(in) : Flags{};
  const bool tells = flags.structure || flags.activeTargets || change.announce;
  if (!tells || (change.targets == 0 && !flags.structure)) {
    // Nothing but the number changes.
    std::copy(descriptor.begin(), descriptor.end(), out.begin());
    writeU16(&out[1], change.frameNumber);
    return descriptor.size();
  }

  uint8_t targets = change.targets;
  bool told = change.announce.has_value();
  TargetSet active = change.announce.value_or(0);
  BitReader bits = in;  // of the structure, to be copied
  size_t structureBits = 0;
  if (flags.structure) {
    DependencyStructure structure;
    if (!readStructure(in, structure)) return 0;
    structureBits = in.position() - bits.position();
    targets = structure.targetCount;
    active = structure.allTargets() & change.forwarded;
    // All targets are active unless the descriptor says otherwise (A.4).
    told = active != structure.allTargets();
  }
  if (flags.activeTargets) {
    active = in.read(targets) & change.forwarded;
    told = true;
  }

  BitWriter writer(out);
  writeFront(writer, front);
  Flags written = flags;
  written.activeTargets = told;
  writeFlags(writer, written);
  writer.copy(bits, structureBits);
  if (told) writer.write(active, targets);
  writer.copy(in, in.left());
  return in.ok() && writer.ok() ? writer.finish() : 0;
}

}  // namespace sluice::wire
