#include "media_session.h"

#include <algorithm>
#include <array>
#include <bit>

#include "media_snapshot.h"

namespace sluice {

namespace {

// One RTCP datagram, with room for SRTCP's trailer within every path's MTU.
constexpr size_t kRtcpBytes = 1'200;
// Report blocks of one receiver report: 5 bits of count (RFC 3550 §6.4.1).
constexpr size_t kReportBlocks = 31;
// A sender report without blocks and a CNAME of ours.
constexpr size_t kSenderReportBytes = 28 + 40;
DropReason dropReason(receive::Verdict verdict) {
  switch (verdict) {
    case receive::Verdict::kUnknownPayloadType:
      return DropReason::kRtpUnknownPayloadType;
    case receive::Verdict::kDuplicate:
      return DropReason::kRtpDuplicate;
    case receive::Verdict::kTooOld:
      return DropReason::kRtpTooOld;
    case receive::Verdict::kRtxMalformed:
      return DropReason::kRtxMalformed;
    case receive::Verdict::kRtxPadding:
      return DropReason::kRtxPadding;
    case receive::Verdict::kUnknownSource:
    case receive::Verdict::kAccepted:
      break;
  }
  return DropReason::kRtpUnknownSource;
}

// A publisher's canonical name for its receivers (RFC 3550 §6.5.1): one for all its tracks, so that they are
// synchronised, and not its identity.
std::string_view canonicalName(ParticipantKey participant, std::array<char, 24>& buffer) {
  constexpr std::string_view kPrefix = "sluice-";
  char* p = std::copy(kPrefix.begin(), kPrefix.end(), buffer.begin());
  for (int shift = 60; shift >= 0; shift -= 4) {
    *p++ = "0123456789abcdef"[static_cast<uint64_t>(participant) >> shift & 0xF];
  }
  return {buffer.data(), static_cast<size_t>(p - buffer.data())};
}

// The nearest moment of the grid that is not later.
TimeUs onReportGrid(TimeUs atUs) {
  return atUs - atUs % MediaSession::kReportGridUs;
}

}  // namespace

MediaSession::MediaSession(const SessionSpec& spec, ShardContext& shard, Connection& connection, Sleeper& sleeper,
                           TimeUs nowUs)
    : shard_(shard),
      connection_(connection),
      sleeper_(sleeper),
      session_(spec.session),
      subscriptions_(shard, *connection.transport()) {
  // The first report at a random moment, so that a thousand sessions of one start do not report at once.
  std::array<uint8_t, 4> random{};
  shard.world.random(random);
  nextReportAtUs_ = nowUs + static_cast<TimeUs>(readU32(random.data()) % kReportIntervalUs);
  apply(spec, nowUs);
}

void MediaSession::leave(TimeUs nowUs) {
  subscriptions_.leave(nowUs);
  for (const auto& track : receiver_.tracks()) {
    if (track->destination == nullptr) continue;
    if (track->destination->publisher == this) track->destination->publisher = nullptr;
    shard_.tracks.release(track->key());
  }
}

void MediaSession::apply(const SessionSpec& spec, TimeUs nowUs) {
  if (!(spec.extensions == extensions_)) {
    extensions_ = spec.extensions;
    subscriptions_.forgetSent();
  }
  receiver_.apply(spec.incoming, spec.extensions, [this](receive::IncomingTrack& gone) {
    if (gone.destination->publisher == this) gone.destination->publisher = nullptr;
    shard_.tracks.release(gone.key());
  });
  for (const auto& track : receiver_.tracks()) {
    track->destination = &shard_.tracks.take(track->key());
    track->destination->publisher = this;
  }
  if (control_ == nullptr && !spec.outgoing.empty() && extensions_.id(wire::ExtensionKind::kTransportCc) != 0) {
    control_ = std::make_unique<SendControl>(shard_, *connection_.transport(), subscriptions_, kReportGridUs);
  }
  subscriptions_.apply(spec.outgoing, control_ ? &control_->estimator() : nullptr, nowUs);
  if (control_) control_->changed(nowUs);
}

void MediaSession::receiveRtp(PacketRef packet, TimeUs nowUs) {
  const auto header = wire::parseRtp(Bytes(packet->bytes, packet->size));
  if (!header) {
    shard_.counters.drop(DropReason::kRtpMalformed);
    return;
  }
  shard_.counters.add(Counter::kRtpIn);
  const receive::Receiver::Result result = receiver_.receive(packet.fill(), *header, nowUs);
  shard_.deadlines.atMost(sleeper_, receiver_.nextDeadline(result.track));
  if (result.received.rttSampleUs) rtt_.note(*result.received.rttSampleUs);
  if (result.received.verdict != receive::Verdict::kAccepted) {
    shard_.counters.drop(dropReason(result.received.verdict));
    return;
  }
  receive::IncomingTrack& track = *result.track;
  if (packet->recovered) shard_.counters.add(Counter::kRecoveredIn);
  if (result.received.started) {
    shard_.world.event(TrackStarted{session_, track.key(), packet->ssrc, packet->payloadType});
  }
  if (result.received.activity) audioChanged(track, *result.received.activity);
  shard_.fanOut.add(*track.destination, std::move(packet), FanOut::Origin::kHere, nowUs);
}

void MediaSession::audioChanged(const receive::IncomingTrack& track, const receive::AudioActivity::State& state) {
  shard_.world.event(AudioActivity{session_, track.key(), state.active, state.level});
}

void MediaSession::receiveRtcp(Bytes compound, TimeUs nowUs) {
  shard_.counters.add(Counter::kRtcpIn);
  wire::RtcpReader reader(compound);
  while (const auto block = reader.next()) {
    switch (block->type) {
      case wire::RtcpType::kSenderReport:
        if (const auto info = wire::readSenderInfo(*block)) {
          if (const auto heard = receiver_.senderReport(*info, nowUs)) publishClock(*heard);
        }
        receiveReports(*block, nowUs);
        break;
      case wire::RtcpType::kReceiverReport:
        receiveReports(*block, nowUs);
        break;
      case wire::RtcpType::kTransportFeedback:
      case wire::RtcpType::kPayloadFeedback:
        receiveFeedback(*block, nowUs);
        break;
      case wire::RtcpType::kSourceDescription:
      case wire::RtcpType::kBye:  // the spec says when a track ends
      case wire::RtcpType::kApplication:
      case wire::RtcpType::kExtendedReport:
        break;
    }
  }
  if (reader.malformed()) shard_.counters.drop(DropReason::kRtcpMalformed);
}

void MediaSession::receiveReports(const wire::RtcpBlock& report, TimeUs nowUs) {
  wire::ReportBlocks blocks(report);
  while (const auto block = blocks.next()) {
    Subscriber* known = subscriptions_.find(block->ssrc);
    if (known == nullptr) continue;
    if (const auto rtt = known->stream.receiverReport(*block, nowUs)) rtt_.note(*rtt);
  }
}

void MediaSession::receiveFeedback(const wire::RtcpBlock& block, TimeUs nowUs) {
  const auto feedback = wire::readFeedback(block);
  if (!feedback) {
    shard_.counters.drop(DropReason::kRtcpMalformed);
    return;
  }
  if (block.type == wire::RtcpType::kTransportFeedback) {
    if (block.count == wire::kTransportWideFormat && control_ != nullptr) {
      control_->feedback(feedback->control, rtt_.us(), nowUs);
      shard_.deadlines.atMost(sleeper_, control_->nextDeadline());
    }
    if (block.count != wire::kNackFormat) return;
    if (Subscriber* known = subscriptions_.find(feedback->media)) {
      shard_.fanOut.resend(*known, feedback->control, nowUs, rtt_.us());
    }
    return;
  }
  if (block.count == wire::kPliFormat) {
    askedForKeyFrame(feedback->media, nowUs);
  } else if (block.count == wire::kFirFormat) {
    wire::readFullIntraRequests(feedback->control, [&](Ssrc ssrc) { askedForKeyFrame(ssrc, nowUs); });
  }
}

void MediaSession::askedForKeyFrame(Ssrc ssrc, TimeUs nowUs) {
  Subscriber* known = subscriptions_.find(ssrc);
  if (known == nullptr) return;
  known->stream.noteKeyFrameAsked();
  shard_.counters.add(Counter::kKeyFramesAskedIn);
  shard_.fanOut.wantKeyFrame(*known->track, known->selector.encoding(), nowUs);
}

void MediaSession::publishClock(const receive::Receiver::Heard& heard) {
  Track& track = *heard.track->destination;
  track.setClock(heard.encoding, heard.stream->clock());
  for (uint64_t shards = track.wantedBy; shards != 0; shards &= shards - 1) {
    const auto shard = static_cast<ShardIndex>(std::countr_zero(shards));
    if (!shard_.world.post(shard, ForwardedClock{track.key, heard.encoding, heard.stream->clock()})) {
      shard_.counters.drop(DropReason::kShardQueueFull);
    }
  }
}

void MediaSession::wantKeyFrame(TrackKey track, uint8_t encoding, TimeUs nowUs) {
  receive::IncomingTrack* incoming = receiver_.find(track);
  if (incoming == nullptr) return;
  incoming->wantKeyFrame(encoding, nowUs);
  shard_.deadlines.atMost(sleeper_, incoming->nextDeadline());
}

TimeUs MediaSession::nextDeadline() const {
  const TimeUs at = std::min(receiver_.nextDeadline(), nextReportAtUs_);
  return control_ ? std::min(at, control_->nextDeadline()) : at;
}

void MediaSession::onDeadline(TimeUs nowUs) {
  for (const auto& track : receiver_.tracks()) {
    if (const auto state = track->activity().onDeadline(nowUs)) audioChanged(*track, *state);
  }
  writeFeedback(nowUs);
  if (control_) control_->onDeadline(nowUs);
  if (nextReportAtUs_ <= nowUs) {
    nextReportAtUs_ = onReportGrid(nowUs + kReportIntervalUs);
    receiver_.standInForReports(nowUs, [this](const receive::Receiver::Heard& heard) { publishClock(heard); });
    writeReports(nowUs);
  }
}

void MediaSession::writeFeedback(TimeUs nowUs) {
  bool more = true;
  while (more) {
    std::array<uint8_t, kRtcpBytes> buffer;
    wire::RtcpWriter writer(buffer);
    const auto written = receiver_.writeDue(writer, receive::Receiver::kFeedbackSsrc, nowUs, rtt_.us());
    shard_.counters.add(Counter::kNacksOut, written.nacks);
    shard_.counters.add(Counter::kKeyFramesAskedOut, written.keyFrames);
    shard_.counters.add(Counter::kTransportFeedbackOut, written.transportFeedbacks);
    connection_.sendRtcp(writer.written());
    more = written.more && writer.size() > 0;
  }
}

void MediaSession::writeReports(TimeUs nowUs) {
  std::array<uint8_t, kRtcpBytes> buffer;
  size_t from = 0;
  do {
    std::array<wire::ReportBlock, kReportBlocks> blocks;
    const auto reports = receiver_.reports(from, blocks, nowUs);
    if (reports.count > 0) {
      wire::RtcpWriter writer(buffer);
      writer.receiverReport(receive::Receiver::kFeedbackSsrc, std::span(blocks).first(reports.count));
      connection_.sendRtcp(writer.written());
    }
    from = reports.next;
  } while (from != 0);

  wire::RtcpWriter writer(buffer);
  subscriptions_.forEach([&](Subscriber& subscriber) {
    if (!subscriber.stream.sentSinceReport()) return;
    if (writer.room() < kSenderReportBytes) {
      connection_.sendRtcp(writer.written());
      writer = wire::RtcpWriter(buffer);
    }
    writeSenderReport(subscriber, writer, nowUs);
  });
  connection_.sendRtcp(writer.written());
}

void MediaSession::writeSenderReport(Subscriber& subscriber, wire::RtcpWriter& writer, TimeUs nowUs) {
  const forward::LayerSelector& selector = subscriber.selector;
  const SenderClock* clock = subscriber.track->clock(selector.encoding());
  if (clock == nullptr || clock->ssrc != selector.ssrc()) return;
  const auto info = subscriber.stream.senderReport(*clock, selector.timestampOffset(), nowUs);
  if (!info) return;
  const TrackHome* home = shard_.tracks.home(subscriber.track->key);
  std::array<char, 24> name;
  writer.senderReport(*info, {});
  writer.canonicalName(info->ssrc, canonicalName(home == nullptr ? ParticipantKey{} : home->participant, name));
}

void MediaSession::snapshot(SessionSnapshot& out) const {
  if (control_) out.send = control_->snapshot();
  out.rttMs = rtt_.measured() ? static_cast<double>(rtt_.us()) / 1'000.0 : 0;
  for (const auto& track : receiver_.tracks()) {
    for (const receive::IncomingTrack::Encoding& e : track->encodings()) {
      if (e.stream) out.incoming.push_back(describe(*track, e));
    }
  }
  subscriptions_.forEach([&out](const Subscriber& subscriber) { out.outgoing.push_back(describe(subscriber)); });
}

}  // namespace sluice
