// The media of one session: what its client publishes and what it receives, and the RTCP about both.
#pragma once

#include <memory>

#include "connection.h"
#include "receive/receiver.h"
#include "rtt.h"
#include "send_control.h"
#include "shard_context.h"
#include "snapshot.h"
#include "subscriptions.h"

namespace sluice {

class MediaSession final : public Publisher {
 public:
  /// Reports go out this often; libwebrtc sends video's as often.
  static constexpr TimeUs kReportIntervalUs = kSecondUs;
  /// Reports of all sessions fall on moments this far apart: what wakes a shard for one lets it write all that are due.
  /// A wake-up costs as much as eight reports (27 µs measured); fifty moments a second spread 2,500 sessions.
  static constexpr TimeUs kReportGridUs = 20 * kMillisecondUs;

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
  Subscriptions subscriptions_;
  Rtt rtt_;
  std::unique_ptr<SendControl> control_;  // with the first subscription of a client that gives feedback
  wire::ExtensionMap extensions_;
  TimeUs nextReportAtUs_;
};

}  // namespace sluice
