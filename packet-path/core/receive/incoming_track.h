// One track that a client publishes: its payload types, its encodings, and who speaks in it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "../spec.h"
#include "../wire/rtp.h"
#include "audio_activity.h"
#include "incoming_stream.h"

namespace sluice {
struct Track;
}

namespace sluice::receive {

class IncomingTrack {
 public:
  /// One encoding: a simulcast stream, or the only one. Which SSRC sends it may be learnt, and change.
  struct Encoding {
    std::string rid;
    std::optional<Ssrc> ssrc;
    std::optional<Ssrc> rtxSsrc;
    std::unique_ptr<IncomingStream> stream;  ///< set with the first packet
  };

  /// As many as a session's spec may name; more are not looked at.
  static constexpr size_t kMaxEncodings = 16;

  explicit IncomingTrack(const IncomingTrackSpec& spec) { apply(spec); }

  /// Takes over a changed spec. What did not change goes on undisturbed.
  void apply(const IncomingTrackSpec& spec);

  struct Received {
    Verdict verdict = Verdict::kUnknownPayloadType;
    bool started = false;  ///< the first packet of the track
    std::optional<AudioActivity::State> activity;
    std::optional<TimeUs> rttSampleUs;
  };
  /// `packet` holds an opened packet that `header` describes; its fields are filled in here. `repair`: it came on the
  /// encoding's retransmission stream (RFC 4588).
  Received receive(Packet& packet, const wire::RtpHeader& header, size_t encoding, bool repair, TimeUs nowUs);

  /// Gives encoding `index` to a new sender.
  void adopt(size_t index, Ssrc ssrc, bool repair);

  enum class PayloadKind : uint8_t { kUnknown, kMedia, kRepair };
  [[nodiscard]] PayloadKind payloadKind(uint8_t payloadType) const { return payloads_[payloadType].kind; }

  [[nodiscard]] TrackKey key() const { return spec_.track; }
  [[nodiscard]] MediaKind kind() const { return spec_.kind; }
  [[nodiscard]] const IncomingTrackSpec& spec() const { return spec_; }
  [[nodiscard]] std::span<Encoding> encodings() { return encodings_; }
  [[nodiscard]] std::span<const Encoding> encodings() const { return encodings_; }
  [[nodiscard]] AudioActivity& activity() { return activity_; }
  [[nodiscard]] const AudioActivity& activity() const { return activity_; }

  /// Where accepted packets go. Carried for the session, never looked into.
  Track* destination = nullptr;

  void wantKeyFrame(size_t encoding, TimeUs nowUs);
  /// Of its streams and of its audio window.
  [[nodiscard]] TimeUs nextDeadline() const;

 private:
  struct Payload {
    PayloadKind kind = PayloadKind::kUnknown;
    uint8_t format = 0;  ///< index into formats_
  };

  void findPrimary(Packet& packet) const;

  IncomingTrackSpec spec_;
  std::vector<PayloadFormat> formats_;
  std::array<Payload, 128> payloads_{};
  std::vector<Encoding> encodings_;
  AudioActivity activity_;
  bool started_ = false;
};

}  // namespace sluice::receive
