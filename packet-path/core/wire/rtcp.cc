#include "rtcp.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sluice::wire {

namespace {

constexpr size_t kHeaderBytes = 4;
constexpr size_t kSenderInfoBytes = 24;
constexpr size_t kReportBlockBytes = 24;
constexpr uint8_t kCnameItem = 1;                 // RFC 3550 §6.5.1
constexpr uint32_t kRembIdentifier = 0x52454D42;  // "REMB"

int32_t signExtend24(uint32_t v) {
  return static_cast<int32_t>(v << 8) >> 8;
}

void writeReportBlock(uint8_t* p, const ReportBlock& b) {
  writeU32(p, b.ssrc);
  p[4] = b.fractionLost;
  // RFC 3550 §6.4.1: the count saturates at its 24 bits.
  writeU24(p + 5, static_cast<uint32_t>(std::clamp(b.lost, -0x80'0000, 0x7F'FFFF)) & 0xFF'FFFF);
  writeU32(p + 8, b.highestSeq);
  writeU32(p + 12, b.jitter);
  writeU32(p + 16, b.lastSenderReport);
  writeU32(p + 20, b.delaySinceLastReport);
}

}  // namespace

std::optional<RtcpBlock> RtcpReader::next() {
  if (rest_.empty() || malformed_) return {};
  malformed_ = true;  // until this block proves well formed
  if (rest_.size() < kHeaderBytes || rest_[0] >> 6 != 2) return {};
  const size_t bytes = kHeaderBytes + size_t{4} * readU16(rest_.data() + 2);
  if (rest_.size() < bytes || rest_[1] < 192 || rest_[1] > 223) return {};  // RFC 5761 §4

  size_t padding = 0;
  if ((rest_[0] & 0x20) != 0) {
    padding = rest_[bytes - 1];
    if (bytes == kHeaderBytes || padding == 0 || padding > bytes - kHeaderBytes) return {};
  }
  RtcpBlock block{static_cast<RtcpType>(rest_[1]), static_cast<uint8_t>(rest_[0] & 0x1F),
                  rest_.subspan(kHeaderBytes, bytes - kHeaderBytes - padding)};
  rest_ = rest_.subspan(bytes);
  malformed_ = false;
  return block;
}

std::optional<SenderInfo> readSenderInfo(const RtcpBlock& senderReport) {
  const Bytes b = senderReport.body;
  if (b.size() < kSenderInfoBytes) return {};
  return SenderInfo{readU32(b.data()), readU64(b.data() + 4), readU32(b.data() + 12), readU32(b.data() + 16),
                    readU32(b.data() + 20)};
}

ReportBlocks::ReportBlocks(const RtcpBlock& report) : left_(report.count) {
  const size_t skip = report.type == RtcpType::kSenderReport ? kSenderInfoBytes : 4;
  if (report.body.size() >= skip) rest_ = report.body.subspan(skip);
}

std::optional<ReportBlock> ReportBlocks::next() {
  if (left_ == 0 || rest_.size() < kReportBlockBytes) return {};
  const uint8_t* p = rest_.data();
  ReportBlock b{readU32(p),      p[4],           signExtend24(readU24(p + 5)), readU32(p + 8), readU32(p + 12),
                readU32(p + 16), readU32(p + 20)};
  rest_ = rest_.subspan(kReportBlockBytes);
  --left_;
  return b;
}

std::optional<Feedback> readFeedback(const RtcpBlock& feedback) {
  if (feedback.body.size() < 8) return {};
  return Feedback{readU32(feedback.body.data()), readU32(feedback.body.data() + 4), feedback.body.subspan(8)};
}

std::optional<Remb> readRemb(Bytes control) {
  if (control.size() < 8 || readU32(control.data()) != kRembIdentifier) return {};
  const size_t count = control[4];
  const uint32_t packed = readU24(control.data() + 5);
  const uint32_t exponent = packed >> 18;
  const uint64_t mantissa = packed & 0x3'FFFF;
  if (control.size() < 8 + 4 * count) return {};
  // An exponent that shifts bits out of 64 says nothing true.
  if (mantissa != 0 && exponent > static_cast<uint32_t>(std::countl_zero(mantissa))) return {};
  return Remb{mantissa << exponent, control.subspan(8, 4 * count)};
}

std::optional<CanonicalName> readCanonicalName(const RtcpBlock& sourceDescription) {
  Bytes rest = sourceDescription.body;
  if (sourceDescription.count == 0 || rest.size() < 6) return {};
  const Ssrc ssrc = readU32(rest.data());
  rest = rest.subspan(4);
  while (rest.size() >= 2 && rest[0] != 0) {
    const size_t size = rest[1];
    if (rest.size() < 2 + size) return {};
    if (rest[0] == kCnameItem) {
      const Bytes text = rest.subspan(2, size);
      return CanonicalName{ssrc, {reinterpret_cast<const char*>(text.data()), text.size()}};
    }
    rest = rest.subspan(2 + size);
  }
  return {};
}

uint8_t* RtcpWriter::begin(RtcpType type, uint8_t count, size_t bodyBytes) {
  const size_t bytes = kHeaderBytes + bodyBytes;
  if (out_.size() - size_ < bytes) return nullptr;
  uint8_t* p = out_.data() + size_;
  p[0] = static_cast<uint8_t>(0x80 | count);
  p[1] = static_cast<uint8_t>(type);
  writeU16(p + 2, static_cast<uint16_t>(bodyBytes / 4));
  size_ += bytes;
  return p + kHeaderBytes;
}

uint8_t* RtcpWriter::beginFeedback(RtcpType type, uint8_t format, Ssrc sender, Ssrc media, size_t controlBytes) {
  uint8_t* p = begin(type, format, 8 + controlBytes);
  if (p == nullptr) return nullptr;
  writeU32(p, sender);
  writeU32(p + 4, media);
  return p + 8;
}

bool RtcpWriter::senderReport(const SenderInfo& info, std::span<const ReportBlock> blocks) {
  blocks = blocks.first(std::min<size_t>(blocks.size(), 31));
  uint8_t* p = begin(RtcpType::kSenderReport, static_cast<uint8_t>(blocks.size()),
                     kSenderInfoBytes + blocks.size() * kReportBlockBytes);
  if (p == nullptr) return false;
  writeU32(p, info.ssrc);
  writeU64(p + 4, info.ntp);
  writeU32(p + 12, info.rtpTimestamp);
  writeU32(p + 16, info.packets);
  writeU32(p + 20, info.octets);
  p += kSenderInfoBytes;
  for (const ReportBlock& b : blocks) {
    writeReportBlock(p, b);
    p += kReportBlockBytes;
  }
  return true;
}

bool RtcpWriter::receiverReport(Ssrc sender, std::span<const ReportBlock> blocks) {
  blocks = blocks.first(std::min<size_t>(blocks.size(), 31));
  uint8_t* p =
      begin(RtcpType::kReceiverReport, static_cast<uint8_t>(blocks.size()), 4 + blocks.size() * kReportBlockBytes);
  if (p == nullptr) return false;
  writeU32(p, sender);
  p += 4;
  for (const ReportBlock& b : blocks) {
    writeReportBlock(p, b);
    p += kReportBlockBytes;
  }
  return true;
}

bool RtcpWriter::canonicalName(Ssrc ssrc, std::string_view name) {
  name = name.substr(0, 255);
  // RFC 3550 §6.5: items end with at least one zero octet and fill up to 32 bits.
  const size_t bytes = (4 + 2 + name.size() + 1 + 3) / 4 * 4;
  uint8_t* p = begin(RtcpType::kSourceDescription, 1, bytes);
  if (p == nullptr) return false;
  std::fill_n(p, bytes, uint8_t{0});
  writeU32(p, ssrc);
  p[4] = kCnameItem;
  p[5] = static_cast<uint8_t>(name.size());
  std::copy(name.begin(), name.end(), p + 6);
  return true;
}

bool RtcpWriter::bye(Ssrc ssrc) {
  uint8_t* p = begin(RtcpType::kBye, 1, 4);
  if (p == nullptr) return false;
  writeU32(p, ssrc);
  return true;
}

bool RtcpWriter::nack(Ssrc sender, Ssrc media, std::span<const uint16_t> seqs) {
  // Two passes over the same packing: first how many items, then the items.
  const auto pack = [seqs](auto&& item) {
    for (size_t i = 0; i < seqs.size();) {
      const uint16_t first = seqs[i];
      uint16_t bits = 0;
      for (++i; i < seqs.size(); ++i) {
        const auto ahead = static_cast<uint16_t>(seqs[i] - first);
        if (ahead == 0 || ahead > 16) break;
        bits = static_cast<uint16_t>(bits | (1U << (ahead - 1)));
      }
      item(first, bits);
    }
  };
  size_t items = 0;
  pack([&items](uint16_t, uint16_t) { ++items; });
  uint8_t* p = beginFeedback(RtcpType::kTransportFeedback, kNackFormat, sender, media, 4 * items);
  if (p == nullptr) return false;
  pack([&p](uint16_t first, uint16_t bits) {
    writeU16(p, first);
    writeU16(p + 2, bits);
    p += 4;
  });
  return true;
}

bool RtcpWriter::pli(Ssrc sender, Ssrc media) {
  return beginFeedback(RtcpType::kPayloadFeedback, kPliFormat, sender, media, 0) != nullptr;
}

bool RtcpWriter::fir(Ssrc sender, Ssrc media, uint8_t commandSeq) {
  // RFC 5104 §4.3.1.1: the media source field is zero, the entry names the source.
  uint8_t* p = beginFeedback(RtcpType::kPayloadFeedback, kFirFormat, sender, 0, 8);
  if (p == nullptr) return false;
  writeU32(p, media);
  writeU32(p + 4, uint32_t{commandSeq} << 24);
  return true;
}

bool RtcpWriter::remb(Ssrc sender, uint64_t bitsPerSecond, std::span<const Ssrc> ssrcs) {
  ssrcs = ssrcs.first(std::min<size_t>(ssrcs.size(), 255));
  uint8_t* p = beginFeedback(RtcpType::kPayloadFeedback, kApplicationFormat, sender, 0, 8 + 4 * ssrcs.size());
  if (p == nullptr) return false;
  uint32_t exponent = 0;
  while (bitsPerSecond >> exponent > 0x3'FFFF) ++exponent;
  writeU32(p, kRembIdentifier);
  p[4] = static_cast<uint8_t>(ssrcs.size());
  writeU24(p + 5, (exponent << 18) | static_cast<uint32_t>(bitsPerSecond >> exponent));
  p += 8;
  for (Ssrc s : ssrcs) {
    writeU32(p, s);
    p += 4;
  }
  return true;
}

}  // namespace sluice::wire
