// STUN (RFC 8489) as ICE uses it (RFC 8445 §7.1): a view of a received message, and writers.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "demux.h"
#include "hmac_sha1.h"
#include "types.h"

namespace sluice::wire {

enum class StunClass : uint8_t { kRequest, kIndication, kSuccess, kError };

inline constexpr uint16_t kStunBinding = 0x001;  // RFC 8489 §18.2

using StunTransactionId = std::array<uint8_t, 12>;

/// A parsed message. Views point into the datagram it was parsed from.
struct StunMessage {
  static constexpr size_t kMaxUnknown = 8;

  Bytes bytes;
  StunClass kind = StunClass::kRequest;
  uint16_t method = 0;
  StunTransactionId transaction{};

  std::optional<std::string_view> username;
  std::optional<uint32_t> priority;
  bool useCandidate = false;
  std::optional<uint64_t> iceControlled;   ///< tie-breaker
  std::optional<uint64_t> iceControlling;  ///< tie-breaker
  std::optional<Address> mappedAddress;    ///< XOR-MAPPED-ADDRESS
  std::optional<uint16_t> errorCode;
  bool hasFingerprint = false;  ///< and it was right: a wrong one does not parse
  size_t integrityOffset = 0;   ///< of MESSAGE-INTEGRITY's attribute header; 0 when there is none

  /// Comprehension-required attributes that we do not know (RFC 8489 §6.3); at most kMaxUnknown are kept.
  std::array<uint16_t, kMaxUnknown> unknown{};
  size_t unknownCount = 0;

  /// Empty when it is not a well-formed message. Attributes after MESSAGE-INTEGRITY other than FINGERPRINT are
  /// ignored (RFC 8489 §14.5). Allocates nothing.
  [[nodiscard]] static std::optional<StunMessage> parse(Bytes datagram);

  /// MESSAGE-INTEGRITY is there and made with `key` (the password itself: short-term credentials, RFC 8489 §9.1).
  [[nodiscard]] bool hasIntegrity(const HmacSha1& key) const;

  /// What stands before the first colon of an ICE username: the receiver's username fragment (RFC 8445 §7.2.2).
  /// Empty when there is no username, or no colon with something on both sides.
  [[nodiscard]] std::string_view receiverFragment() const;
};

/// The key for MESSAGE-INTEGRITY from an ICE password.
[[nodiscard]] HmacSha1 stunKey(std::string_view password);

// ── Writers. Each returns the size of the message written at the front of `out`, 0 when it did not fit. ──

/// Enough room for every message written here, with the longest usernames ICE allows (RFC 8445 §5.3: 256 each).
inline constexpr size_t kMaxStunBytes = 640;

/// Success answer with XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY and FINGERPRINT.
[[nodiscard]] size_t writeBindingSuccess(MutableBytes out, const StunTransactionId& transaction, const Address& mapped,
                                         const HmacSha1& key);

/// Error answer. `unknown` goes into UNKNOWN-ATTRIBUTES (code 420).
[[nodiscard]] size_t writeBindingError(MutableBytes out, const StunTransactionId& transaction, uint16_t code,
                                       const HmacSha1& key, std::span<const uint16_t> unknown = {});

struct BindingRequest {
  StunTransactionId transaction{};
  std::string_view username;  ///< "remote fragment:local fragment", as seen by the sender
  uint32_t priority = 0;
  uint64_t tieBreaker = 0;
  bool controlling = true;
  bool useCandidate = false;
};
[[nodiscard]] size_t writeBindingRequest(MutableBytes out, const BindingRequest& request, const HmacSha1& key);

}  // namespace sluice::wire
