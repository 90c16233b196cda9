// RTCP: compound packets (RFC 3550 §6), feedback (RFC 4585, RFC 5104), transport-wide congestion control feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01) and REMB (draft-alvestrand-rmcat-remb-03).
// Readers are views over given bytes; the writer appends to a given span. Nothing is allocated.
#pragma once

#include <optional>
#include <string_view>

#include "types.h"

namespace sluice::wire {

enum class RtcpType : uint8_t {
  kSenderReport = 200,
  kReceiverReport = 201,
  kSourceDescription = 202,
  kBye = 203,
  kApplication = 204,
  kTransportFeedback = 205,  // RFC 4585 §6.2
  kPayloadFeedback = 206,    // RFC 4585 §6.3
  kExtendedReport = 207,     // RFC 3611
};

/// Feedback message types (`count` of a feedback block).
inline constexpr uint8_t kNackFormat = 1;            // RFC 4585 §6.2.1
inline constexpr uint8_t kTransportWideFormat = 15;  // draft-holmer §3.1
inline constexpr uint8_t kPliFormat = 1;             // RFC 4585 §6.3.1
inline constexpr uint8_t kFirFormat = 4;             // RFC 5104 §4.3.1
inline constexpr uint8_t kApplicationFormat = 15;    // RFC 4585 §6.4: REMB

/// One packet of a compound.
struct RtcpBlock {
  RtcpType type{};
  uint8_t count = 0;  ///< report count, source count or feedback format
  Bytes body;         ///< after the 4-byte header, without padding
};

/// Walks a compound packet. Reduced-size ones too (RFC 5506): the first block may be of any type.
class RtcpReader {
 public:
  explicit RtcpReader(Bytes compound) : rest_(compound) {}
  [[nodiscard]] std::optional<RtcpBlock> next();
  /// True when the walk ended before the bytes did.
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  Bytes rest_;
  bool malformed_ = false;
};

struct SenderInfo {
  Ssrc ssrc = 0;
  uint64_t ntp = 0;  ///< 32.32 fixed point seconds since 1900
  uint32_t rtpTimestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;
  friend bool operator==(const SenderInfo&, const SenderInfo&) = default;
};

struct ReportBlock {
  Ssrc ssrc = 0;
  uint8_t fractionLost = 0;           ///< in 256ths
  int32_t lost = 0;                   ///< 24 bit, signed
  uint32_t highestSeq = 0;            ///< 16 bits of cycles, 16 bits of sequence number
  uint32_t jitter = 0;                ///< in timestamp units
  uint32_t lastSenderReport = 0;      ///< middle 32 bits of the NTP time of the last SR
  uint32_t delaySinceLastReport = 0;  ///< in 1/65536 s
  friend bool operator==(const ReportBlock&, const ReportBlock&) = default;
};

/// The middle 32 bits of an NTP timestamp, as LSR carries them.
[[nodiscard]] constexpr uint32_t compactNtp(uint64_t ntp) {
  return static_cast<uint32_t>(ntp >> 16);
}
/// Microseconds as 32.32 fixed point seconds.
[[nodiscard]] constexpr uint64_t ntpFromUs(TimeUs us) {
  const auto u = static_cast<uint64_t>(us);
  return ((u / 1'000'000) << 32) | (((u % 1'000'000) << 32) / 1'000'000);
}

[[nodiscard]] std::optional<SenderInfo> readSenderInfo(const RtcpBlock& senderReport);

/// The report blocks of a sender or receiver report: `count` of them, as far as the bytes go.
class ReportBlocks {
 public:
  explicit ReportBlocks(const RtcpBlock& report);
  [[nodiscard]] std::optional<ReportBlock> next();

