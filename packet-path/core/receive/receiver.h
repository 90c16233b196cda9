// The receiving side of one session: which stream a packet belongs to, and everything that goes back to the publisher.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "incoming_track.h"
#include "transport_recorder.h"

namespace sluice::receive {

class Receiver {
 public:
  /// The SSRC under which feedback goes out when a session sends no media; libwebrtc does the same.
  static constexpr Ssrc kFeedbackSsrc = 1;

  /// Makes the tracks equal to these. Calls `gone(track)` for each that was there and is not any more.
  template <typename Gone>
  void apply(std::span<const IncomingTrackSpec> tracks, const wire::ExtensionMap& extensions, Gone&& gone) {
    for (size_t i = 0; i < tracks_.size();) {
      if (named(tracks, tracks_[i]->key())) {
        ++i;
        continue;
      }
      gone(*tracks_[i]);
      tracks_.erase(tracks_.begin() + static_cast<ptrdiff_t>(i));
    }
    take(tracks, extensions);
  }

  struct Result {
    IncomingTrack* track = nullptr;  ///< null when no track was found
    IncomingTrack::Received received{Verdict::kUnknownSource, false, {}, {}};
  };
  /// `packet.bytes` holds an opened RTP packet that `header` describes. Fills the packet when it is accepted.
  Result receive(Packet& packet, const wire::RtpHeader& header, TimeUs nowUs);

  /// One encoding of a track that is being received.
  struct Heard {
    IncomingTrack* track = nullptr;
    uint8_t encoding = 0;
    const IncomingStream* stream = nullptr;
  };
  /// Whose clock this is, if it is one of ours.
  std::optional<Heard> senderReport(const wire::SenderInfo& info, TimeUs nowUs);
  /// Gives encodings a clock made of arrival times when their publisher has sent no report on any of them for so long
  /// that it probably never will. Calls `made(heard)` for each.
  template <typename Made>
  void standInForReports(TimeUs nowUs, Made&& made) {
    if (hasReports_) return;
    for (const auto& track : tracks_) {
      uint8_t index = 0;
      for (IncomingTrack::Encoding& e : track->encodings()) {
        if (e.stream && e.stream->standInForReports(nowUs)) made(Heard{track.get(), index, e.stream.get()});
        ++index;
      }
    }
  }

  /// Appends feedback that is due: NACK, PLI, transport-wide. When `more`, call again with an empty writer.
  struct Written {
    uint64_t nacks = 0;
    uint64_t keyFrames = 0;
    uint64_t transportFeedbacks = 0;
    bool more = false;
  };
  [[nodiscard]] Written writeDue(wire::RtcpWriter& writer, Ssrc sender, TimeUs nowUs, TimeUs rttUs);
  /// Of writeDue, and of the tracks' audio windows.
  [[nodiscard]] TimeUs nextDeadline() const;
  /// The part of it that a packet of `track` (null: of none) can have changed.
  [[nodiscard]] TimeUs nextDeadline(const IncomingTrack* track) const {
    const TimeUs transport = transport_ ? transport_->nextDeadline() : kNever;
    return track == nullptr ? transport : std::min(transport, track->nextDeadline());
  }

  /// Report blocks of streams that were heard, as many as fit, beginning with the `from`th stream. Returns where to go
  /// on, or 0 at the end.
  struct Reports {
    size_t count = 0;
    size_t next = 0;
  };
  [[nodiscard]] Reports reports(size_t from, std::span<wire::ReportBlock> out, TimeUs nowUs);

  [[nodiscard]] std::span<const std::unique_ptr<IncomingTrack>> tracks() const { return tracks_; }
  [[nodiscard]] IncomingTrack* find(TrackKey key) const;

 private:
  struct Source {
    Ssrc ssrc = 0;
    IncomingTrack* track = nullptr;
    uint8_t encoding = 0;
    bool repair = false;
  };
  /// What a packet of an unknown SSRC says about itself (RFC 8843 §9.2, RFC 8852).
  struct Identification {
    std::string_view mid;
    std::string_view rid;
    std::string_view repairedRid;
  };

  [[nodiscard]] static bool named(std::span<const IncomingTrackSpec> tracks, TrackKey key);
  void take(std::span<const IncomingTrackSpec> tracks, const wire::ExtensionMap& extensions);
  void rebuildSources();
  [[nodiscard]] const Source* find(Ssrc ssrc);
  [[nodiscard]] const Source* learn(const wire::RtpHeader& header, const Identification& says);
  [[nodiscard]] IncomingTrack* identify(uint8_t payloadType, const Identification& says) const;
  void readExtensions(Packet& packet, const wire::RtpHeader& header, Identification& says, TimeUs nowUs);

  wire::ExtensionMap extensions_;
  std::vector<std::unique_ptr<IncomingTrack>> tracks_;
  std::vector<Source> sources_;  // a handful: searched from the last hit
  size_t lastHit_ = 0;
  bool transportCc_ = false;
  bool hasReports_ = false;
  std::unique_ptr<TransportRecorder> transport_;  // made with the first packet that carries a number
};

}  // namespace sluice::receive
