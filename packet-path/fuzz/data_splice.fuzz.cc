// DataPackets: what is taken is a message again, carries the true sender and no other, and splices to itself.
#include "core/data/splice.h"

#include "fuzz/input.h"

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const data::Sender sender{"PA_true", "alice"};
  for (const bool reliable : {true, false}) {
    const auto once = data::splice(Bytes(data, size), sender, reliable);
    if (!once) continue;
    fuzz::require(once->destinations.size() <= data::kMaxDestinations, "destinations are bounded");
    const auto twice = data::splice(once->bytes, sender, reliable);
    fuzz::require(twice.has_value(), "what was written is a message");
    fuzz::require(twice->bytes == once->bytes, "a second time changes nothing");
    fuzz::require(twice->sequence == once->sequence && twice->destinations == once->destinations,
                  "nothing that was read is lost");
    const auto hidden = data::splice(once->bytes, {}, reliable);
    fuzz::require(hidden && hidden->bytes.size() <= once->bytes.size(), "a hidden sender adds nothing");
  }
  return 0;
}
