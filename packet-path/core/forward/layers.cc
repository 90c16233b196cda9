#include "layers.h"

#include <algorithm>

namespace sluice::forward {

bool Layers::note(const Packet& packet, Codec codec, FrameInfo& out) {
  const auto encoding = static_cast<uint8_t>(std::min<size_t>(packet.encoding, kMaxEncodings - 1));
  while (readers_.size() <= encoding) readers_.emplace_back();
  readers_[encoding].read(packet, codec, out);
  highestEncoding_ = std::max(highestEncoding_, encoding);
  if (out.padding) return false;
  Layer layer = out.layer;
  // Encodings that have spatial layers of their own are taken whole.
  if (simulcast()) layer.spatial = std::min<uint8_t>(encoding, kMaxLayers - 1);
  const bool alone = simulcast() || !out.known || (out.present & out.targets->above[layer.spatial]) == 0;
  rates_.note(layer, alone, packet.payloadSize, packet.receivedAtUs);
  if (out.starts) rates_.noteFrame(layer, packet.receivedAtUs);
  layers_[layer.spatial].temporal = std::max(layers_[layer.spatial].temporal, layer.temporal);
  bool changed = noteLife(layer.spatial, packet);
  // Layers that are announced are as good as there: a subscriber who enters now must not begin with the lowest. Unless
  // they fell silent before: then only their packets count.
  for (uint8_t s = 0; !simulcast() && s < out.spatialLayers && s < kMaxLayers; ++s) {
    if (layers_[s].silent) continue;
    changed = changed || !layers_[s].alive;
    layers_[s].alive = true;
    layers_[s].lastPacketAtUs = packet.receivedAtUs;
    layers_[s].framesOfOthers = 0;
    highest_ = std::max(highest_, s);
  }
  return changed;
}

void Layers::describe(const Packet& packet, Codec codec, FrameInfo& out) const {
  out = {};
  if (packet.encoding < readers_.size()) readers_[packet.encoding].readAgain(packet, codec, out);
}

bool Layers::noteLife(uint8_t spatial, const Packet& packet) {
  Spatial& mine = layers_[spatial];
  const bool began = !mine.alive;
  const bool newFrame = began || mine.timestamp != packet.timestamp;
  mine.alive = true;
  mine.silent = false;
  mine.timestamp = packet.timestamp;
  mine.lastPacketAtUs = packet.receivedAtUs;
  mine.framesOfOthers = 0;
  highest_ = std::max(highest_, spatial);
  bool died = false;
  for (uint8_t i = 0; newFrame && i <= highest_; ++i) {
    Spatial& other = layers_[i];
    if (i == spatial || !other.alive) continue;
    ++other.framesOfOthers;
    if (other.framesOfOthers >= kFramesBehind && packet.receivedAtUs - other.lastPacketAtUs >= kMinSilenceUs) {
      other.alive = false;
      other.silent = true;
      died = true;
    }
  }
  return began || died;
}

uint8_t Layers::pick(uint8_t wanted) const {
  for (int i = std::min(wanted, highest_); i >= 0; --i) {
    if (layers_[static_cast<size_t>(i)].alive) return static_cast<uint8_t>(i);
  }
  for (uint8_t i = 0; i <= highest_; ++i) {
    if (layers_[i].alive) return i;
  }
  return 0;
}

size_t Layers::offers(TimeUs nowUs, std::span<Offer> out) const {
  size_t count = 0;
  uint64_t cheapest = 0;
  for (uint8_t s = 0; s <= highest_; ++s) {
    if (!layers_[s].alive) continue;
    const auto top = std::min<uint8_t>(layers_[s].temporal, LayerRates::kTemporal - 1);
    for (uint8_t t = 0; t <= top && count < out.size(); ++t) {
      const uint64_t rate = rates_.bitsPerSecond({s, t}, nowUs);
      if (rate == 0) continue;
      // Whoever can have the larger picture for less has no use for the smaller one.
      while (count > 0 && rate <= cheapest) {
        --count;
        cheapest = count > 0 ? out[count - 1].bitsPerSecond : 0;
      }
      out[count++] = {{s, t}, rate};
      cheapest = rate;
    }
  }
  return count;
}

}  // namespace sluice::forward
