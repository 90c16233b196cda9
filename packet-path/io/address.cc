#include "address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sluice::io {

namespace {

/// RFC 4291 §2.5.5.2: ::ffff:0:0/96.
constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

std::optional<Address> parseAddress(std::string_view ip, uint16_t port) {
  // inet_pton wants a terminated string; nothing longer than INET6_ADDRSTRLEN is an address.
  char text[INET6_ADDRSTRLEN] = {};
  if (ip.size() >= sizeof text) return std::nullopt;
  std::copy(ip.begin(), ip.end(), text);
  in6_addr six{};
  Address address;
  if (::inet_pton(AF_INET, text, address.ip) == 1) {
    address.family = 4;
    address.port = port;
    return address;
  }
  if (::inet_pton(AF_INET6, text, &six) == 1) return fromIn6(six, port);
  return std::nullopt;
}

std::string ipText(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (!address.isSet()) return {};
  ::inet_ntop(address.family == 4 ? AF_INET : AF_INET6, address.ip, text, sizeof text);
  return text;
}

std::string addressText(const Address& address) {
  if (!address.isSet()) return {};
  std::string text = address.family == 6 ? "[" : "";
  text.append(ipText(address)).append(address.family == 6 ? "]:" : ":").append(std::to_string(address.port));
  return text;
}

std::optional<Address> parseAddressText(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view ip = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  if (bracketed != (ip.find(':') != std::string_view::npos)) return std::nullopt;
  return parseAddress(ip, port);
}

bool isWildcard(const Address& address) {
  return std::all_of(address.ip, address.ip + sizeof address.ip, [](uint8_t b) { return b == 0; });
}

Address fromIn6(const in6_addr& ip, uint16_t port) {
  Address address;
  address.port = port;
  if (std::memcmp(ip.s6_addr, kMappedPrefix, sizeof kMappedPrefix) == 0) {
    address.family = 4;
    std::memcpy(address.ip, ip.s6_addr + sizeof kMappedPrefix, 4);
  } else {
    address.family = 6;
    std::memcpy(address.ip, ip.s6_addr, 16);
  }
  return address;
}

Address fromSockaddr(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &from, sizeof four);
    Address address;
    address.family = 4;
    address.port = ntohs(four.sin_port);
    std::memcpy(address.ip, &four.sin_addr, 4);
    return address;
  }
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &from, sizeof six);
    return fromIn6(six.sin6_addr, ntohs(six.sin6_port));
  }
  return {};
}

in6_addr toIn6(const Address& address) {
  in6_addr out{};
  if (address.family == 4) {
    std::memcpy(out.s6_addr, kMappedPrefix, sizeof kMappedPrefix);
    std::memcpy(out.s6_addr + sizeof kMappedPrefix, address.ip, 4);
  } else {
    std::memcpy(out.s6_addr, address.ip, 16);
  }
  return out;
}

socklen_t toSockaddr(const Address& address, int socketFamily, sockaddr_storage& out) {
  if (!address.isSet()) return 0;
  if (socketFamily == AF_INET) {
    if (address.family != 4) return 0;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(address.port);
    std::memcpy(&four.sin_addr, address.ip, 4);
    std::memcpy(&out, &four, sizeof four);
    return sizeof four;
  }
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(address.port);
  six.sin6_addr = toIn6(address);
  std::memcpy(&out, &six, sizeof six);
  return sizeof six;
}

}  // namespace sluice::io
