// A block of header extension elements in either form, and the map between ids and kinds.
#include "core/wire/header_extensions.h"

#include "core/wire/rtp.h"
#include "fuzz/input.h"

using namespace sluice;
using namespace sluice::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const uint8_t flags = input.u8();
  const auto form = static_cast<ExtensionForm>(flags % 3);
  ExtensionMap map;
  for (int i = 0; i < (flags >> 4); ++i) {
    map.set(static_cast<ExtensionKind>(input.u8() % static_cast<uint8_t>(ExtensionKind::kCount)), input.u8());
  }
  for (size_t id = 1; id < 256; ++id) {
    const ExtensionKind kind = map.kind(static_cast<uint8_t>(id));
    fuzz::require(kind == ExtensionKind::kNone || map.id(kind) == id, "an id and its kind name each other");
  }
  const Bytes block = input.bytes(size);
  ExtensionReader reader(block, form);
  size_t read = 0;
  while (const auto element = reader.next()) {
    read += element->data.size() + 1;
    fuzz::require(read <= block.size(), "elements do not overlap");
    (void)map.kind(element->id);
  }
  fuzz::require(!reader.next(), "an end is an end");
  return 0;
}
