#include "receiver.h"

#include <algorithm>

namespace sluice::receive {

using wire::ExtensionKind;

namespace {

std::string_view text(Bytes data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// Kinds that mean the same to whoever receives the packet next.
constexpr bool isPassedOn(ExtensionKind kind) {
  switch (kind) {
    case ExtensionKind::kAudioLevel:
    case ExtensionKind::kVideoOrientation:
    case ExtensionKind::kPlayoutDelay:
    case ExtensionKind::kVideoContentType:
    case ExtensionKind::kVideoTiming:
    case ExtensionKind::kColorSpace:
    case ExtensionKind::kDependencyDescriptor:
    case ExtensionKind::kFrameMarking:
    case ExtensionKind::kAbsCaptureTime:
      return true;
    case ExtensionKind::kNone:
    case ExtensionKind::kMid:  // these are written anew, or belong to one hop
    case ExtensionKind::kRid:
    case ExtensionKind::kRepairedRid:
    case ExtensionKind::kAbsSendTime:
    case ExtensionKind::kTransportCc:
    case ExtensionKind::kTransmissionOffset:
    case ExtensionKind::kCount:
      return false;
  }
  return false;
}

}  // namespace

bool Receiver::named(std::span<const IncomingTrackSpec> tracks, TrackKey key) {
  return std::any_of(tracks.begin(), tracks.end(), [key](const IncomingTrackSpec& t) { return t.track == key; });
}

void Receiver::take(std::span<const IncomingTrackSpec> tracks, const wire::ExtensionMap& extensions) {
  extensions_ = extensions;
  transportCc_ = false;
  for (const IncomingTrackSpec& spec : tracks) {
    transportCc_ = transportCc_ || spec.transportCc;
    if (IncomingTrack* track = find(spec.track)) {
      track->apply(spec);
    } else {
      tracks_.push_back(std::make_unique<IncomingTrack>(spec));
    }
  }
  rebuildSources();
}

void Receiver::rebuildSources() {
  sources_.clear();
  lastHit_ = 0;
  for (const auto& track : tracks_) {
    uint8_t index = 0;
    for (const IncomingTrack::Encoding& e : track->encodings()) {
      if (e.ssrc) sources_.push_back({*e.ssrc, track.get(), index, false});
      if (e.rtxSsrc) sources_.push_back({*e.rtxSsrc, track.get(), index, true});
      ++index;
    }
  }
}

IncomingTrack* Receiver::find(TrackKey key) const {
  for (const auto& track : tracks_) {
    if (track->key() == key) return track.get();
  }
  return nullptr;
}

const Receiver::Source* Receiver::find(Ssrc ssrc) {
  if (lastHit_ < sources_.size() && sources_[lastHit_].ssrc == ssrc) return &sources_[lastHit_];
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].ssrc == ssrc) {
      lastHit_ = i;
      return &sources_[i];
    }
  }
  return nullptr;
}

IncomingTrack* Receiver::identify(uint8_t payloadType, const Identification& says) const {
  IncomingTrack* match = nullptr;
  for (const auto& track : tracks_) {
    if (track->payloadKind(payloadType) == IncomingTrack::PayloadKind::kUnknown) continue;
    if (!says.mid.empty()) {
      if (track->spec().mid == says.mid) return track.get();
      continue;
    }
    // Without a MID only a payload type that one track alone uses tells (RFC 8843 §9.2).
    if (match != nullptr) return nullptr;
    match = track.get();
  }
  return match;
}

const Receiver::Source* Receiver::learn(const wire::RtpHeader& header, const Identification& says) {
  IncomingTrack* track = identify(header.payloadType, says);
  if (track == nullptr) return nullptr;
  const bool repair = track->payloadKind(header.payloadType) == IncomingTrack::PayloadKind::kRepair;
  const std::string_view rid = repair ? says.repairedRid : says.rid;
  const auto encodings = track->encodings();
  size_t index = 0;
  if (!rid.empty()) {
    while (index < encodings.size() && encodings[index].rid != rid) ++index;
    if (index == encodings.size()) return nullptr;
  } else if (encodings.size() > 1) {
    return nullptr;  // which of several encodings it is, nothing says
  }
  track->adopt(index, header.ssrc, repair);
  rebuildSources();
  return find(header.ssrc);
}

