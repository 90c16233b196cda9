// The data channels that LiveKit's clients share, by label.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::data {

inline constexpr std::string_view kReliableLabel = "_reliable";
inline constexpr std::string_view kLossyLabel = "_lossy";
inline constexpr std::string_view kDataTrackLabel = "_data_track";

enum class ChannelUse : uint8_t {
  kReliable,   ///< DataPackets, none may be lost
  kLossy,      ///< DataPackets
  kDataTrack,  ///< frames of data tracks: not DataPackets, carried as they are
  kOther,      ///< not shared with the group
};

[[nodiscard]] constexpr ChannelUse channelUse(std::string_view label) {
  if (label == kReliableLabel) return ChannelUse::kReliable;
  if (label == kLossyLabel) return ChannelUse::kLossy;
  if (label == kDataTrackLabel) return ChannelUse::kDataTrack;
  return ChannelUse::kOther;
}

}  // namespace sluice::data
