// One RTP stream that a client sends: numbers, header extensions, repair (RFC 4588), reports.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../core/wire/header_extensions.h"
#include "../core/wire/rtcp.h"
#include "../core/wire/rtp.h"

namespace sluice::peer {

/// Where media leaves.
class MediaOut {
 public:
  virtual ~MediaOut() = default;
  virtual void sendRtp(std::span<const Bytes> packets) = 0;
  virtual void sendRtcp(Bytes compound) = 0;
};

/// What all streams of a client's transport share.
struct OutgoingTransport {
  wire::ExtensionMap extensions;
  uint16_t nextTransportSeq = 0;
};

class OutgoingRtp {
 public:
  /// Payload bytes that leave room for headers, extensions, a repair header and the SRTP tag in 1200 bytes, which is
  /// what browsers' packets are held to.
  static constexpr size_t kMaxPayloadBytes = 1'130;

  struct Config {
    Ssrc ssrc = 0;
    std::optional<Ssrc> rtxSsrc;
    std::optional<uint8_t> rtxPayloadType;
    std::string mid;
    std::string rid;
    uint32_t clockRateHz = 90'000;
    /// Packets kept for repair; a power of two.
    size_t history = 0;
  };
  struct Fields {
    uint8_t payloadType = 0;
    bool marker = false;
    uint32_t timestamp = 0;
    std::optional<uint8_t> audioLevel;
  };
  struct Totals {
    uint64_t packets = 0;
    uint64_t bytes = 0;  ///< of payload
    uint64_t resent = 0;
    uint64_t resentBytes = 0;
    uint64_t nacks = 0;    ///< packets asked for
    uint64_t unknown = 0;  ///< of these, not there any more
  };

  /// `firstSeq` and `firstRtxSeq` are random, below 2^15 (RFC 3711 §3.3.1).
  OutgoingRtp(Config config, uint16_t firstSeq, uint16_t firstRtxSeq);

  /// Writes the next packet; it is valid until its place in the history is used again.
  [[nodiscard]] Bytes write(const Fields& fields, Bytes payload, OutgoingTransport& transport);
  /// Sends again what a NACK names.
  void resend(Bytes control, OutgoingTransport& transport, MediaOut& out);

  /// Empty before the first packet. `time` is what others read: microseconds since 1970, or any clock that runs alike;
  /// `timestamp` is the same moment on the stream's clock.
  [[nodiscard]] std::optional<wire::SenderInfo> senderReport(TimeUs time, uint32_t timestamp) const;
  /// What the receiver said of this stream. The round trip, when it answers a report.
  std::optional<TimeUs> receiverReport(const wire::ReportBlock& block, TimeUs time);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] const wire::ReportBlock& lastReport() const { return lastReport_; }

 private:
  struct Sent {
    int32_t seq = -1;
    Fields fields;
    size_t payloadOffset = 0;
    std::vector<uint8_t> bytes;
  };

  [[nodiscard]] size_t writeHeader(const Fields& fields, bool repair, uint16_t seq, OutgoingTransport& transport,
                                   MutableBytes out) const;
  [[nodiscard]] Bytes repairOf(const Sent& sent, OutgoingTransport& transport);

  Config config_;
  std::vector<Sent> sent_;
  std::vector<uint8_t> repair_;
  uint16_t seq_;
  uint16_t rtxSeq_;
  Totals totals_;
  wire::ReportBlock lastReport_;
  /// A receiver that has reported on this SSRC knows what it is: MID and RID are written no longer, as in libwebrtc.
  bool acknowledged_ = false;
};

}  // namespace sluice::peer
