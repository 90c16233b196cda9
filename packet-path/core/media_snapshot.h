// Media streams in the words of a snapshot.
#pragma once

#include "receive/incoming_track.h"
#include "snapshot.h"
#include "tracks.h"

namespace sluice {

/// `encoding` is one of `track`'s, and has a stream.
[[nodiscard]] IncomingStreamSnapshot describe(const receive::IncomingTrack& track,
                                              const receive::IncomingTrack::Encoding& encoding);
[[nodiscard]] OutgoingStreamSnapshot describe(const Subscriber& subscriber);

}  // namespace sluice
