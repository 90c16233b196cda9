// One subscriber's view of a track: which packets it gets, and under which numbers, so that its stream is continuous
// and decodable whatever happens to the source and whichever layer it should get.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "../packet/packet.h"
#include "../sender_clock.h"
#include "../spec.h"
#include "codec_numbers.h"
#include "layer_gate.h"
#include "layers.h"
#include "number_map.h"
#include "timeline.h"

namespace sluice::forward {

/// A packet as a subscriber gets it.
struct Rewritten {
  SeqNo seq = 0;  ///< extended: grows across the wraps of the wire's number
  uint32_t timestamp = 0;
  bool marker = false;
  /// Without the payload: what is in it is not for this subscriber, but the number had been kept for it.
  bool empty = false;
  PayloadFront front;
  std::optional<wire::DescriptorChange> descriptor;  ///< set when the dependency descriptor must be written anew
};

/// Decides for each packet of a track, in the order of arrival. Every packet has a place in a sequence that runs
/// through all sources; what is left out on purpose closes up, what is lost upstream keeps its number and gets it when
/// it comes late. A new source (another SSRC, another encoding, numbers that began anew, the first packet after a
/// pause) continues right behind what was sent last; video does so at a key frame only.
class LayerSelector {
 public:
  enum class Verdict : uint8_t {
    kForward,             ///< `out` says as what
    kWaitingForKeyFrame,  ///< nothing can be decoded before one: ask for it
    kOtherEncoding,
    kOtherLayer,    ///< of a layer that is not forwarded
    kUnknownLayer,  ///< what tells its layer has not come yet; its number is kept
    kPaused,
    kLate,  ///< belongs before the point where this source was entered, or is too old to be told
  };

  /// Loss beyond this many packets breaks the stream off: its sender is back after an outage (or restarted), and no
  /// receiver can repair that.
  static constexpr SeqNo kMaxGap = 1'000;
  /// A packet further behind than any receiver of ours lets through comes from a source that was set up anew under the
  /// same SSRC.
  static constexpr SeqNo kMaxBehind = 4'096;
  /// Packets that remain distinguishable: what histories and receivers' windows hold, twice.
  static constexpr size_t kPlaces = 2'048;
  /// A higher temporal layer that cannot be entered for so long is worth a key frame: its sender makes no switch
  /// points.
  static constexpr TimeUs kTemporalPatienceUs = 2 * kSecondUs;
  /// So is a structure that was lost and not resent: without it nothing can be told.
  static constexpr TimeUs kUnknownPatienceUs = 500 * kMillisecondUs;

  /// `firstSeq`: the number of the first packet that will be sent, chosen at random within 0 … 2^15 (RFC 3550 §5.1;
  /// the lower half, so that loss of the first packets leaves no doubt about the rollover counter, RFC 3711 §3.3.1), or
  /// where an earlier stream of the same SSRC ended. `random` shifts timestamps.
  LayerSelector(uint64_t random, SeqNo firstSeq) : numbers_(firstSeq), timeline_(static_cast<uint32_t>(random >> 32)) {}

  /// What of a track may be forwarded.
  struct Track {
    const Layers& layers;
    std::span<const SenderClock> clocks;  ///< by encoding, as far as its sender reported
  };
  /// `info` is what the track's layers read from `packet`.
  [[nodiscard]] Verdict consider(const Packet& packet, Codec codec, const FrameInfo& info, const Track& track,
                                 Rewritten& out);

  void setTarget(LayerTarget target) { target_ = target; }
  [[nodiscard]] const LayerTarget& target() const { return target_; }
  void setPaused(bool paused);
  /// The track is another one now: whatever comes next is a source to be entered anew.
  void leaveSource();
  [[nodiscard]] bool paused() const { return paused_; }
  /// Packets flow: a source was entered.
  [[nodiscard]] bool flowing() const { return flowing_ && !paused_; }
  /// The encoding of which a key frame is needed, to begin or to go on with what the target says.
  [[nodiscard]] std::optional<uint8_t> keyFrameWanted() const;
  /// The encoding that flows, or that is waited for.
  [[nodiscard]] uint8_t encoding() const { return encoding_; }
  /// The layer that flows; empty when none does.
  [[nodiscard]] std::optional<Layer> current(const Layers& layers) const;
  /// The layer that is aimed at: what the target means for what there is.
  [[nodiscard]] Layer aimedAt(const Layers& layers) const;

  struct Totals {
    uint64_t frames = 0;
    uint64_t keyFrames = 0;
    uint64_t switches = 0;  ///< from one layer, or encoding, to another
  };
  /// Of what was forwarded in order. Packets of audio count as frames.
  [[nodiscard]] const Totals& totals() const { return totals_; }

