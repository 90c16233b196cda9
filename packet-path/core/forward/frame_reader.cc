#include "frame_reader.h"

#include "codec_frames.h"

namespace sluice::forward {

namespace {

// Ids of the targets that structures describe; smaller ones belong to DecodeTargets itself.
constexpr uint32_t kFirstDescribedId = 16;

}  // namespace

struct FrameReader::Described {
  /// A coded video sequence, or several that are described alike.
  struct Sequence {
    wire::DependencyStructure structure;
    DecodeTargets targets;
    int64_t from = INT64_MAX;  // first frame
  };
  /// The one at hand, and the one before, whose packets may come late.
  std::array<Sequence, 2> sequences;
  size_t current = 0;
  int64_t newestFrame = INT64_MIN;
  uint32_t nextId = kFirstDescribedId;
  wire::DependencyStructure attached;  // scratch

  [[nodiscard]] int64_t extend(uint16_t number) const {
    // A cycle up, so that what is a little older than the first stays positive.
    return newestFrame == INT64_MIN ? 65'536 + number : extendSeq(number, newestFrame);
  }
  [[nodiscard]] const Sequence* at(int64_t frame) const {
    const Sequence& now = sequences[current];
    if (frame >= now.from) return &now;
    const Sequence& before = sequences[1 - current];
    return frame >= before.from ? &before : nullptr;
  }
  // Takes over the structure in `attached`, which came with `frame`.
  void begin(int64_t frame) {
    const Sequence& now = sequences[current];
    if (now.from != INT64_MAX && (frame < now.from || now.structure == attached)) return;
    current = 1 - current;
    Sequence& next = sequences[current];
    next.structure = attached;
    next.targets.describe(attached, nextId++);
    next.from = frame;
  }
};

namespace {

// A.6, PartOfActiveChain: a frame is in a chain when no target that the chain protects can do without it.
Targets chainedBy(const wire::DependencyStructure& s, Targets indispensable) {
  std::array<Targets, wire::DependencyStructure::kMaxTargets> protectedBy{};
  for (size_t i = 0; i < s.targetCount; ++i) protectedBy[s.protectedBy[i]] |= Targets{1} << i;
  Targets chained = 0;
  for (size_t i = 0; i <= s.chainCount; ++i) {
    if (i < protectedBy.size() && (protectedBy[i] & ~indispensable) == 0) chained |= protectedBy[i];
  }
  return chained;
}

void fill(const wire::DependencyDescriptor& d, int64_t frame, const wire::DependencyStructure& structure,
          const DecodeTargets& targets, FrameInfo& out) {
  out.known = true;
  out.frame = frame;
  // The first packet of a coded video sequence, and no other, brings the structure (A.8.3). Without it a receiver
  // could not begin.
  out.key = d.hasStructure;
  out.starts = d.front.startsFrame;
  out.ends = d.front.endsFrame;
  out.layer = {d.frame.spatialId, d.frame.temporalId};
  out.targets = &targets;
  out.spatialLayers = 0;
  out.present = d.frame.targets.present;
  out.switches = d.frame.targets.switches;
  out.discardable = d.frame.targets.discardable;
  out.essential = chainedBy(structure, out.present & ~out.discardable);
  out.needs = 0;
  out.references = d.frame.references;
  out.diffs = d.frame.frameDiffs;
}

}  // namespace

FrameReader::FrameReader() = default;
FrameReader::~FrameReader() = default;
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;

Bytes dependencyDescriptor(const Packet& packet) {
  for (size_t i = 0; i < packet.extensionCount; ++i) {
    if (packet.extensions[i].kind == wire::ExtensionKind::kDependencyDescriptor) {
      return packet.extension(packet.extensions[i]);
    }
  }
  return {};
}

void FrameReader::read(const Packet& packet, Codec codec, FrameInfo& out) {
  if (packet.ssrc != ssrc_) restart(packet.ssrc);
  if (codec == Codec::kH264 && packet.entryPoint) byMarking_ = !frameMarking(packet).empty();
  readPayload(packet, codec, out);
  if (out.known && out.targets->count > 1) learnLayers(out);
  if (!out.padding) {
    const Bytes descriptor = dependencyDescriptor(packet);
    if (!descriptor.empty()) {
      learn(packet, descriptor, out);
    } else if (packet.seq > newestSeq_ && packet.entryPoint) {
      byDescriptor_ = false;
    } else if (byDescriptor_) {
      out.known = false;
    }
    if (out.picture != FrameInfo::kNoPicture && out.picture > newestPicture_) newestPicture_ = out.picture;
  }
  if (packet.seq > newestSeq_) {
    newestSeq_ = packet.seq;
    if (!out.padding) newestTimestamp_ = packet.timestamp;
  }
}

void FrameReader::readAgain(const Packet& packet, Codec codec, FrameInfo& out) const {
  out = {};
  if (packet.ssrc != ssrc_) return;
  readPayload(packet, codec, out);
  if (out.known && layered_ && layered_->id == out.targets->id) out.targets = layered_.get();
  if (out.padding || !byDescriptor_) return;
  out.known = false;
  const Bytes bytes = dependencyDescriptor(packet);
  const auto front = wire::readDescriptorFront(bytes);
  if (!front) return;
  const int64_t frame = described_->extend(front->frameNumber);
  const Described::Sequence* sequence = described_->at(frame);
  if (sequence == nullptr) return;
  wire::DependencyDescriptor d;
  wire::DependencyStructure attached;
  const auto verdict = wire::parseDependencyDescriptor(bytes, &sequence->structure, attached, d);
  if (verdict == wire::DescriptorVerdict::kRead) fill(d, frame, sequence->structure, sequence->targets, out);
}

// Another sender of the same encoding: its numbers and structures are its own. What packets of this batch point to
// stays.
void FrameReader::restart(Ssrc ssrc) {
  ssrc_ = ssrc;
  byDescriptor_ = byMarking_ = false;
  newestPicture_ = FrameInfo::kNoPicture;
  newestSeq_ = INT64_MIN;
  newestTimestamp_ = 0;
  spatialLayers_ = temporalLayers_ = 0;
  if (!described_) return;
  described_->newestFrame = INT64_MIN;
  for (Described::Sequence& s : described_->sequences) s.from = INT64_MAX;
}

void FrameReader::readPayload(const Packet& packet, Codec codec, FrameInfo& out) const {
  out = {};
  out.key = packet.entryPoint;
  out.ends = packet.marker;
  // By time, for whoever numbers no frames. No two differ by one.
  out.frame = int64_t{packet.timestamp} << 1;
  out.padding = packet.payloadSize == 0;
  if (!out.padding) readCodecFrame(codec, packet, {startsByTime(packet), newestPicture_, byMarking_}, out);
}

// Which layers there are is made known by the scalability structure of a key picture, or by their being there.
void FrameReader::learnLayers(FrameInfo& out) {
  if (!layered_) layered_ = std::make_unique<DecodeTargets>();
  if (layered_->id != out.targets->id) {
    *layered_ = *out.targets;
    spatialLayers_ = temporalLayers_ = 0;
  }
  const bool all = out.spatialLayers > 0;
  const auto spatial = all ? out.spatialLayers : std::max(spatialLayers_, static_cast<uint8_t>(out.layer.spatial + 1));
  const auto temporal = std::max(temporalLayers_, static_cast<uint8_t>(out.layer.temporal + 1));
  if (spatial != spatialLayers_ || temporal != temporalLayers_) {
    spatialLayers_ = spatial;
    temporalLayers_ = temporal;
    layered_->available = 0;
    for (uint8_t s = 0; s < spatial; ++s) layered_->available |= gridRow(s) & ~gridRow(s, temporal);
  }
  out.targets = layered_.get();
}

// Without a mark of the codec's own: the packet behind the last one, with another timestamp.
bool FrameReader::startsByTime(const Packet& packet) const {
  return packet.entryPoint || (packet.seq == newestSeq_ + 1 && packet.timestamp != newestTimestamp_);
}

void FrameReader::learn(const Packet& packet, Bytes bytes, FrameInfo& out) {
  if (byDescriptor_) out.known = false;
  const auto front = wire::readDescriptorFront(bytes);
  if (!front) return;
  if (!described_) {
    // Only a structure gives a descriptor a meaning; until one comes the payload has to do.
    if (bytes.size() == wire::DescriptorFront::kBytes) return;
    described_ = std::make_unique<Described>();
  }
  Described& all = *described_;
  const int64_t frame = all.extend(front->frameNumber);
  const Described::Sequence* sequence = all.at(frame);
  wire::DependencyDescriptor d;
  const auto verdict =
      wire::parseDependencyDescriptor(bytes, sequence == nullptr ? nullptr : &sequence->structure, all.attached, d);
  if (verdict != wire::DescriptorVerdict::kRead) return;
  if (packet.seq > newestSeq_) all.newestFrame = frame;
  if (d.hasStructure) {
    all.begin(frame);
    byDescriptor_ = true;
    sequence = all.at(frame);
  }
  if (sequence == nullptr || !byDescriptor_) return;
  // A told set is valid until the next in the order of packets (A.4): a late packet's has been overtaken.
  Described::Sequence& now = all.sequences[all.current];
  if (d.activeTargets && sequence == &now && packet.seq > newestSeq_) now.targets.available = *d.activeTargets;
  fill(d, frame, sequence->structure, sequence->targets, out);
  if (d.activeTargets) out.spatialLayers = sequence->targets.spatialLayers();
}

}  // namespace sluice::forward