void Receiver::readExtensions(Packet& packet, const wire::RtpHeader& header, Identification& says, TimeUs nowUs) {
  const Bytes block{packet.bytes + header.extensionOffset, header.extensionSize};
  wire::ExtensionReader reader(block, header.extensionForm);
  while (const auto element = reader.next()) {
    const ExtensionKind kind = extensions_.kind(element->id);
    if (kind == ExtensionKind::kTransportCc && transportCc_ && element->data.size() >= 2) {
      if (!transport_) transport_ = std::make_unique<TransportRecorder>();
      transport_->note(readU16(element->data.data()), nowUs);
    } else if (kind == ExtensionKind::kMid) {
      says.mid = text(element->data);
    } else if (kind == ExtensionKind::kRid) {
      says.rid = text(element->data);
    } else if (kind == ExtensionKind::kRepairedRid) {
      says.repairedRid = text(element->data);
    } else if (isPassedOn(kind) && packet.extensionCount < Packet::kMaxExtensions) {
      if (kind == ExtensionKind::kAudioLevel && !element->data.empty()) packet.audioLevel = element->data[0];
      packet.extensions[packet.extensionCount++] = {kind, static_cast<uint8_t>(element->data.size()),
                                                    static_cast<uint16_t>(element->data.data() - packet.bytes)};
    }
  }
}

Receiver::Result Receiver::receive(Packet& packet, const wire::RtpHeader& header, TimeUs nowUs) {
  Identification says;
  packet.extensionCount = 0;
  packet.audioLevel = 0xFF;
  if (header.extensionSize > 0) readExtensions(packet, header, says, nowUs);
  const Source* source = find(header.ssrc);
  if (source == nullptr) source = learn(header, says);
  if (source == nullptr) return {};
  return {source->track, source->track->receive(packet, header, source->encoding, source->repair, nowUs)};
}

std::optional<Receiver::Heard> Receiver::senderReport(const wire::SenderInfo& info, TimeUs nowUs) {
  const Source* source = find(info.ssrc);
  if (source == nullptr || source->repair) return {};
  IncomingStream* stream = source->track->encodings()[source->encoding].stream.get();
  if (stream == nullptr || stream->ssrc() != info.ssrc) return {};
  stream->senderReport(info, nowUs);
  hasReports_ = true;
  return Heard{source->track, source->encoding, stream};
}

Receiver::Written Receiver::writeDue(wire::RtcpWriter& writer, Ssrc sender, TimeUs nowUs, TimeUs rttUs) {
  Written written;
  for (const auto& track : tracks_) {
    for (IncomingTrack::Encoding& e : track->encodings()) {
      if (!e.stream) continue;
      const IncomingStream::Asked asked = e.stream->writeDue(writer, sender, nowUs, rttUs);
      written.nacks += asked.nacks;
      written.keyFrames += asked.keyFrames;
      if (asked.more) return written.more = true, written;
    }
  }
  if (transport_ && transport_->nextDeadline() <= nowUs) {
    if (writer.room() < TransportRecorder::kMinRoom) return written.more = true, written;
    const size_t before = writer.size();
    // Any media SSRC will do: the numbers are the transport's (draft-holmer §3.1).
    const Ssrc media = sources_.empty() ? 0 : sources_.front().ssrc;
    written.more = transport_->write(writer, sender, media);
    if (writer.size() > before) ++written.transportFeedbacks;
  }
  return written;
}

TimeUs Receiver::nextDeadline() const {
  TimeUs at = nextDeadline(nullptr);
  for (const auto& track : tracks_) at = std::min(at, track->nextDeadline());
  return at;
}

Receiver::Reports Receiver::reports(size_t from, std::span<wire::ReportBlock> out, TimeUs nowUs) {
  Reports reports;
  size_t index = 0;
  for (const auto& track : tracks_) {
    for (IncomingTrack::Encoding& e : track->encodings()) {
      if (!e.stream || index++ < from) continue;
      if (reports.count == out.size()) return reports.next = index - 1, reports;
      if (const auto block = e.stream->report(nowUs)) out[reports.count++] = *block;
    }
  }
  return reports;
}

}  // namespace sluice::receive
