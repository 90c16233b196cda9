// What the sessions of one shard share.
#pragma once

#include "counters.h"
#include "data_groups.h"
#include "deadlines.h"
#include "dtls/context.h"
#include "fan_out.h"
#include "interests.h"
#include "packet/packet.h"
#include "ports.h"
#include "shard.h"
#include "tracks.h"

namespace sluice {

struct ShardContext {
  const ShardConfig& config;
  ShardWorld& world;
  const dtls::Context* dtls;  ///< null when the site's certificate could not be read
  ShardCounters& counters;
  PacketPool& pool;
  Tracks& tracks;
  Interests& interests;
  FanOut& fanOut;
  DataGroups& groups;
  Deadlines& deadlines;
};

}  // namespace sluice
