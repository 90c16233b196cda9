// Addresses between the core's form, the kernel's and people's.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "../core/wire/types.h"

namespace sluice::io {

/// `ip` is a numeric IPv4 or IPv6 address without brackets or zone.
[[nodiscard]] std::optional<Address> parseAddress(std::string_view ip, uint16_t port);

/// "192.0.2.1", "2001:db8::1".
[[nodiscard]] std::string ipText(const Address& address);

/// "192.0.2.1:7882", "[2001:db8::1]:7882".
[[nodiscard]] std::string addressText(const Address& address);

/// The inverse of `addressText`.
[[nodiscard]] std::optional<Address> parseAddressText(std::string_view text);

/// 0.0.0.0 or ::.
[[nodiscard]] bool isWildcard(const Address& address);

/// A mapped IPv4 address (RFC 4291 §2.5.5.2) becomes family 4.
[[nodiscard]] Address fromSockaddr(const sockaddr_storage& from);
[[nodiscard]] Address fromIn6(const in6_addr& ip, uint16_t port);

/// For a socket of `socketFamily` (AF_INET, AF_INET6); IPv4 is mapped for the latter. 0 when the socket cannot reach
/// it.
[[nodiscard]] socklen_t toSockaddr(const Address& address, int socketFamily, sockaddr_storage& out);
/// IPv4 is mapped.
[[nodiscard]] in6_addr toIn6(const Address& address);

}  // namespace sluice::io
