// The dependency descriptor, an RTP header extension that tells how video frames depend on each other
// (AV1 RTP specification, appendix A): bytes ⇄ fields. It serves every codec, not AV1 alone.
#pragma once

#include <array>
#include <optional>

#include "types.h"

namespace sluice::wire {

/// Sets of decode targets, one bit each; A.8.2 knows at most 32.
using TargetSet = uint32_t;

/// How a frame relates to the decode targets (A.8.3, table A.1), as sets.
struct TargetIndications {
  TargetSet present = 0;      ///< not '-'
  TargetSet switches = 0;     ///< 'S': if it is decodable, so is all that follows
  TargetSet discardable = 0;  ///< 'D': nothing that follows depends on it
  friend bool operator==(const TargetIndications&, const TargetIndications&) = default;
};

struct DependencyTemplate {
  uint8_t spatialId = 0;
  uint8_t temporalId = 0;
  TargetIndications targets;
  uint16_t frameDiffs = 0;  ///< bit n: refers to the frame n + 1 before it
  std::array<uint8_t, 32> chainDiffs{};
  friend bool operator==(const DependencyTemplate&, const DependencyTemplate&) = default;
};

/// What templates of a coded video sequence mean (A.8.2, template_dependency_structure).
struct DependencyStructure {
  static constexpr size_t kMaxTemplates = 64;
  static constexpr size_t kMaxTargets = 32;
  /// Of spatial ids, and of temporal ids: AV1 has 4 and 8, VP9 8 and 8. The syntax has room for more; nobody uses it.
  static constexpr size_t kMaxLayers = 8;

  struct Resolution {
    uint16_t width = 0;
    uint16_t height = 0;
    friend bool operator==(const Resolution&, const Resolution&) = default;
  };
  struct TargetLayer {
    uint8_t spatialId = 0;
    uint8_t temporalId = 0;
    friend bool operator==(const TargetLayer&, const TargetLayer&) = default;
  };

  uint8_t templateIdOffset = 0;
  uint8_t templateCount = 0;
  uint8_t targetCount = 0;
  uint8_t chainCount = 0;
  uint8_t spatialLayers = 0;
  bool hasResolutions = false;
  std::array<DependencyTemplate, kMaxTemplates> templates{};
  std::array<uint8_t, kMaxTargets> protectedBy{};  ///< by target: the chain; meaningless without chains
  std::array<TargetLayer, kMaxTargets> targetLayers{};
  std::array<Resolution, kMaxLayers> resolutions{};  ///< by spatial id

  [[nodiscard]] TargetSet allTargets() const { return static_cast<TargetSet>((uint64_t{1} << targetCount) - 1); }
  /// The template with this id; null when the structure has none.
  [[nodiscard]] const DependencyTemplate* find(uint8_t templateId) const {
    const size_t index = (templateId + 64U - templateIdOffset) % 64U;
    return index < templateCount ? &templates[index] : nullptr;
  }
  /// Fills `targetLayers` from the templates (A.8.2, decode_target_layers).
  void deriveTargetLayers();
  friend bool operator==(const DependencyStructure&, const DependencyStructure&) = default;
};

/// What a frame depends on, and who depends on it.
struct FrameDependencies {
  /// libwebrtc's decoders refuse frames with more than five (encoded_frame.h kMaxFrameReferences).
  static constexpr size_t kMaxReferences = 16;

  uint8_t spatialId = 0;
  uint8_t temporalId = 0;
  TargetIndications targets;
  uint8_t references = 0;
  std::array<uint16_t, kMaxReferences> frameDiffs{};  ///< frame number minus the referred frame's
  std::array<uint8_t, DependencyStructure::kMaxTargets> chainDiffs{};

  [[nodiscard]] std::span<const uint16_t> referenced() const { return std::span(frameDiffs).first(references); }
  void refer(uint16_t diff) { frameDiffs[references++] = diff; }
};

/// The part that every descriptor has (A.8.2, mandatory_descriptor_fields).
struct DescriptorFront {
  static constexpr size_t kBytes = 3;
  bool startsFrame = false;
  bool endsFrame = false;
  uint8_t templateId = 0;
  uint16_t frameNumber = 0;
};
[[nodiscard]] std::optional<DescriptorFront> readDescriptorFront(Bytes descriptor);

enum class DescriptorVerdict : uint8_t {
  kRead,
  kMalformed,
  kUnknownTemplate,  ///< of a structure that was not given: lost, late, or from before we listened
};

struct DependencyDescriptor {
  DescriptorFront front;
  bool hasStructure = false;               ///< it came with a structure, which is valid from this frame on
  std::optional<TargetSet> activeTargets;  ///< told, or implied by a structure that came without any
  FrameDependencies frame;
};

/// Reads a descriptor. `current` is the structure of its coded video sequence, null when none is known; one that comes
/// with the descriptor is written to `attached` and used instead. `out` is valid for kRead alone.
[[nodiscard]] DescriptorVerdict parseDependencyDescriptor(Bytes bytes, const DependencyStructure* current,
                                                          DependencyStructure& attached, DependencyDescriptor& out);

/// What a forwarder changes in a descriptor.
struct DescriptorChange {
  uint16_t frameNumber = 0;
  /// How many decode targets the frame's structure has; 0: unknown, then sets of targets stay as they are.
  uint8_t targets = 0;
  /// The decode targets that are forwarded. The others are taken out of every set of active targets that is told.
  TargetSet forwarded = ~TargetSet{0};
  /// Tells this set of active targets even if the sender told none (A.4).
  std::optional<TargetSet> announce;
};

/// More than a descriptor can grow by being changed: flags and a set of targets.
inline constexpr size_t kMaxDescriptorGrowth = 5;

/// Writes a descriptor again with `change` applied; the structure and all that is said of the frame stay bit by bit.
/// `out` has room for kMaxDescriptorGrowth more bytes than `descriptor`. Returns the bytes written, 0 for a malformed
/// one.
size_t changeDependencyDescriptor(Bytes descriptor, const DescriptorChange& change, MutableBytes out);

/// Writes a descriptor for a frame, by the template of `structure` that fits best. `attach`: the structure goes along.
/// Returns the bytes written; 0 when no template has the frame's layer or `out` is too small.
size_t writeDependencyDescriptor(const DescriptorFront& front, const DependencyStructure& structure,
                                 const FrameDependencies& frame, bool attach, std::optional<TargetSet> activeTargets,
                                 MutableBytes out);

}  // namespace sluice::wire
