#include "core/wire/vp9_descriptor.h"

#include <algorithm>
#include <array>

#include "input.h"

using namespace sluice;

// The front of whatever is read is written as it was.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto d = wire::parseVp9Descriptor(Bytes(data, size));
  if (!d) return 0;
  fuzz::require(d->size <= size && d->prefixSize <= d->size, "it lies in the payload");
  std::array<uint8_t, wire::kMaxVp9PrefixBytes> out{};
  const size_t n = wire::writeVp9Prefix(*d, data[0], out);
  fuzz::require(n == d->prefixSize && std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n), data),
                "the front is as it was");
  return 0;
}
