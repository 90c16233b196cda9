// The dependency descriptor: the specification's own tables, laws of reading and writing, and what a change leaves be.
#include <doctest/doctest.h>

#include <random>
#include <string_view>

#include "core/wire/bits.h"
#include "core/wire/dependency_descriptor.h"
#include "svc_encoder.h"

using namespace sluice;
using namespace sluice::wire;
using namespace sluice::test;

namespace {

using Buffer = std::array<uint8_t, 512>;

// "S R D -": the indications of a table's row.
TargetIndications indications(std::string_view row) {
  TargetIndications t;
  for (size_t i = 0; i < row.size(); ++i) {
    const TargetSet bit = TargetSet{1} << i;
    if (row[i] != '-') t.present |= bit;
    if (row[i] == 'S') t.switches |= bit;
    if (row[i] == 'D') t.discardable |= bit;
  }
  return t;
}

struct Row {
  uint8_t spatial;
  uint8_t temporal;
  std::vector<uint8_t> diffs;
  std::vector<uint8_t> chains;
  std::string_view targets;
};

// Whether the encoder model makes exactly what a row of the specification tells.
bool has(const DependencyStructure& s, const Row& row) {
  for (size_t i = 0; i < s.templateCount; ++i) {
    const DependencyTemplate& t = s.templates[i];
    uint16_t diffs = 0;
    for (const uint8_t d : row.diffs) diffs = static_cast<uint16_t>(diffs | (1U << (d - 1)));
    if (t.spatialId == row.spatial && t.temporalId == row.temporal && t.frameDiffs == diffs &&
        t.targets == indications(row.targets) &&
        std::equal(row.chains.begin(), row.chains.end(), t.chainDiffs.begin())) {
      return true;
    }
  }
  return false;
}

const std::vector<SvcMode> kModes = {
    {SvcKind::kL, 1, 1},   {SvcKind::kL, 1, 2},   {SvcKind::kL, 1, 3}, {SvcKind::kL, 2, 1},
    {SvcKind::kL, 2, 3},   {SvcKind::kL, 3, 1},   {SvcKind::kL, 3, 3}, {SvcKind::kKey, 2, 1},
    {SvcKind::kKey, 2, 2}, {SvcKind::kKey, 3, 3}, {SvcKind::kS, 2, 1}, {SvcKind::kS, 3, 3},
};

bool same(const FrameDependencies& a, const FrameDependencies& b, size_t chains) {
  std::vector<uint16_t> left(a.referenced().begin(), a.referenced().end());
  std::vector<uint16_t> right(b.referenced().begin(), b.referenced().end());
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  return a.spatialId == b.spatialId && a.temporalId == b.temporalId && a.targets == b.targets && left == right &&
         std::equal(a.chainDiffs.begin(), a.chainDiffs.begin() + static_cast<ptrdiff_t>(chains), b.chainDiffs.begin());
}

}  // namespace

TEST_CASE("encoder model: its structures are those of the specification's appendix A.10.2") {
  const SvcEncoder l1t3({SvcKind::kL, 1, 3});
  for (const Row& row : std::vector<Row>{{0, 0, {}, {0}, "SSS"},
                                         {0, 0, {4}, {4}, "SSS"},
                                         {0, 1, {2}, {2}, "SD-"},
                                         {0, 2, {1}, {1}, "D--"},
                                         {0, 2, {1}, {3}, "D--"}}) {
    CHECK(has(l1t3.structure, row));
  }
  CHECK(l1t3.structure.templateCount == 5);

  const SvcEncoder l3t3({SvcKind::kL, 3, 3});
  for (const Row& row : std::vector<Row>{{0, 0, {}, {0, 0, 0}, "SSSSSSSSS"},
                                         {0, 0, {12}, {12, 11, 10}, "RRRRRRSSS"},
                                         {0, 1, {6}, {6, 5, 4}, "RR-RR-SD-"},
                                         {0, 2, {3}, {3, 2, 1}, "R--R--D--"},
                                         {0, 2, {3}, {9, 8, 7}, "R--R--D--"},
                                         {1, 0, {1}, {1, 1, 1}, "SSSSSS---"},
                                         {1, 0, {12, 1}, {1, 1, 1}, "RRRSSS---"},
                                         {1, 1, {6, 1}, {7, 6, 5}, "RR-SD----"},
                                         {1, 2, {3, 1}, {4, 3, 2}, "R--D-----"},
                                         {1, 2, {3, 1}, {10, 9, 8}, "R--D-----"},
                                         {2, 0, {1}, {2, 1, 1}, "SSS------"},
                                         {2, 0, {12, 1}, {2, 1, 1}, "SSS------"},
                                         {2, 1, {6, 1}, {8, 7, 6}, "SD-------"},
                                         {2, 2, {3, 1}, {5, 4, 3}, "D--------"},
                                         {2, 2, {3, 1}, {11, 10, 9}, "D--------"}}) {
    CHECK(has(l3t3.structure, row));
  }
  CHECK(l3t3.structure.templateCount == 15);
  CHECK(l3t3.structure.targetLayers[0] == DependencyStructure::TargetLayer{2, 2});
  CHECK(l3t3.structure.targetLayers[8] == DependencyStructure::TargetLayer{0, 0});
}

