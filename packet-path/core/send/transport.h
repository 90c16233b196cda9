// What all outgoing streams of a session share: where they go, under which keys, with which extension ids.
#pragma once

#include "../srtp/srtp.h"
#include "../wire/header_extensions.h"
#include "../wire/types.h"

namespace sluice::send {

struct Transport {
  srtp::SealContext seal;
  Address to;
  wire::ExtensionMap extensions;
  uint16_t nextTransportSeq = 0;  ///< transport-wide sequence number of the next packet
  uint64_t datagramsOut = 0;
  uint64_t bytesOut = 0;
};

}  // namespace sluice::send
