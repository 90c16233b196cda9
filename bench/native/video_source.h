// A camera that sends 1.5 Mbit/s of VP8 in frame bursts: as an encoder's packets arrive, but for their content.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "../../packet-path/core/wire/types.h"

namespace sluice::bench {

struct VideoSourceConfig {
  Ssrc ssrc = 0;
  uint8_t payloadType = 96;
  uint8_t midExtension = 0;          ///< wire ids; 0: not sent
  uint8_t transportCcExtension = 0;  ///< RTP transport-wide sequence number
  char mid = '0';
  size_t packetBytes = 1'200;            ///< of RTP
  std::vector<uint32_t> framePackets{};  ///< packets of each frame, in turn
};

class VideoSource {
 public:
  /// Every so many frames one that a decoder can start from.
  static constexpr uint32_t kKeyFrameInterval = 90;
  static constexpr uint32_t kTicksPerFrame = 3'000;  // 90 kHz at 30 frames a second
  /// Where in the payload the moment of sending stands, in nanoseconds since 1970.
  static constexpr size_t kSentAtInPayload = 8;

  explicit VideoSource(VideoSourceConfig config) : config_(std::move(config)) {}

  /// The packets of the next frame, valid until the next call.
  std::span<const Bytes> nextFrame(uint64_t unixNs) {
    const uint32_t count = config_.framePackets[frame_ % config_.framePackets.size()];
    store_.resize(count * config_.packetBytes);
    packets_.clear();
    for (uint32_t i = 0; i < count; ++i) {
      const MutableBytes packet{store_.data() + i * config_.packetBytes, config_.packetBytes};
      write(packet, i == 0, i + 1 == count, unixNs);
      packets_.push_back(packet);
    }
    ++frame_;
    return packets_;
  }

 private:
  static constexpr size_t kHeaderBytes = 24;

  void write(MutableBytes packet, bool first, bool last, uint64_t unixNs) {
    uint8_t* p = packet.data();
    std::memset(p, 0, kHeaderBytes);
    p[0] = 0x90;  // version 2, with extension
    p[1] = static_cast<uint8_t>((last ? 0x80 : 0) | config_.payloadType);
    writeU16(p + 2, ++seq_);
    writeU32(p + 4, frame_ * kTicksPerFrame);
    writeU32(p + 8, config_.ssrc);
    writeU32(p + 12, 0xBEDE'0002);  // RFC 8285 §4.2, two words of elements
    uint8_t* element = p + 16;
    if (config_.transportCcExtension != 0) {
      element[0] = static_cast<uint8_t>(config_.transportCcExtension << 4 | 1);
      writeU16(element + 1, ++transportSeq_);
      element += 3;
    }
    if (config_.midExtension != 0) {
      element[0] = static_cast<uint8_t>(config_.midExtension << 4);
      element[1] = static_cast<uint8_t>(config_.mid);
    }
    // RFC 7741 §4.2, §4.3: start of a partition; inverse key frame flag.
    p[kHeaderBytes] = first ? 0x10 : 0x00;
    p[kHeaderBytes + 1] = frame_ % kKeyFrameInterval == 0 ? 0x00 : 0x01;
    writeU64(p + kHeaderBytes + kSentAtInPayload, unixNs);
  }

  VideoSourceConfig config_;
  std::vector<uint8_t> store_;
  std::vector<Bytes> packets_;
  uint32_t frame_ = 0;
  uint16_t seq_ = 0;
  uint16_t transportSeq_ = 0;
};

}  // namespace sluice::bench
