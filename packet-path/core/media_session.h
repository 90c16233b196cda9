// The media of one session: what its client publishes and what it receives, and the RTCP about both.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "connection.h"
#include "receive/receiver.h"
#include "rtt.h"
#include "shard_context.h"
#include "snapshot.h"

namespace sluice {

class MediaSession final : public Publisher {
 public:
  /// Reports go out this often; libwebrtc sends video's as often.
  static constexpr TimeUs kReportIntervalUs = kSecondUs;

  /// `connection` is connected, and has a transport. `sleeper` is woken for this session's deadlines.
  MediaSession(const SessionSpec& spec, ShardContext& shard, Connection& connection, Sleeper& sleeper, TimeUs nowUs);
  /// Leaves its tracks. To be called before destruction.
  void leave(TimeUs nowUs);

  void apply(const SessionSpec& spec, TimeUs nowUs);

  /// `packet` holds one opened RTP packet.
  void receiveRtp(PacketRef packet, TimeUs nowUs);
  void receiveRtcp(Bytes compound, TimeUs nowUs);

  void wantKeyFrame(TrackKey track, uint8_t encoding, TimeUs nowUs) override;

  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);

  void snapshot(SessionSnapshot& out) const;

 private:
  struct Retired {
    Ssrc ssrc;
    SeqNo nextSeq;
  };

  void applyOutgoing(const SessionSpec& spec, TimeUs nowUs);
  void subscribe(const OutgoingTrackSpec& spec, TimeUs nowUs);
  void attach(Subscriber& subscriber, Track& track, TimeUs nowUs);
  void detach(Subscriber& subscriber, TimeUs nowUs);
  void retire(const Subscriber& subscriber);
  [[nodiscard]] SeqNo firstSeq(Ssrc ssrc);
  [[nodiscard]] Subscriber* subscriber(Ssrc ssrc) const;
  [[nodiscard]] uint64_t random();

  void receiveReports(const wire::RtcpBlock& report, TimeUs nowUs);
  void receiveFeedback(const wire::RtcpBlock& block, TimeUs nowUs);
  void askedForKeyFrame(Ssrc ssrc, TimeUs nowUs);
  void publishClock(const receive::Receiver::Heard& heard);
  void audioChanged(const receive::IncomingTrack& track, const receive::AudioActivity::State& state);

  void writeFeedback(TimeUs nowUs);
  void writeReports(TimeUs nowUs);
  void writeSenderReport(Subscriber& subscriber, wire::RtcpWriter& writer, TimeUs nowUs);

  ShardContext& shard_;
  Connection& connection_;
  Sleeper& sleeper_;
  SessionKey session_;
  receive::Receiver receiver_;
  std::unordered_map<Ssrc, std::unique_ptr<Subscriber>> subscribers_;
  std::vector<Retired> retired_;
  Rtt rtt_;
  std::unique_ptr<congestion::Estimator> estimator_;  // with the first subscription of a client that gives feedback
  wire::ExtensionMap extensions_;
  TimeUs nextReportAtUs_;
};

}  // namespace sluice
