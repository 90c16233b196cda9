#include "encodings.h"

namespace sluice::forward {

bool Encodings::note(const Packet& packet) {
  if (packet.encoding >= kMax) return false;
  Encoding& mine = encodings_[packet.encoding];
  const bool newFrame = !mine.alive || mine.timestamp != packet.timestamp;
  mine.alive = true;
  mine.timestamp = packet.timestamp;
  mine.lastPacketAtUs = packet.receivedAtUs;
  mine.framesOfOthers = 0;
  if (packet.encoding > highestSeen_) highestSeen_ = packet.encoding;
  const uint8_t before = preferred_;
  const bool first = !any_;
  any_ = true;

  if (newFrame && highestSeen_ > 0) {
    for (uint8_t i = 0; i <= highestSeen_; ++i) {
      Encoding& other = encodings_[i];
      if (i == packet.encoding || !other.alive) continue;
      ++other.framesOfOthers;
      if (other.framesOfOthers >= kFramesBehind && packet.receivedAtUs - other.lastPacketAtUs >= kMinSilenceUs) {
        other.alive = false;
      }
    }
  }
  preferred_ = highestSeen_;
  while (preferred_ > 0 && !encodings_[preferred_].alive) --preferred_;
  return first || preferred_ != before;
}

}  // namespace sluice::forward
