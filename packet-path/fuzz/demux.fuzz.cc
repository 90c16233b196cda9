#include "core/wire/demux.h"

#include "input.h"

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (size_t n = 0; n <= size; ++n) {
    const Bytes d(data, n);
    switch (wire::classify(d)) {
      case wire::DatagramClass::kStun:
        fuzz::require(n >= wire::kStunHeaderBytes && d[0] < 4, "STUN has its header");
        break;
      case wire::DatagramClass::kDtls:
        fuzz::require(n >= wire::kDtlsRecordHeaderBytes && d[0] >= 20 && d[0] < 64, "DTLS has its record header");
        break;
      case wire::DatagramClass::kRtp:
        fuzz::require(n >= wire::kRtpHeaderBytes && (d[0] >> 6) == 2, "RTP has its header");
        break;
      case wire::DatagramClass::kRtcp:
        fuzz::require(n >= wire::kRtcpHeaderBytes && (d[0] >> 6) == 2, "RTCP has its header");
        break;
      case wire::DatagramClass::kOther:
        break;
    }
    if (n > 64) break;
  }
  return 0;
}
