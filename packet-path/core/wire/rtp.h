// RTP packets (RFC 3550 §5.1) and their header extensions (RFC 8285): bytes ⇄ views. Nothing is copied or allocated.
#pragma once

#include <optional>

#include "demux.h"
#include "types.h"

namespace sluice::wire {

/// How header extension elements are written (RFC 8285 §4).
enum class ExtensionForm : uint8_t { kNone, kOneByte, kTwoByte };

/// What an RTP packet's header says and where its parts lie.
struct RtpHeader {
  uint8_t payloadType = 0;
  bool marker = false;
  uint16_t seq = 0;
  uint32_t timestamp = 0;
  Ssrc ssrc = 0;
  ExtensionForm extensionForm = ExtensionForm::kNone;  ///< kNone also for an extension of another profile
  uint16_t extensionOffset = 0;                        ///< of the first element
  uint16_t extensionSize = 0;
  uint16_t payloadOffset = 0;
  uint16_t payloadSize = 0;  ///< without padding
};

/// Reads an RTP packet. Empty when the version is not 2 or the parts do not fit the bytes.
[[nodiscard]] std::optional<RtpHeader> parseRtp(Bytes packet);

/// One header extension element.
struct ExtensionElement {
  uint8_t id = 0;
  Bytes data;
};

/// Walks the elements of an extension block. Padding is skipped; what does not fit ends the walk.
class ExtensionReader {
 public:
  ExtensionReader(Bytes elements, ExtensionForm form) : rest_(elements), form_(form) {}
  [[nodiscard]] std::optional<ExtensionElement> next();

 private:
  Bytes rest_;
  ExtensionForm form_;
};

/// The form in which one element can be written: one-byte for ids 1–14 and 1–16 bytes of data (RFC 8285 §4.2).
[[nodiscard]] constexpr ExtensionForm formFor(uint8_t id, size_t dataBytes) {
  return id >= 1 && id <= 14 && dataBytes >= 1 && dataBytes <= 16 ? ExtensionForm::kOneByte : ExtensionForm::kTwoByte;
}

/// Writes an RTP header with the extension elements that are added, one after the other, into a given span.
/// The form is chosen before the first element, because one block has one form (RFC 8285 §4.1).
class RtpHeaderWriter {
 public:
  /// `out` has room for kRtpHeaderBytes and all that is added.
  RtpHeaderWriter(MutableBytes out, ExtensionForm form) : out_(out), form_(form) {}

  void fixed(uint8_t payloadType, bool marker, uint16_t seq, uint32_t timestamp, Ssrc ssrc, bool padding);
  /// Appends an element and returns where its data begins, for whoever patches it later. Data is at most 255 bytes.
  MutableBytes add(uint8_t id, Bytes data);
  /// Ends the extension block and returns the header's size.
  [[nodiscard]] size_t finish();

  /// What `finish` will return when `elementBytes` bytes of elements (headers included) were added.
  [[nodiscard]] static constexpr size_t headerBytes(size_t elementBytes) {
    return elementBytes == 0 ? kRtpHeaderBytes : kRtpHeaderBytes + 4 + (elementBytes + 3) / 4 * 4;
  }
  [[nodiscard]] static constexpr size_t elementBytes(ExtensionForm form, size_t dataBytes) {
    return dataBytes + (form == ExtensionForm::kOneByte ? 1 : 2);
  }

 private:
  MutableBytes out_;
  ExtensionForm form_;
  size_t end_ = kRtpHeaderBytes;  // grows past the 4 bytes of the block's own header with the first element
};

}  // namespace sluice::wire
