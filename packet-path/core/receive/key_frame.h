// Where a decoder can start: the first packet of a key frame, told by its payload alone.
#pragma once

#include "../spec.h"
#include "../wire/types.h"

namespace sluice::receive {

/// True when `payload` begins a frame from which `codec` can be decoded without what came before. Reads only bytes
/// that end-to-end encryption leaves in the clear. False for audio and unknown codecs.
[[nodiscard]] bool startsKeyFrame(Codec codec, Bytes payload);

/// Whether a stream of `codec` must be entered at a key frame that we can recognise.
[[nodiscard]] constexpr bool needsKeyFrame(Codec codec) {
  switch (codec) {
    case Codec::kVp8:
    case Codec::kVp9:
    case Codec::kH264:
    case Codec::kH265:
    case Codec::kAv1:
      return true;
    case Codec::kOther:
    case Codec::kOpus:
    case Codec::kRed:
    case Codec::kPcmu:
    case Codec::kPcma:
      return false;
  }
  return false;
}

}  // namespace sluice::receive
