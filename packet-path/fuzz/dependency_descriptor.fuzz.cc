#include "core/wire/dependency_descriptor.h"

#include <array>
#include <set>

#include "input.h"

using namespace sluice;
using namespace sluice::wire;

namespace {

// Which frames, however often and in whichever order they are told.
std::set<uint16_t> referred(const FrameDependencies& frame) {
  return {frame.referenced().begin(), frame.referenced().end()};
}

}  // namespace

// A list of descriptors, each behind its length, as one stream brings them: the structure of one serves those behind
// it. What is read is changed and read again, and must say the same but for the change.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  DependencyStructure current;
  DependencyStructure attached;
  DependencyStructure ignored;
  bool known = false;
  while (!input.empty()) {
    const Bytes bytes = input.bytes(input.u8());
    DependencyDescriptor d;
    const auto verdict = parseDependencyDescriptor(bytes, known ? &current : nullptr, attached, d);
    DescriptorChange change;
    change.frameNumber = static_cast<uint16_t>(size * 257);
    change.targets = known ? current.targetCount : 0;
    change.forwarded = static_cast<TargetSet>(size * 0x9E37'79B9U);
    if (size % 3 == 0) change.announce = change.forwarded & current.allTargets();
    std::array<uint8_t, 255 + kMaxDescriptorGrowth> out{};
    const size_t n = changeDependencyDescriptor(bytes, change, out);
    fuzz::require(n <= bytes.size() + kMaxDescriptorGrowth, "it grows by no more than it may");
    if (verdict != DescriptorVerdict::kRead) continue;
    fuzz::require(n > 0, "what is read can be changed");
    if (d.hasStructure) {
      current = attached;
      known = true;
    }
    DependencyDescriptor again;
    const auto readAgain = parseDependencyDescriptor(Bytes(out).first(n), &current, ignored, again);
    fuzz::require(readAgain == DescriptorVerdict::kRead, "what was changed is read");
    fuzz::require(again.front.frameNumber == change.frameNumber, "the number is the new one");
    fuzz::require(again.hasStructure == d.hasStructure && (!d.hasStructure || ignored == attached),
                  "the structure is the same");
    fuzz::require(again.frame.targets == d.frame.targets && again.frame.references == d.frame.references &&
                      again.frame.frameDiffs == d.frame.frameDiffs && again.frame.chainDiffs == d.frame.chainDiffs,
                  "the frame depends on the same");

    std::array<uint8_t, 2'048> written{};
    const size_t w = writeDependencyDescriptor(d.front, current, d.frame, d.hasStructure, d.activeTargets, written);
    DependencyDescriptor third;
    fuzz::require(w > 0 && parseDependencyDescriptor(Bytes(written).first(w), &current, ignored, third) ==
                               DescriptorVerdict::kRead,
                  "what is read can be written");
    fuzz::require(third.frame.targets == d.frame.targets && referred(third.frame) == referred(d.frame), "likewise");
  }
  return 0;
}
