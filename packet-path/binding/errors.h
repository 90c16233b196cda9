// Codes of the errors that the addon throws; src/errors.ts has the same list, with what to do about each.
#pragma once

namespace sluice::binding {

inline constexpr const char* kBadValue = "PACKET_PATH_BAD_VALUE";
inline constexpr const char* kBadCertificate = "PACKET_PATH_BAD_CERTIFICATE";
inline constexpr const char* kAddressInUse = "PACKET_PATH_ADDRESS_IN_USE";
inline constexpr const char* kPermissionDenied = "PACKET_PATH_PERMISSION_DENIED";
inline constexpr const char* kAddressNotAvailable = "PACKET_PATH_ADDRESS_NOT_AVAILABLE";
inline constexpr const char* kOutOfResources = "PACKET_PATH_OUT_OF_RESOURCES";
inline constexpr const char* kOpenFailed = "PACKET_PATH_OPEN_FAILED";
inline constexpr const char* kBusy = "PACKET_PATH_BUSY";
inline constexpr const char* kClosed = "PACKET_PATH_CLOSED";

}  // namespace sluice::binding
