// Which encoding of a track is worth forwarding: the highest that is alive.
#pragma once

#include <array>

#include "../packet/packet.h"

namespace sluice::forward {

/// Watches the packets of a track's encodings. An encoding dies when others go on without it: that works for thirty
/// frames a second and for a still slide, where a fixed silence would be wrong for one of them.
class Encodings {
 public:
  static constexpr size_t kMax = 16;
  /// New frames of another encoding, since this one's last packet, that prove it has stopped. 200 ms of video.
  static constexpr uint32_t kFramesBehind = 6;
  /// And at least this long: a burst of another encoding proves nothing.
  static constexpr TimeUs kMinSilenceUs = 250 * kMillisecondUs;

  /// Notes a packet. True when the preferred encoding changed.
  bool note(const Packet& packet);

  /// What a subscriber should receive, if it can: the highest encoding alive.
  [[nodiscard]] uint8_t preferred() const { return preferred_; }

 private:
  struct Encoding {
    bool alive = false;
    uint32_t timestamp = 0;
    TimeUs lastPacketAtUs = 0;
    uint32_t framesOfOthers = 0;  ///< since its last packet
  };
  std::array<Encoding, kMax> encodings_{};
  uint8_t highestSeen_ = 0;
  uint8_t preferred_ = 0;
  bool any_ = false;
};

}  // namespace sluice::forward
