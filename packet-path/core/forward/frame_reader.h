// Reads what the packets of one encoding say of their frames.
#pragma once

#include <memory>
#include <optional>

#include "../packet/packet.h"
#include "../spec.h"
#include "frame_info.h"

namespace sluice::forward {

/// Keeps what packets leave unsaid: the structure that a dependency descriptor names, the upper bits of numbers, where
/// a frame began. A descriptor is believed before a payload, from the key frame on that brings its structure.
class FrameReader {
 public:
  FrameReader();
  ~FrameReader();
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;

  /// The next packet of the encoding, in order of arrival.
  void read(const Packet& packet, Codec codec, FrameInfo& out);
  /// A packet that was read before, once more: what it says by what is known now.
  void readAgain(const Packet& packet, Codec codec, FrameInfo& out) const;

 private:
  struct Described;

  void readPayload(const Packet& packet, Codec codec, FrameInfo& out) const;
  void learnLayers(FrameInfo& out);
  void learn(const Packet& packet, Bytes descriptor, FrameInfo& out);
  [[nodiscard]] bool startsByTime(const Packet& packet) const;
  void restart(Ssrc ssrc);

  std::unique_ptr<Described> described_;    // made with the first structure
  std::unique_ptr<DecodeTargets> layered_;  // where payloads tell layers: those that are there
  uint8_t spatialLayers_ = 0;
  uint8_t temporalLayers_ = 0;
  bool byDescriptor_ = false;  // of the coded video sequence at hand
  bool byMarking_ = false;     // likewise
  int64_t newestPicture_ = FrameInfo::kNoPicture;
  Ssrc ssrc_ = 0;
  SeqNo newestSeq_ = INT64_MIN;
  uint32_t newestTimestamp_ = 0;
};

/// The payload of a packet's first dependency descriptor; empty when it has none.
[[nodiscard]] Bytes dependencyDescriptor(const Packet& packet);

}  // namespace sluice::forward
