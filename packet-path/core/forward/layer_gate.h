// Which frames of one source a subscriber gets, so that its decoder never meets a reference to a frame that was left
// out.
#pragma once

#include <array>
#include <optional>

#include "frame_info.h"

namespace sluice::forward {

/// Follows one decode target at a time. A target can be followed from a frame on that lets it be switched to and is
/// itself decodable by what was forwarded, or at any frame while everything of it that matters was forwarded anyway:
/// that is how the way down is free where layers stand on each other, and needs a key frame where they do not. It is
/// the rule of the AV1 RTP specification, appendix A.7; readers of other codecs tell their layers in the same terms.
///
/// Places are numbers of packets in the order of sending that only grow; a source's packets have neighbouring places.
/// What is decided for a place stays decided: a packet that comes late is judged as its neighbours were.
class LayerGate {
 public:
  /// Forgets what was forwarded: another source begins. What was decided for earlier places stays.
  void leave();

  /// Whether the packet at `place`, beyond all before (or one that `begins`), is forwarded. `gap`: packets before it
  /// are missing, and may be of frames that were never seen. Only a packet that is `known` may be given.
  [[nodiscard]] bool next(const FrameInfo& packet, int64_t place, bool gap, LayerTarget target);
  /// The same for a packet that comes after others with higher places.
  [[nodiscard]] bool late(const FrameInfo& packet, int64_t place);

  /// False: the packet is of a coded video sequence whose beginning has not come, and is none itself.
  [[nodiscard]] bool understands(const FrameInfo& packet) const {
    return packet.starts || packet.key || packet.targets->id == targetsId_;
  }
  /// The packet begins a coded video sequence of which nothing was decided, though packets behind it came before.
  [[nodiscard]] bool begins(const FrameInfo& packet, int64_t place) const {
    return packet.known && packet.key && packet.targets->id != targetsId_ && place > newest().from;
  }

  /// The layer that is followed; empty before the first.
  [[nodiscard]] std::optional<Layer> current() const;
  /// What was aimed at when the last frame was decided: the target, as far as the source has it.
  [[nodiscard]] std::optional<Layer> goal() const;
  /// The layer that was followed at `place`.
  [[nodiscard]] std::optional<Layer> layerAt(int64_t place) const;
  /// The goal cannot be reached, or not upwards, without a key frame.
  [[nodiscard]] bool wantsKeyFrame() const { return wantsKeyFrame_; }

  /// What a dependency descriptor at `place` must say of active decode targets.
  struct Announcement {
    uint8_t targets = 0;  ///< how many there are; 0: no descriptor applies
    bool announce = false;
    wire::TargetSet forwarded = ~wire::TargetSet{0};
    wire::TargetSet active = 0;  ///< as it was when it was decided
  };
  [[nodiscard]] Announcement announcement(int64_t place) const;

 private:
  /// From a place on, one target is followed.
  struct Stretch {
    int64_t from = 0;
    int64_t announceUntil = 0;  ///< first place that need not tell of it
    uint32_t targetsId = 0;
    TargetIndex target = kNoTarget;
    uint8_t described = 0;  ///< how many decode targets there are, if a descriptor told them
    Layer layer;
    wire::TargetSet forwarded = 0;
    wire::TargetSet active = 0;
  };

  [[nodiscard]] bool decide(const FrameInfo& packet, int64_t place, bool gap, LayerTarget target);
  void tellOn(const FrameInfo& packet, int64_t place);
  [[nodiscard]] bool decodable(const FrameInfo& frame) const;
  [[nodiscard]] bool refersToDropped(const FrameInfo& frame) const;
  void aim(const FrameInfo& frame, LayerTarget target);
  [[nodiscard]] TargetIndex choose(const FrameInfo& frame, Targets candidates, LayerTarget target) const;
  void follow(const FrameInfo& frame, TargetIndex target, int64_t place);
  void note(const FrameInfo& frame, bool forwarded, bool inOrder);
  [[nodiscard]] const Stretch* stretchAt(int64_t place) const;
  [[nodiscard]] Stretch& newest() { return stretches_[stretchCount_ % stretches_.size()]; }
  [[nodiscard]] const Stretch& newest() const { return stretches_[stretchCount_ % stretches_.size()]; }

  static constexpr size_t kFrames = 512;  // whose fate is remembered, as far back as any reference goes in practice
  using FrameSet = std::array<uint64_t, kFrames / 64>;
  [[nodiscard]] bool isIn(const FrameSet& set, int64_t frame) const;
  void put(int64_t frame, bool forwarded);

  // The last switches. More than these within the time that a late packet may take are forgotten, and late packets from
  // before with them.
  std::array<Stretch, 8> stretches_{};
  uint32_t stretchCount_ = 0;

  Targets intact_ = 0;  // of which all that matters was forwarded
  TargetIndex target_ = kNoTarget;
  TargetIndex goal_ = kNoTarget;
  uint32_t targetsId_ = UINT32_MAX;  // of target_, goal_ and intact_
  LayerTarget aimedAt_;
  Layer goalLayer_;
  Targets aimedAvailable_ = 0;
  bool wantsKeyFrame_ = false;
  bool announcing_ = false;     // the newest stretch is still being told
  int64_t announcedFrame_ = 0;  // the frame in the chain whose end will be the end of telling
  bool announcedFrameSet_ = false;

  FrameSet forwarded_{};
  FrameSet dropped_{};
  int64_t newestFrame_ = INT64_MIN;
};

}  // namespace sluice::forward
