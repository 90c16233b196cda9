#include "media_snapshot.h"

namespace sluice {

IncomingStreamSnapshot describe(const receive::IncomingTrack& track, const receive::IncomingTrack::Encoding& encoding) {
  const receive::IncomingStream& stream = *encoding.stream;
  const receive::StreamTotals& totals = stream.totals();
  IncomingStreamSnapshot s;
  s.track = track.key();
  s.kind = track.kind();
  s.mid = track.spec().mid;
  s.rid = encoding.rid;
  s.ssrc = stream.ssrc();
  s.codec = stream.format().codec;
  s.payloadType = stream.format().payloadType;
  s.packets = totals.packets;
  s.bytes = totals.bytes;
  s.lost = stream.lost();
  s.recovered = totals.recovered;
  s.duplicates = totals.duplicates;
  s.jitterMs = stream.jitterMs();
  s.nacks = totals.nacks;
  s.plis = stream.keyFramesAsked();
  s.keyFrames = totals.keyFrames;
  s.audioLevel = track.activity().smoothed();
  s.audioActive = track.activity().state().active;
  s.lastPacketAtUs = stream.lastPacketAtUs();
  return s;
}

OutgoingStreamSnapshot describe(const Subscriber& subscriber) {
  const send::OutgoingStream& stream = subscriber.stream;
  const send::OutgoingTotals& totals = stream.totals();
  const wire::ReportBlock& report = stream.lastReport();
  OutgoingStreamSnapshot s;
  s.track = subscriber.track->key;
  s.kind = stream.spec().kind;
  s.mid = stream.spec().mid;
  s.ssrc = stream.ssrc();
  s.codec = stream.codec();
  s.paused = subscriber.selector.paused();
  s.heldBack = subscriber.held();
  s.flowing = subscriber.selector.flowing();
  const forward::Layers& layers = subscriber.track->layers;
  if (const auto layer = subscriber.selector.current(layers)) s.layer = {layer->spatial, layer->temporal};
  const forward::Layer target = subscriber.selector.aimedAt(layers);
  s.target = {target.spatial, target.temporal};
  const auto& forwarded = subscriber.selector.totals();
  s.frames = forwarded.frames;
  s.keyFrames = forwarded.keyFrames;
  s.layerSwitches = forwarded.switches;
  s.packets = totals.packets;
  s.bytes = totals.bytes;
  s.resentPackets = totals.resentPackets;
  s.resentBytes = totals.resentBytes;
  s.nacks = totals.nacks;
  s.plis = totals.keyFramesAsked;
  s.fractionLost = report.fractionLost / 256.0;
  s.lost = report.lost;
  const uint32_t rate = stream.clockRateHz();
  s.jitterMs = rate == 0 ? 0 : 1'000.0 * report.jitter / rate;
  return s;
}

}  // namespace sluice