  /// A run of packets of one sender with one way of counting.
  struct Source {
    SeqNo from = 0;   ///< its first place
    SeqNo shift = 0;  ///< place = number in + shift
    Ssrc ssrc = 0;
    uint32_t timestampOffset = 0;
    uint16_t frameShift = 0;  ///< of the dependency descriptor's frame numbers
    uint8_t encoding = 0;
    Codec codec = Codec::kOther;
    CodecShift codecShift;
  };
  /// Where a number that was sent, or kept, comes from. Empty when that is forgotten.
  struct Origin {
    const Source* source = nullptr;
    SeqNo place = 0;
    SeqNo in = 0;
  };
  [[nodiscard]] std::optional<Origin> origin(SeqNo out) const;
  /// A packet whose number was kept because it had not come, or could not be sent, when its turn was. `info`: what
  /// Layers::describe reads now.
  [[nodiscard]] Verdict considerLate(const Packet& packet, const FrameInfo& info, const Origin& origin, Rewritten& out);
  /// A packet that was sent, the same again: all but `marker` and `empty`, which the caller remembers.
  [[nodiscard]] bool rewriteAgain(const Packet& packet, const Origin& origin, Rewritten& out) const;

  /// The source that flows, or flowed last; 0 before the first.
  [[nodiscard]] Ssrc ssrc() const { return source().ssrc; }
  /// What is added to the timestamps of the source that flows.
  [[nodiscard]] uint32_t timestampOffset() const { return timeline_.offset(); }
  /// The number after the highest sent.
  [[nodiscard]] SeqNo nextSeq() const { return numbers_.nextOut(); }

 private:
  /// What the target means for this track now.
  struct Aim {
    uint8_t encoding = 0;
    LayerTarget inEncoding;
  };
  [[nodiscard]] Aim aim(const Layers& layers, uint8_t packetEncoding) const;
  [[nodiscard]] bool continues(const Packet& packet, Codec codec) const;
  void enter(const Packet& packet, Codec codec, const FrameInfo& info, const Track& track);
  [[nodiscard]] Verdict inOrder(const Packet& packet, Codec codec, const FrameInfo& info, SeqNo place,
                                const LayerTarget& target, Rewritten& out);
  [[nodiscard]] Verdict late(const Packet& packet, const FrameInfo& info, SeqNo place, const LayerTarget& target,
                             Rewritten& out);
  [[nodiscard]] Verdict forwardAs(const Packet& packet, const FrameInfo& info, SeqNo place, Rewritten& out);
  [[nodiscard]] Verdict fillUp(const Packet& packet, SeqNo place, Rewritten& out) const;
  [[nodiscard]] bool rewrite(const Packet& packet, const Source& source, SeqNo place, Rewritten& out) const;
  [[nodiscard]] bool isMarked(const Packet& packet, const FrameInfo& info, SeqNo place) const;
  void noteTemporalWait(TimeUs nowUs);
  void noteFrame(const FrameInfo& info);
  [[nodiscard]] Source& source() { return sources_[sourceCount_ % sources_.size()]; }
  [[nodiscard]] const Source& source() const { return sources_[sourceCount_ % sources_.size()]; }

  NumberMap<kPlaces> numbers_;
  LayerGate gate_;
  CodecNumbers codecNumbers_;
  Timeline timeline_;
  std::array<Source, 4> sources_{};  // by number, modulo 4
  uint32_t sourceCount_ = 0;
  LayerTarget target_;

  // The newest packet of a frame, to judge what is missing between it and the next.
  struct Last {
    int64_t frame = 0;
    bool known = false;
    bool ends = false;
    bool forwarded = false;
  };
  Last last_;
  SeqNo newestSent_ = -1;      // place
  uint32_t keyTimestamp_ = 0;  // of the last key picture
  TimeUs temporalWaitSinceUs_ = kNever;
  TimeUs unknownSinceUs_ = kNever;
  LayerTarget lastAim_;
  TimeUs nowUs_ = 0;                         // of the newest packet
  std::optional<uint16_t> lastFrameNumber_;  // of the dependency descriptors that were sent
  Totals totals_;
  Layer lastLayer_;  // of the last frame forwarded
  uint8_t lastEncoding_ = 0;
  uint8_t encoding_ = 0;
  bool flowing_ = false;
  bool paused_ = false;
  bool waitsForKeyFrame_ = false;  // to enter encoding_, or the one that is aimed at
  uint8_t waitsForEncoding_ = 0;
  bool layerWaits_ = false;  // for a key frame of the source that flows
};

}  // namespace sluice::forward
