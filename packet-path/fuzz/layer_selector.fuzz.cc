#include "core/forward/layer_selector.h"

#include <map>
#include <set>

#include "core/receive/key_frame.h"
#include "input.h"

using namespace sluice;
using namespace sluice::forward;

namespace {

constexpr std::array<Codec, 6> kCodecs = {Codec::kVp8,  Codec::kVp9,  Codec::kAv1,
                                          Codec::kH264, Codec::kH265, Codec::kOpus};

// Whatever packets come and whatever is asked for: no number means two things, and what was sent can be sent again.
class Session {
 public:
  explicit Session(fuzz::Input& input)
      : input_(input), codec_(kCodecs[input.u8() % kCodecs.size()]), selector_(input.u16(), input.u16() & 0x7FFF) {
    seqs_.fill(65'536 + 1'000);
  }

  void step() {
    const uint8_t op = input_.u8();
    switch (op % 8) {
      case 0:
        selector_.setTarget({{static_cast<uint8_t>(op >> 3 & 3), static_cast<uint8_t>(op >> 5 & 3)}, op >= 128});
        break;
      case 1:
        if (op < 64) selector_.setPaused(!selector_.paused());
        if (op >= 224) selector_.leaveSource();
        break;
      case 2:
        ask();
        break;
      default:
        packet(op);
    }
    (void)selector_.keyFrameWanted();
    (void)selector_.current(layers_);
    std::array<Layers::Offer, 12> offers;
    const size_t n = layers_.offers(nowUs_, offers);
    for (size_t i = 1; i < n; ++i) {
      fuzz::require(offers[i].bitsPerSecond > offers[i - 1].bitsPerSecond, "offers rise");
    }
  }

 private:
  void packet(uint8_t op) {
    PacketRef ref = pool_.take();
    if (!ref) return;
    Packet& p = ref.fill();
    const uint8_t encoding = op >> 3 & 3;
    const auto delta = static_cast<int8_t>(input_.u8());
    SeqNo seq = seqs_[encoding] + (delta == 127 ? 1'500 : delta > 0 && delta < 96 ? 1 : delta);
    if (seq < 1'000) seq = 1'000;
    seqs_[encoding] = std::max(seqs_[encoding], seq);
    const Bytes descriptor = input_.bytes(input_.u8() % 128);
    const Bytes payload = input_.bytes(input_.u8() % 48);
    std::copy(descriptor.begin(), descriptor.end(), p.bytes);
    std::copy(payload.begin(), payload.end(), p.bytes + descriptor.size());
    if (!descriptor.empty()) {
      const auto kind = op >= 240 ? wire::ExtensionKind::kFrameMarking : wire::ExtensionKind::kDependencyDescriptor;
      p.extensions[p.extensionCount++] = {kind, static_cast<uint8_t>(descriptor.size()), 0};
    }
    p.payloadOffset = static_cast<uint16_t>(descriptor.size());
    p.payloadSize = static_cast<uint16_t>(payload.size());
    p.ssrc = 100U + encoding + (delta == -128 ? 10U : 0U);
    p.seq = seq;
    timestamp_ += (op & 0x40) != 0 ? 3'000U : 0U;
    nowUs_ += 3'000;
    p.timestamp = timestamp_ + encoding * 77'777U;
    p.clockRateHz = 90'000;
    p.receivedAtUs = nowUs_;
    p.encoding = encoding;
    p.marker = (op & 0x80) != 0;
    p.entryPoint = receive::startsKeyFrame(codec_, p.payload()) || !receive::needsKeyFrame(codec_);
    // Receivers let each number through once.
    if (!seen_.emplace(p.ssrc, seq).second) return;
    history_[{p.ssrc, seq}] = ref;
    FrameInfo info;
    (void)layers_.note(*ref, codec_, info);
    Rewritten out;
    if (selector_.consider(*ref, codec_, info, {layers_, {}}, out) == LayerSelector::Verdict::kForward) {
      sent(*ref, out);
    }
  }

  void sent(const Packet& p, const Rewritten& out) {
    fuzz::require(out.seq >= 0 && sent_.insert(out.seq).second, "no number twice");
    const auto origin = selector_.origin(out.seq);
    fuzz::require(origin && origin->in == p.seq && origin->source->ssrc == p.ssrc, "a number leads back to its packet");
    if (out.empty) return;
    fuzz::require(out.front.cut <= p.payloadSize, "the front lies in the payload");
    Rewritten again;
    fuzz::require(selector_.rewriteAgain(p, *origin, again), "what was sent can be sent again");
    fuzz::require(again.timestamp == out.timestamp && again.front.cut == out.front.cut &&
                      again.front.bytes == out.front.bytes &&
                      again.descriptor.has_value() == out.descriptor.has_value(),
                  "and is the same");
    if (out.descriptor) {
      std::array<uint8_t, 255 + wire::kMaxDescriptorGrowth> bytes{};
      (void)wire::changeDependencyDescriptor(dependencyDescriptor(p), *out.descriptor, bytes);
    }
  }

  void ask() {
    const SeqNo seq = selector_.nextSeq() - 1 - input_.u8();
    const auto origin = selector_.origin(seq);
    if (!origin || sent_.contains(seq)) return;
    const auto packet = history_.find({origin->source->ssrc, origin->in});
    if (packet == history_.end()) return;
    FrameInfo info;
    layers_.describe(*packet->second, codec_, info);
    Rewritten out;
    if (selector_.considerLate(*packet->second, info, *origin, out) == LayerSelector::Verdict::kForward) {
      fuzz::require(out.seq == seq, "it gets the number that was asked for");
      sent(*packet->second, out);
    }
  }

  fuzz::Input& input_;
  Codec codec_;
  PacketPool pool_{4'096};
  Layers layers_;
  LayerSelector selector_;
  std::array<SeqNo, 4> seqs_{};
  uint32_t timestamp_ = 0;
  TimeUs nowUs_ = kSecondUs;
  std::set<std::pair<Ssrc, SeqNo>> seen_;
  std::map<std::pair<Ssrc, SeqNo>, PacketRef> history_;
  std::set<SeqNo> sent_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  Session session(input);
  while (!input.empty()) session.step();
  return 0;
}
