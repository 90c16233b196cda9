// A client's DataPacket on its way to others: the sender's fields are written by us, everything else passes untouched.
// The message is edited as protobuf fields and never decoded: fields that we do not know survive.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../wire/types.h"

namespace sluice::data {

/// What receivers are to be told about the sender. Empty texts leave the fields out (hidden participants).
struct Sender {
  std::string_view participantSid;
  std::string_view participantIdentity;
};

struct Spliced {
  std::vector<uint8_t> bytes;
  std::vector<std::string> destinations;  ///< identities and sids; empty: everyone
  uint32_t sequence = 0;                  ///< of reliable messages; 0: none
};

/// More destinations than any room has participants that one message names.
inline constexpr size_t kMaxDestinations = 4'096;

/// Empty when `packet` is not a protobuf message that could be a DataPacket. `reliable` is what the channel was, and
/// what the old `kind` field will say.
[[nodiscard]] std::optional<Spliced> splice(Bytes packet, const Sender& sender, bool reliable);

}  // namespace sluice::data
