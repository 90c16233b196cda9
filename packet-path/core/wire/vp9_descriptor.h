// The VP9 payload descriptor (RFC 9628 §4.2): bytes ⇄ fields.
#pragma once

#include <array>
#include <optional>

#include "types.h"

namespace sluice::wire {

/// RFC 9628 §4.2.1, as far as a forwarder needs it.
struct Vp9ScalabilityStructure {
  static constexpr size_t kMaxSpatialLayers = 8;
  uint8_t spatialLayers = 1;  ///< N_S + 1
  bool hasResolutions = false;
  std::array<uint16_t, kMaxSpatialLayers> widths{};
  std::array<uint16_t, kMaxSpatialLayers> heights{};
  uint8_t pictures = 0;        ///< N_G: of the picture group, 0 when it is not described
  uint8_t temporalLayers = 1;  ///< of the picture group
};

struct Vp9Descriptor {
  bool interPicture = false;       ///< P: predicted from other pictures
  bool flexible = false;           ///< F
  bool startsFrame = false;        ///< B, of a layer frame
  bool endsFrame = false;          ///< E
  bool notReferredUpward = false;  ///< Z: no frame of a higher spatial layer depends on this one
  std::optional<uint16_t> pictureId;
  bool longPictureId = false;  ///< 15 bits, else 7
  bool hasLayers = false;      ///< L: the next four, and in non-flexible mode TL0PICIDX
  uint8_t temporalLayer = 0;   ///< TID
  bool switchingUp = false;    ///< U: later pictures of higher temporal layers depend on none before this one
  uint8_t spatialLayer = 0;    ///< SID
  bool interLayer = false;     ///< D: depends on the next lower spatial layer of its picture
  std::optional<uint8_t> tl0PicIdx;
  uint8_t references = 0;  ///< P_DIFFs, in flexible mode
  std::array<uint8_t, 3> referenceDiffs{};
  std::optional<Vp9ScalabilityStructure> structure;
  uint8_t prefixSize = 0;  ///< of the front that holds picture id, layers and TL0PICIDX
  uint16_t size = 0;       ///< of the descriptor

  /// The first packet of a picture that depends on no other (RFC 9628 §4.2: P unset, SID 0).
  [[nodiscard]] bool startsKeyPicture() const { return startsFrame && !interPicture && spatialLayer == 0; }
};

/// Of the front that `writeVp9Prefix` writes.
inline constexpr size_t kMaxVp9PrefixBytes = 5;

/// Reads the descriptor at the front of a payload. Empty when it does not fit.
[[nodiscard]] std::optional<Vp9Descriptor> parseVp9Descriptor(Bytes payload);

/// Writes the front again up to and including TL0PICIDX: what comes behind `prefixSize` in the payload stays as it is.
/// `first` is the payload's first octet. Returns the bytes written.
size_t writeVp9Prefix(const Vp9Descriptor& descriptor, uint8_t first, MutableBytes out);

}  // namespace sluice::wire