TEST_CASE("dependency descriptor: non-symmetric numbers are those of the specification's example") {
  Buffer bytes{};
  BitWriter out(bytes);
  for (uint32_t v = 0; v < 5; ++v) out.nonSymmetric(5, v);
  CHECK(out.position() == 12);
  CHECK(bytes[0] == 0b00011011);
  CHECK(bytes[1] == 0b01110000);
  BitReader in(Bytes(bytes).first(2));
  for (uint32_t v = 0; v < 5; ++v) CHECK(in.nonSymmetric(5) == v);
  CHECK(BitReader({}).nonSymmetric(1) == 0);
}

TEST_CASE("dependency descriptor: what was written is read again, for every mode, frame by frame") {
  for (const SvcMode& mode : kModes) {
    CAPTURE(mode.name());
    SvcEncoder encoder(mode, 65'000, 60);
    DependencyStructure current;
    DependencyStructure attached;
    const SvcEncoder reference(mode, 0, 60);
    size_t bytesOfAll = 0;
    size_t frames = 0;
    for (int picture = 0; picture < 60; ++picture) {
      for (const SvcFrame& f : encoder.next(picture % 25 == 0)) {
        Buffer bytes{};
        const bool attach = f.keyPicture && f.spatial == 0;
        const DescriptorFront front{true, f.number % 3 == 0, 0, static_cast<uint16_t>(f.number)};
        const size_t n = writeDependencyDescriptor(front, encoder.structure, f.dependencies, attach, {}, bytes);
        REQUIRE(n >= DescriptorFront::kBytes);
        DependencyDescriptor d;
        REQUIRE(parseDependencyDescriptor(Bytes(bytes).first(n), &current, attached, d) == DescriptorVerdict::kRead);
        CHECK(d.hasStructure == attach);
        if (attach) current = attached;
        CHECK(current == reference.structure);
        CHECK(d.front.frameNumber == front.frameNumber);
        CHECK(d.front.endsFrame == front.endsFrame);
        CHECK(same(d.frame, f.dependencies, mode.spatialLayers));
        CHECK(d.activeTargets.has_value() == attach);
        if (!attach && picture % 25 > 4) {
          bytesOfAll += n;
          ++frames;
        }
      }
    }
    // A static structure needs the three bytes that every descriptor has (A.1).
    CHECK(bytesOfAll == frames * DescriptorFront::kBytes);
  }
}

TEST_CASE("dependency descriptor: whatever a frame depends on can be told, far references and all") {
  std::mt19937 engine(5);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  const SvcEncoder encoder({SvcKind::kL, 3, 3});
  for (int round = 0; round < 2'000; ++round) {
    FrameDependencies f;
    f.spatialId = static_cast<uint8_t>(random() % 3);
    f.temporalId = static_cast<uint8_t>(random() % 3);
    f.targets.present = random() % 512;
    f.targets.switches = f.targets.present & random();
    f.targets.discardable = f.targets.present & ~f.targets.switches & random();
    for (uint32_t n = random() % 17; n > 0; --n) f.refer(static_cast<uint16_t>(1 + random() % 4'096));
    for (size_t c = 0; c < 3; ++c) f.chainDiffs[c] = static_cast<uint8_t>(random());
    Buffer bytes{};
    const bool attach = random() % 2 == 0;
    const std::optional<TargetSet> active = random() % 2 == 0 ? std::optional<TargetSet>(random() % 512) : std::nullopt;
    const size_t n = writeDependencyDescriptor({}, encoder.structure, f, attach, active, bytes);
    REQUIRE(n > 0);
    DependencyStructure attached;
    DependencyDescriptor d;
    REQUIRE(parseDependencyDescriptor(Bytes(bytes).first(n), &encoder.structure, attached, d) ==
            DescriptorVerdict::kRead);
    CHECK(same(d.frame, f, 3));
    CHECK(d.activeTargets == (attach && !active ? std::optional<TargetSet>(511) : active));
  }
}

TEST_CASE("dependency descriptor: a change gives it another number and other active targets, and nothing else") {
  std::mt19937 engine(6);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  for (const SvcMode& mode : kModes) {
    SvcEncoder encoder(mode);
    const TargetSet all = encoder.structure.allTargets();
    for (int picture = 0; picture < 40; ++picture) {
      for (const SvcFrame& f : encoder.next(picture % 10 == 0)) {
        Buffer bytes{};
        const bool attach = f.keyPicture && f.spatial == 0;
        const std::optional<TargetSet> told =
            random() % 4 == 0 ? std::optional<TargetSet>(random() & all) : std::nullopt;
        const size_t n = writeDependencyDescriptor({true, true, 0, static_cast<uint16_t>(f.number)}, encoder.structure,
                                                   f.dependencies, attach, told, bytes);
        DescriptorChange change;
        change.frameNumber = static_cast<uint16_t>(random());
        change.targets = encoder.structure.targetCount;
        change.forwarded = random() % 3 == 0 ? ~TargetSet{0} : random();
        if (random() % 3 == 0) change.announce = random() & all & change.forwarded;
        Buffer changed{};
        const size_t m = changeDependencyDescriptor(Bytes(bytes).first(n), change, changed);
        REQUIRE(m > 0);
        CHECK(m <= n + kMaxDescriptorGrowth);
        DependencyStructure attached;
        DependencyDescriptor d;
        REQUIRE(parseDependencyDescriptor(Bytes(changed).first(m), &encoder.structure, attached, d) ==
                DescriptorVerdict::kRead);
        CHECK(d.front.frameNumber == change.frameNumber);
        CHECK(d.front.startsFrame);
        CHECK(d.hasStructure == attach);
        if (attach) CHECK(attached == encoder.structure);
        CHECK(same(d.frame, f.dependencies, mode.spatialLayers));
        const std::optional<TargetSet> tells = told ? told : attach ? std::optional<TargetSet>(all) : change.announce;
        CHECK(d.activeTargets == (tells ? std::optional<TargetSet>(*tells & change.forwarded) : std::nullopt));
      }
    }
  }
}

TEST_CASE("dependency descriptor: without its structure a frame is unknown, and cut short it is malformed") {
  SvcEncoder encoder({SvcKind::kL, 3, 3}, 0, 10);
  const SvcFrame key = encoder.next(true)[0];
  Buffer bytes{};
  const size_t n = writeDependencyDescriptor({true, true, 0, 1}, encoder.structure, key.dependencies, true, {}, bytes);
  DependencyStructure attached;
  DependencyDescriptor d;
  for (size_t cut = 0; cut < n; ++cut) {
    const auto verdict = parseDependencyDescriptor(Bytes(bytes).first(cut), nullptr, attached, d);
    CHECK(verdict ==
          (cut == DescriptorFront::kBytes ? DescriptorVerdict::kUnknownTemplate : DescriptorVerdict::kMalformed));
  }
  const SvcFrame delta = encoder.next(false)[0];
  const size_t m =
      writeDependencyDescriptor({true, true, 0, 4}, encoder.structure, delta.dependencies, false, {}, bytes);
  CHECK(parseDependencyDescriptor(Bytes(bytes).first(m), nullptr, attached, d) == DescriptorVerdict::kUnknownTemplate);
  SvcEncoder other({SvcKind::kL, 1, 1}, 0, 40);
  CHECK(parseDependencyDescriptor(Bytes(bytes).first(m), &other.structure, attached, d) ==
        DescriptorVerdict::kUnknownTemplate);
}
