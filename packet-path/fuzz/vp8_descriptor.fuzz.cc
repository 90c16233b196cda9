#include "core/wire/vp8_descriptor.h"

#include <array>

#include "input.h"

using namespace sluice;

// Whatever is read can be written, and reads the same again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto d = wire::parseVp8Descriptor(Bytes(data, size));
  if (!d) return 0;
  fuzz::require(d->size >= 1 && d->size <= size && d->size <= wire::kMaxVp8DescriptorBytes, "it lies in the payload");
  std::array<uint8_t, wire::kMaxVp8DescriptorBytes> out{};
  const size_t n = wire::writeVp8Descriptor(*d, out);
  const auto again = wire::parseVp8Descriptor(Bytes(out).first(n));
  fuzz::require(again.has_value(), "what was written is read");
  fuzz::require(again->pictureId == d->pictureId && again->tl0PicIdx == d->tl0PicIdx &&
                    again->temporalLayer == d->temporalLayer && again->keyIndex == d->keyIndex &&
                    again->layerSync == d->layerSync && again->startsFrame() == d->startsFrame() &&
                    again->nonReference == d->nonReference,
                "it says the same");
  return 0;
}