 private:
  Bytes rest_;
  size_t left_ = 0;
};

/// The common part of RFC 4585 §6.1.
struct Feedback {
  Ssrc sender = 0;
  Ssrc media = 0;
  Bytes control;  ///< FCI
};
[[nodiscard]] std::optional<Feedback> readFeedback(const RtcpBlock& feedback);

/// Calls `ask(seq)` for every sequence number of a generic NACK's control information.
template <typename Ask>
void readNacks(Bytes control, Ask&& ask) {
  for (; control.size() >= 4; control = control.subspan(4)) {
    const uint16_t first = readU16(control.data());
    ask(first);
    uint16_t bits = readU16(control.data() + 2);
    for (uint16_t i = 1; bits != 0; ++i, bits = static_cast<uint16_t>(bits >> 1)) {
      if ((bits & 1) != 0) ask(static_cast<uint16_t>(first + i));
    }
  }
}

/// Calls `ask(ssrc)` for every source that a full intra request names.
template <typename Ask>
void readFullIntraRequests(Bytes control, Ask&& ask) {
  for (; control.size() >= 8; control = control.subspan(8)) ask(readU32(control.data()));
}

/// Receiver estimated maximum bitrate.
struct Remb {
  uint64_t bitsPerSecond = 0;
  Bytes ssrcs;  ///< 4 bytes each
};
[[nodiscard]] std::optional<Remb> readRemb(Bytes control);

/// Calls `leave(ssrc)` for every source of a BYE.
template <typename Leave>
void readBye(const RtcpBlock& bye, Leave&& leave) {
  Bytes rest = bye.body;
  for (uint8_t i = 0; i < bye.count && rest.size() >= 4; ++i, rest = rest.subspan(4)) leave(readU32(rest.data()));
}

/// The first CNAME in a source description, and whose it is.
struct CanonicalName {
  Ssrc ssrc = 0;
  std::string_view name;
};
[[nodiscard]] std::optional<CanonicalName> readCanonicalName(const RtcpBlock& sourceDescription);

/// Arrival times in a transport-wide feedback are counted in these.
inline constexpr TimeUs kTransportTickUs = 250;
/// "Not received" where an arrival tick is expected.
inline constexpr int64_t kNotReceived = INT64_MIN;

/// Walks the packets of one transport-wide feedback message.
class TransportFeedbackReader {
 public:
  struct Status {
    uint16_t seq = 0;
    /// Ticks since the receiver's own epoch, modulo 2^32 ticks; kNotReceived when the packet did not arrive.
    int64_t arrivalTicks = kNotReceived;
  };

  [[nodiscard]] static std::optional<TransportFeedbackReader> open(Bytes control);
  /// Empty after the last packet, and when the message ends early.
  [[nodiscard]] std::optional<Status> next();

  [[nodiscard]] uint16_t baseSeq() const { return seq_; }
  [[nodiscard]] uint16_t packets() const { return left_; }
  [[nodiscard]] uint8_t feedbackCount() const { return feedbackCount_; }

 private:
  TransportFeedbackReader() = default;
  [[nodiscard]] uint8_t nextSymbol();

  Bytes chunks_;  // what is left of the status chunks
  Bytes deltas_;  // what is left of the receive deltas
  uint16_t chunk_ = 0;
  uint16_t chunkLeft_ = 0;  // symbols left in `chunk_`
  uint16_t seq_ = 0;
  uint16_t left_ = 0;
  int64_t ticks_ = 0;
  uint8_t feedbackCount_ = 0;
};

/// Appends RTCP packets to a span. A packet that does not fit is left out whole and its method returns false.
class RtcpWriter {
 public:
  explicit RtcpWriter(MutableBytes out) : out_(out) {}

  [[nodiscard]] Bytes written() const { return out_.first(size_); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t room() const { return out_.size() - size_; }

  /// At most 31 blocks (5 bits of count).
  bool senderReport(const SenderInfo& info, std::span<const ReportBlock> blocks);
  bool receiverReport(Ssrc sender, std::span<const ReportBlock> blocks);
  /// SDES with one chunk and one CNAME item of at most 255 bytes.
  bool canonicalName(Ssrc ssrc, std::string_view name);
  bool bye(Ssrc ssrc);
  /// `seqs` in ascending order (modulo 2^16).
  bool nack(Ssrc sender, Ssrc media, std::span<const uint16_t> seqs);
  bool pli(Ssrc sender, Ssrc media);
  bool fir(Ssrc sender, Ssrc media, uint8_t commandSeq);
  bool remb(Ssrc sender, uint64_t bitsPerSecond, std::span<const Ssrc> ssrcs);
  /// Feedback for `arrivals.size()` packets from `baseSeq` on; the first of them was received. An arrival is in
  /// ticks. Returns how many packets the message covers: fewer than given when a gap between two arrivals does not
  /// fit 16 bits, or no more fit the span; 0 when nothing fits.
  size_t transportFeedback(Ssrc sender, Ssrc media, uint16_t baseSeq, uint8_t feedbackCount,
                           std::span<const int64_t> arrivals);

 private:
  // Starts a packet of `bodyBytes` (a multiple of 4); null when there is no room.
  uint8_t* begin(RtcpType type, uint8_t count, size_t bodyBytes);
  uint8_t* beginFeedback(RtcpType type, uint8_t format, Ssrc sender, Ssrc media, size_t controlBytes);

  MutableBytes out_;
  size_t size_ = 0;
};

}  // namespace sluice::wire
