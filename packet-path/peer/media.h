// All media of one client: sources that make packets, sinks that judge what arrives, and the RTCP between both ends.
// The receiving half is the server's own (core/receive); what becomes of its packets is a model of a browser's.
// Joins; decides nothing. Given time and opened packets; gives packets, and when it must be called again.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "../core/receive/receiver.h"
#include "../core/rtt.h"
#include "audio_source.h"
#include "media_report.h"
#include "media_spec.h"
#include "video_source.h"

namespace sluice::peer {

class Media {
 public:
  struct Options {
    uint64_t seed = 0;
    /// Added to the driver's time where both ends must agree on it: in marks and reports.
    TimeUs clockOffsetUs = 0;
  };

  explicit Media(Options options) : options_(options), seeds_(options.seed) {}

  /// Makes sources and sinks equal to these; what did not change goes on undisturbed.
  void apply(const MediaSpec& spec, TimeUs nowUs);
  /// Keys are there. Nothing is sent before.
  void start(TimeUs nowUs);
  /// What the network carries, shared among the video sources.
  void setTarget(uint64_t bitsPerSecond);

  void receiveRtp(Bytes packet, TimeUs nowUs);
  void receiveRtcp(Bytes compound, TimeUs nowUs, MediaOut& out);
  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs, MediaOut& out);

  [[nodiscard]] MediaReport report(TimeUs nowUs);

 private:
  struct Sink {
    SinkSpec spec;
    std::variant<VideoPlayout, AudioPlayout> playout;
  };

  void applySources(TimeUs nowUs);
  void applySinks();
  [[nodiscard]] OutgoingRtp* outgoing(Ssrc ssrc);
  [[nodiscard]] VideoSource* videoSource(Ssrc ssrc);
  [[nodiscard]] Sink* sink(Ssrc ssrc);
  void play(Sink& sink, const receive::IncomingTrack& track, TimeUs nowUs);
  void receiveReports(const wire::RtcpBlock& block, TimeUs nowUs);
  void receiveFeedback(const wire::RtcpBlock& block, MediaOut& out);
  void writeFeedback(TimeUs nowUs, MediaOut& out);
  void writeReports(TimeUs nowUs, MediaOut& out);
  void writeSenderReport(const OutgoingRtp& rtp, uint32_t timestamp, TimeUs nowUs, MediaOut& out);
  [[nodiscard]] SourceContext context(MediaOut& out) { return {transport_, out, options_.clockOffsetUs}; }

  Options options_;
  Variation seeds_;
  MediaSpec spec_;
  OutgoingTransport transport_;
  std::vector<std::unique_ptr<VideoSource>> video_;
  std::vector<std::unique_ptr<AudioSource>> audio_;
  receive::Receiver receiver_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  Packet scratch_;
  Rtt rtt_;
  uint64_t target_ = UINT64_MAX;
  uint64_t unknownSource_ = 0;
  TimeUs nextReportUs_ = kNever;
  bool started_ = false;
};

}  // namespace sluice::peer
