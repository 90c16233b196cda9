#include "tracks.h"

namespace sluice {

Track& Tracks::take(TrackKey key) {
  std::unique_ptr<Track>& slot = tracks_[key];
  if (!slot) slot = std::make_unique<Track>(key);
  return *slot;
}

Track* Tracks::find(TrackKey key) {
  const auto it = tracks_.find(key);
  return it == tracks_.end() ? nullptr : it->second.get();
}

void Tracks::release(TrackKey key) {
  const auto it = tracks_.find(key);
  if (it == tracks_.end()) return;
  Track& track = *it->second;
  if (track.subscribers.empty()) {
    track.histories.clear();
    track.layers = {};
  }
  if (track.unused() && !track.queued) tracks_.erase(it);
}

bool Tracks::trim(TimeUs nowUs) {
  bool any = false;
  for (auto& [key, track] : tracks_) {
    for (forward::PacketHistory& history : track->histories) {
      history.trim(nowUs);
      any = any || !history.empty();
    }
  }
  return any;
}

void Tracks::dropHistories() {
  for (auto& [key, track] : tracks_) {
    for (forward::PacketHistory& history : track->histories) history.clear();
  }
}

}  // namespace sluice
