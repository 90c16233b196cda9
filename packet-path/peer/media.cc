#include "media.h"

#include <algorithm>
#include <array>

namespace sluice::peer {

namespace {

// libwebrtc reports on video every second, and on audio every five; a client's reports are few.
constexpr TimeUs kReportIntervalUs = kSecondUs;
constexpr size_t kRtcpBytes = 1'200;
constexpr size_t kReportBlocks = 31;  // 5 bits of count
// As libwebrtc does while it sends nothing.
constexpr Ssrc kFeedbackSsrc = 1;
constexpr std::string_view kCanonicalName = "load";

TrackKey keyOf(Ssrc ssrc) {
  return static_cast<TrackKey>(ssrc);
}

IncomingTrackSpec incomingSpec(const SinkSpec& sink, bool transportCc) {
  IncomingTrackSpec out;
  out.track = keyOf(sink.ssrc);
  out.kind = sink.kind;
  out.mid = sink.mid;
  out.codecs = sink.codecs;
  out.streams.push_back({sink.ssrc, sink.rtxSsrc, {}});
  out.nack = sink.nack;
  out.transportCc = transportCc;
  return out;
}

}  // namespace

void Media::apply(const MediaSpec& spec, TimeUs nowUs) {
  spec_ = spec;
  transport_.extensions = spec.extensions;
  applySinks();
  if (started_) applySources(nowUs);
}

void Media::start(TimeUs nowUs) {
  if (std::exchange(started_, true)) return;
  nextReportUs_ = nowUs + static_cast<TimeUs>(seeds_.unit() * static_cast<double>(kReportIntervalUs));
  applySources(nowUs);
}

void Media::applySources(TimeUs nowUs) {
  const auto idOf = [](const auto& spec) {
    if constexpr (std::is_same_v<std::decay_t<decltype(spec)>, VideoSourceSpec>) {
      return spec.encodings.empty() ? Ssrc{0} : spec.encodings.front().ssrc;
    } else {
      return spec.ssrc;
    }
  };
  const auto keep = [&]<typename Source, typename Spec>(std::vector<std::unique_ptr<Source>>& sources,
                                                        const std::vector<Spec>& specs) {
    std::erase_if(sources, [&](const auto& source) {
      return std::none_of(specs.begin(), specs.end(), [&](const Spec& s) { return idOf(s) == source->id(); });
    });
    for (const Spec& wanted : specs) {
      const auto known =
          std::find_if(sources.begin(), sources.end(), [&](const auto& s) { return s->id() == idOf(wanted); });
      if (known != sources.end()) {
        (*known)->apply(wanted, nowUs);
      } else {
        sources.push_back(std::make_unique<Source>(wanted, seeds_.next(), nowUs));
      }
    }
  };
  keep(video_, spec_.video);
  keep(audio_, spec_.audio);
  setTarget(target_);
}

void Media::applySinks() {
  std::vector<IncomingTrackSpec> tracks;
  tracks.reserve(spec_.sinks.size());
  for (const SinkSpec& wanted : spec_.sinks) tracks.push_back(incomingSpec(wanted, spec_.transportCc));
  receiver_.apply(tracks, spec_.extensions, [](receive::IncomingTrack&) {});
  std::erase_if(sinks_, [&](const auto& known) {
    return std::none_of(spec_.sinks.begin(), spec_.sinks.end(),
                        [&](const SinkSpec& s) { return s.ssrc == known->spec.ssrc; });
  });
  for (const SinkSpec& wanted : spec_.sinks) {
    Sink* known = sink(wanted.ssrc);
    if (known == nullptr) {
      known = sinks_.emplace_back(std::make_unique<Sink>()).get();
      if (wanted.kind == MediaKind::kAudio) known->playout.emplace<AudioPlayout>();
    }
    known->spec = wanted;
    auto* video = std::get_if<VideoPlayout>(&known->playout);
    if (wanted.idle && video != nullptr) video->rest();
  }
}

void Media::setTarget(uint64_t bitsPerSecond) {
  target_ = bitsPerSecond;
  for (const auto& source : video_) source->setTarget(bitsPerSecond / video_.size());
}

OutgoingRtp* Media::outgoing(Ssrc ssrc) {
  if (VideoSource* source = videoSource(ssrc)) return source->find(ssrc);
  for (const auto& source : audio_) {
    if (source->id() == ssrc) return &source->rtp();
  }
  return nullptr;
}

VideoSource* Media::videoSource(Ssrc ssrc) {
  for (const auto& source : video_) {
    if (source->find(ssrc) != nullptr) return source.get();
  }
  return nullptr;
}

Media::Sink* Media::sink(Ssrc ssrc) {
  for (const auto& known : sinks_) {
    if (known->spec.ssrc == ssrc) return known.get();
  }
  return nullptr;
}

// ── What arrives ──

void Media::receiveRtp(Bytes packet, TimeUs nowUs) {
  const auto header = wire::parseRtp(packet);
  if (!header || packet.size() > Packet::kCapacity) return;
  std::copy(packet.begin(), packet.end(), scratch_.bytes);
  scratch_.size = static_cast<uint16_t>(packet.size());
  const receive::Receiver::Result result = receiver_.receive(scratch_, *header, nowUs);
  if (result.track == nullptr) {
    ++unknownSource_;
    return;
  }
  if (result.received.rttSampleUs) rtt_.note(*result.received.rttSampleUs);
  if (result.received.verdict != receive::Verdict::kAccepted) return;
  if (Sink* known = sink(static_cast<Ssrc>(result.track->key()))) play(*known, *result.track, nowUs);
}

void Media::play(Sink& sink, const receive::IncomingTrack& track, TimeUs nowUs) {
  if (auto* audio = std::get_if<AudioPlayout>(&sink.playout)) {
    const auto isRed = [this](const CodecSpec& c) {
      return c.payloadType == scratch_.payloadType && c.codec == Codec::kRed;
    };
    const bool red = std::any_of(sink.spec.codecs.begin(), sink.spec.codecs.end(), isRed);
    return audio->receive(scratch_, red, options_.clockOffsetUs, nowUs);
  }
  auto& video = std::get<VideoPlayout>(sink.playout);
  if (!video.receive(scratch_, options_.clockOffsetUs, nowUs)) return;
  if (receive::IncomingTrack* mine = receiver_.find(track.key())) mine->wantKeyFrame(0, nowUs);
}

void Media::receiveRtcp(Bytes compound, TimeUs nowUs, MediaOut& out) {
  wire::RtcpReader reader(compound);
  while (const auto block = reader.next()) {
    switch (block->type) {
      case wire::RtcpType::kSenderReport:
        if (const auto info = wire::readSenderInfo(*block)) (void)receiver_.senderReport(*info, nowUs);
        receiveReports(*block, nowUs);
        break;
      case wire::RtcpType::kReceiverReport:
        receiveReports(*block, nowUs);
        break;
      case wire::RtcpType::kTransportFeedback:
      case wire::RtcpType::kPayloadFeedback:
        receiveFeedback(*block, out);
        break;
      case wire::RtcpType::kSourceDescription:
      case wire::RtcpType::kBye:
      case wire::RtcpType::kApplication:
      case wire::RtcpType::kExtendedReport:
        break;
    }
  }
}

void Media::receiveReports(const wire::RtcpBlock& report, TimeUs nowUs) {
  wire::ReportBlocks blocks(report);
  while (const auto block = blocks.next()) {
    OutgoingRtp* rtp = outgoing(block->ssrc);
    if (rtp == nullptr) continue;
    if (const auto rtt = rtp->receiverReport(*block, nowUs + options_.clockOffsetUs)) rtt_.note(*rtt);
  }
}

void Media::receiveFeedback(const wire::RtcpBlock& block, MediaOut& out) {
  const auto feedback = wire::readFeedback(block);
  if (!feedback) return;
  const auto askKeyFrame = [this](Ssrc ssrc) {
    if (VideoSource* source = videoSource(ssrc)) source->wantKeyFrame(ssrc);
  };
  if (block.type == wire::RtcpType::kTransportFeedback) {
    OutgoingRtp* rtp = block.count == wire::kNackFormat ? outgoing(feedback->media) : nullptr;
    if (rtp != nullptr) rtp->resend(feedback->control, transport_, out);
  } else if (block.count == wire::kPliFormat) {
    askKeyFrame(feedback->media);
  } else if (block.count == wire::kFirFormat) {
    wire::readFullIntraRequests(feedback->control, askKeyFrame);
  } else if (const auto remb =
                 block.count == wire::kApplicationFormat ? wire::readRemb(feedback->control) : std::nullopt) {
    setTarget(remb->bitsPerSecond);
  }
}

// ── What is due ──

TimeUs Media::nextDeadline() const {
  if (!started_) return kNever;
  TimeUs at = std::min(nextReportUs_, receiver_.nextDeadline());
  for (const auto& source : video_) at = std::min(at, source->nextDeadline());
  for (const auto& source : audio_) at = std::min(at, source->nextDeadline());
  return at;
}

void Media::onDeadline(TimeUs nowUs, MediaOut& out) {
  if (!started_) return;
  for (const auto& source : audio_) source->onDeadline(nowUs, context(out));
  for (const auto& source : video_) source->onDeadline(nowUs, context(out));
  // Who speaks is not asked here, but the windows must end.
  for (const auto& track : receiver_.tracks()) (void)track->activity().onDeadline(nowUs);
  writeFeedback(nowUs, out);
  if (nextReportUs_ > nowUs) return;
  nextReportUs_ = nowUs + kReportIntervalUs;
  writeReports(nowUs, out);
}

void Media::writeFeedback(TimeUs nowUs, MediaOut& out) {
  for (bool more = true; more;) {
    std::array<uint8_t, kRtcpBytes> buffer;
    wire::RtcpWriter writer(buffer);
    more = receiver_.writeDue(writer, kFeedbackSsrc, nowUs, rtt_.us()).more && writer.size() > 0;
    if (writer.size() > 0) out.sendRtcp(writer.written());
  }
}

void Media::writeReports(TimeUs nowUs, MediaOut& out) {
  std::array<uint8_t, kRtcpBytes> buffer;
  size_t from = 0;
  do {
    std::array<wire::ReportBlock, kReportBlocks> blocks;
    const auto reports = receiver_.reports(from, blocks, nowUs);
    wire::RtcpWriter writer(buffer);
    if (reports.count > 0 && writer.receiverReport(kFeedbackSsrc, std::span(blocks).first(reports.count))) {
      out.sendRtcp(writer.written());
    }
    from = reports.next;
  } while (from != 0);
  for (const auto& source : video_) {
    const uint32_t timestamp = source->timestamp(nowUs);
    source->each([&](const auto&, const OutgoingRtp& rtp) { writeSenderReport(rtp, timestamp, nowUs, out); });
  }
  for (const auto& source : audio_) writeSenderReport(source->rtp(), source->timestamp(nowUs), nowUs, out);
}

void Media::writeSenderReport(const OutgoingRtp& rtp, uint32_t timestamp, TimeUs nowUs, MediaOut& out) {
  const auto info = rtp.senderReport(nowUs + options_.clockOffsetUs, timestamp);
  if (!info) return;
  std::array<uint8_t, 128> buffer;
  wire::RtcpWriter writer(buffer);
  if (writer.senderReport(*info, {}) && writer.canonicalName(info->ssrc, kCanonicalName))
    out.sendRtcp(writer.written());
}

// ── Numbers ──

namespace {

SentStream sentOf(const OutgoingRtp& rtp) {
  SentStream s;
  s.ssrc = rtp.config().ssrc;
  s.packets = rtp.totals().packets;
  s.bytes = rtp.totals().bytes;
  s.resent = rtp.totals().resent;
  s.nacks = rtp.totals().nacks;
  s.fractionLost = rtp.lastReport().fractionLost / 256.0;
  return s;
}

}  // namespace

MediaReport Media::report(TimeUs nowUs) {
  MediaReport report;
  report.rttMs = rtt_.measured() ? static_cast<double>(rtt_.us()) / 1'000.0 : 0;
  report.unknownSource = unknownSource_;
  for (const auto& source : audio_) report.sent.push_back(sentOf(source->rtp()));
  for (const auto& source : video_) {
    source->each([&](const VideoSource::EncodingTotals& totals, const OutgoingRtp& rtp) {
      SentStream& s = report.sent.emplace_back(sentOf(rtp));
      s.video = true;
      s.frames = totals.frames;
      s.keyFrames = totals.keyFrames;
      s.keyFramesAsked = totals.keyFramesAsked;
      s.bitsPerSecond = totals.bitsPerSecond;
    });
  }
  for (const auto& known : sinks_) {
    ReceivedStream& r = report.received.emplace_back();
    r.ssrc = known->spec.ssrc;
    if (auto* audio = std::get_if<AudioPlayout>(&known->playout)) {
      r.audio = audio->totals(nowUs);
      r.delays = &audio->delays();
    } else {
      const auto& video = std::get<VideoPlayout>(known->playout);
      r.video = true;
      r.frames = video.totals(nowUs);
      r.delays = &video.delays();
    }
    const receive::IncomingTrack* track = receiver_.find(keyOf(r.ssrc));
    if (track == nullptr || track->encodings().empty() || !track->encodings().front().stream) continue;
    const receive::IncomingStream& stream = *track->encodings().front().stream;
    r.packets = stream.totals().packets;
    r.bytes = stream.totals().bytes;
    r.lost = stream.lost();
    r.recovered = stream.totals().recovered;
    r.nacks = stream.totals().nacks;
    r.keyFramesAsked = stream.keyFramesAsked();
    r.jitterMs = stream.jitterMs();
  }
  return report;
}

}  // namespace sluice::peer
