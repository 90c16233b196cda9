#include "rtp.h"

#include <algorithm>
#include <cstring>

namespace sluice::wire {

namespace {

constexpr size_t kExtensionHeaderBytes = 4;   // RFC 3550 §5.3.1
constexpr uint16_t kOneByteProfile = 0xBEDE;  // RFC 8285 §4.2
constexpr uint16_t kTwoByteProfile = 0x1000;  // RFC 8285 §4.3: 0x100, then 4 application bits
constexpr uint16_t kTwoByteProfileMask = 0xFFF0;

ExtensionForm formOf(uint16_t profile) {
  if (profile == kOneByteProfile) return ExtensionForm::kOneByte;
  if ((profile & kTwoByteProfileMask) == kTwoByteProfile) return ExtensionForm::kTwoByte;
  return ExtensionForm::kNone;
}

}  // namespace

std::optional<RtpHeader> parseRtp(Bytes packet) {
  if (packet.size() < kRtpHeaderBytes || packet.size() > UINT16_MAX || packet[0] >> 6 != 2) return {};
  const uint8_t* p = packet.data();
  RtpHeader h;
  h.marker = (p[1] & 0x80) != 0;
  h.payloadType = p[1] & 0x7F;
  h.seq = readU16(p + 2);
  h.timestamp = readU32(p + 4);
  h.ssrc = readU32(p + 8);

  size_t at = kRtpHeaderBytes + size_t{4} * (p[0] & 0x0F);  // CSRCs
  if ((p[0] & 0x10) != 0) {
    if (packet.size() < at + kExtensionHeaderBytes) return {};
    const size_t bytes = size_t{4} * readU16(p + at + 2);
    h.extensionForm = formOf(readU16(p + at));
    at += kExtensionHeaderBytes;
    if (packet.size() < at + bytes) return {};
    h.extensionOffset = static_cast<uint16_t>(at);
    h.extensionSize = static_cast<uint16_t>(bytes);
    at += bytes;
  }
  if (packet.size() < at) return {};

  size_t padding = 0;
  if ((p[0] & 0x20) != 0) {
    // RFC 3550 §5.1: the last octet counts the padding, itself included.
    if (packet.size() == at) return {};
    padding = packet.back();
    if (padding == 0 || padding > packet.size() - at) return {};
  }
  h.payloadOffset = static_cast<uint16_t>(at);
  h.payloadSize = static_cast<uint16_t>(packet.size() - at - padding);
  return h;
}

std::optional<ExtensionElement> ExtensionReader::next() {
  while (!rest_.empty() && form_ != ExtensionForm::kNone) {
    if (rest_[0] == 0) {  // padding
      rest_ = rest_.subspan(1);
      continue;
    }
    ExtensionElement element;
    size_t header = 0;
    size_t size = 0;
    if (form_ == ExtensionForm::kOneByte) {
      element.id = rest_[0] >> 4;
      size = size_t{rest_[0] & 0x0FU} + 1;
      header = 1;
      // RFC 8285 §4.2: id 15 ends the block; id 0 with a length is not padding, nor anything else.
      if (element.id == 15 || element.id == 0) break;
    } else {
      if (rest_.size() < 2) break;
      element.id = rest_[0];
      size = rest_[1];
      header = 2;
    }
    if (rest_.size() < header + size) break;
    element.data = rest_.subspan(header, size);
    rest_ = rest_.subspan(header + size);
    return element;
  }
  rest_ = {};
  return {};
}

void RtpHeaderWriter::fixed(uint8_t payloadType, bool marker, uint16_t seq, uint32_t timestamp, Ssrc ssrc,
                            bool padding) {
  uint8_t* p = out_.data();
  p[0] = static_cast<uint8_t>(0x80 | (padding ? 0x20 : 0));
  p[1] = static_cast<uint8_t>((marker ? 0x80 : 0) | payloadType);
  writeU16(p + 2, seq);
  writeU32(p + 4, timestamp);
  writeU32(p + 8, ssrc);
}

MutableBytes RtpHeaderWriter::add(uint8_t id, Bytes data) {
  if (end_ == kRtpHeaderBytes) end_ += kExtensionHeaderBytes;
  uint8_t* p = out_.data() + end_;
  size_t header = 1;
  if (form_ == ExtensionForm::kOneByte) {
    p[0] = static_cast<uint8_t>((size_t{id} << 4) | (data.size() - 1));
  } else {
    p[0] = id;
    p[1] = static_cast<uint8_t>(data.size());
    header = 2;
  }
  std::copy_n(data.data(), data.size(), p + header);
  end_ += header + data.size();
  return {p + header, data.size()};
}

size_t RtpHeaderWriter::finish() {
  if (end_ == kRtpHeaderBytes) return end_;
  while ((end_ - kRtpHeaderBytes) % 4 != 0) out_[end_++] = 0;
  uint8_t* p = out_.data();
  p[0] |= 0x10;
  writeU16(p + kRtpHeaderBytes, form_ == ExtensionForm::kOneByte ? kOneByteProfile : kTwoByteProfile);
  writeU16(p + kRtpHeaderBytes + 2, static_cast<uint16_t>((end_ - kRtpHeaderBytes - kExtensionHeaderBytes) / 4));
  return end_;
}

}  // namespace sluice::wire
