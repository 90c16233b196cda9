#include "stun.h"

#include <algorithm>
#include <cstring>

namespace sluice::wire {

namespace {

// RFC 8489 §18.3 and RFC 8445 §20.1.
enum Attribute : uint16_t {
  kMappedAddress = 0x0001,
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000A,
  kRealm = 0x0014,
  kNonce = 0x0015,
  kMessageIntegritySha256 = 0x001C,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kFirstOptional = 0x8000,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
  kIceControlling = 0x802A,
};

constexpr size_t kAttributeHeaderBytes = 4;
constexpr size_t kIntegrityBytes = kAttributeHeaderBytes + HmacSha1::kBytes;
constexpr size_t kFingerprintBytes = kAttributeHeaderBytes + 4;
constexpr uint32_t kFingerprintXor = 0x5354'554E;  // RFC 8489 §14.7

constexpr size_t padded(size_t n) {
  return (n + 3) & ~size_t{3};
}

// CRC-32 of ITU V.42 (RFC 8489 §14.7).
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t r = i;
    for (int bit = 0; bit < 8; ++bit) r = (r >> 1) ^ ((r & 1) != 0 ? 0xEDB8'8320U : 0U);
    table[i] = r;
  }
  return table;
}();

uint32_t crc32(Bytes bytes) {
  uint32_t crc = 0xFFFF'FFFF;
  for (const uint8_t b : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ b) & 0xFF];
  return ~crc;
}

// The two bits of the class are spread through the method (RFC 8489 §5, figure 3).
constexpr uint16_t typeOf(StunClass kind, uint16_t method) {
  const auto c = static_cast<unsigned>(kind);
  const unsigned m = method;
  return static_cast<uint16_t>(((m & 0xF80) << 2) | ((c & 2) << 7) | ((m & 0x70) << 1) | ((c & 1) << 4) | (m & 0xF));
}

// RFC 8489 §14.2: the port with the cookie's upper half, the address with cookie and transaction.
std::optional<Address> readXorAddress(const uint8_t* value, size_t size, const StunTransactionId& transaction) {
  Address a;
  if (size == 8 && value[1] == 1) {
    a.family = 4;
  } else if (size == 20 && value[1] == 2) {
    a.family = 6;
  } else {
    return std::nullopt;
  }
  uint8_t mask[16];
  writeU32(mask, kStunCookie);
  std::memcpy(mask + 4, transaction.data(), transaction.size());
  a.port = static_cast<uint16_t>(readU16(value + 2) ^ (kStunCookie >> 16));
  for (size_t i = 0; i < size - 4; ++i) a.ip[i] = value[4 + i] ^ mask[i];
  return a;
}

// Of an attribute that stands twice the first one counts (RFC 8489 §14).
template <typename T>
void setOnce(std::optional<T>& field, const std::optional<T>& value) {
  if (!field) field = value;
}

bool readAttribute(StunMessage& m, uint16_t type, const uint8_t* value, size_t size) {
  switch (type) {
    case kUsername:
      setOnce(m.username, std::optional(std::string_view(reinterpret_cast<const char*>(value), size)));
      return true;
    case kPriority:
      if (size != 4) return false;
      setOnce(m.priority, std::optional(readU32(value)));
      return true;
    case kUseCandidate:
      m.useCandidate = true;
      return true;
    case kIceControlled:
      if (size != 8) return false;
      setOnce(m.iceControlled, std::optional(readU64(value)));
      return true;
    case kIceControlling:
      if (size != 8) return false;
      setOnce(m.iceControlling, std::optional(readU64(value)));
      return true;
    case kXorMappedAddress:
      setOnce(m.mappedAddress, readXorAddress(value, size, m.transaction));
      return m.mappedAddress.has_value();
    case kErrorCode:
      if (size < 4) return false;
      setOnce(m.errorCode, std::optional(static_cast<uint16_t>((value[2] & 7) * 100 + value[3])));
      return true;
    case kMappedAddress:
    case kUnknownAttributes:
    case kRealm:
    case kNonce:
    case kMessageIntegritySha256:
      return true;  // known, of no use to ICE
    default:
      if (type < kFirstOptional && m.unknownCount < StunMessage::kMaxUnknown) m.unknown[m.unknownCount++] = type;
      return true;
  }
}

// Appends to a span; once something did not fit, finish() gives 0.
class Writer {
 public:
  Writer(MutableBytes out, StunClass kind, const StunTransactionId& transaction) : out_(out) {
    if (uint8_t* p = take(kStunHeaderBytes); p != nullptr) {
      writeU16(p, typeOf(kind, kStunBinding));
      writeU16(p + 2, 0);
      writeU32(p + 4, kStunCookie);
      std::memcpy(p + 8, transaction.data(), transaction.size());
    }
  }

  /// Where the value of `size` bytes goes, zeroed padding behind it; null when it does not fit.
  uint8_t* attribute(uint16_t type, size_t size) {
    uint8_t* p = take(kAttributeHeaderBytes + padded(size));
    if (p == nullptr) return nullptr;
    writeU16(p, type);
    writeU16(p + 2, static_cast<uint16_t>(size));
    std::memset(p + kAttributeHeaderBytes, 0, padded(size));
    return p + kAttributeHeaderBytes;
  }

  void attributeU32(uint16_t type, uint32_t v) {
    if (uint8_t* p = attribute(type, 4); p != nullptr) writeU32(p, v);
  }
  void attributeU64(uint16_t type, uint64_t v) {
    if (uint8_t* p = attribute(type, 8); p != nullptr) writeU64(p, v);
  }

  void xorMappedAddress(const Address& a) {
    const size_t ipBytes = a.family == 4 ? 4 : 16;
    uint8_t* p = attribute(kXorMappedAddress, 4 + ipBytes);
    if (p == nullptr) return;
    p[1] = a.family == 4 ? 1 : 2;
    writeU16(p + 2, static_cast<uint16_t>(a.port ^ (kStunCookie >> 16)));
    const uint8_t* mask = out_.data() + 4;  // cookie and transaction stand side by side in the header
    for (size_t i = 0; i < ipBytes; ++i) p[4 + i] = a.ip[i] ^ mask[i];
  }

  /// Adds MESSAGE-INTEGRITY, then FINGERPRINT, each over a header whose length reaches to its own end
  /// (RFC 8489 §14.5, §14.7).
  size_t finish(const HmacSha1& key) {
    setLength(size_ + kIntegrityBytes);
    const HmacSha1::Tag tag = fits_ ? key.sign(out_.first(size_)) : HmacSha1::Tag{};
    if (uint8_t* p = attribute(kMessageIntegrity, tag.size()); p != nullptr) std::memcpy(p, tag.data(), tag.size());
    setLength(size_ + kFingerprintBytes);
    const uint32_t crc = fits_ ? crc32(out_.first(size_)) ^ kFingerprintXor : 0;
    attributeU32(kFingerprint, crc);
    return fits_ ? size_ : 0;
  }

 private:
  uint8_t* take(size_t bytes) {
    fits_ = fits_ && bytes <= out_.size() - size_;
    if (!fits_) return nullptr;
    uint8_t* p = out_.data() + size_;
    size_ += bytes;
    return p;
  }
  void setLength(size_t messageBytes) {
    if (fits_) writeU16(out_.data() + 2, static_cast<uint16_t>(messageBytes - kStunHeaderBytes));
  }

  MutableBytes out_;
  size_t size_ = 0;
  bool fits_ = true;
};

}  // namespace

std::optional<StunMessage> StunMessage::parse(Bytes d) {
  // RFC 8489 §6.3: two zero bits, the cookie, and a length that is a multiple of four and fills the datagram.
  if (classify(d) != DatagramClass::kStun || (d[0] & 0xC0) != 0) return std::nullopt;
  const size_t length = readU16(d.data() + 2);
  if (length % 4 != 0 || length != d.size() - kStunHeaderBytes) return std::nullopt;

  StunMessage m;
  m.bytes = d;
  const unsigned type = readU16(d.data());
  m.kind = static_cast<StunClass>(((type >> 7) & 2) | ((type >> 4) & 1));
  m.method = static_cast<uint16_t>(((type >> 2) & 0xF80) | ((type >> 1) & 0x70) | (type & 0xF));
  std::copy_n(d.data() + 8, m.transaction.size(), m.transaction.begin());

  for (size_t at = kStunHeaderBytes; at < d.size();) {
    if (m.hasFingerprint) return std::nullopt;  // it is the last attribute (RFC 8489 §14.7)
    const uint16_t attribute = readU16(d.data() + at);
    const size_t size = readU16(d.data() + at + 2);
    if (padded(size) > d.size() - at - kAttributeHeaderBytes) return std::nullopt;
    const uint8_t* value = d.data() + at + kAttributeHeaderBytes;
    if (attribute == kFingerprint) {
      if (size != 4 || readU32(value) != (crc32(d.first(at)) ^ kFingerprintXor)) return std::nullopt;
      m.hasFingerprint = true;
    } else if (m.integrityOffset == 0) {
      if (attribute == kMessageIntegrity) {
        if (size != HmacSha1::kBytes) return std::nullopt;
        m.integrityOffset = at;
      } else if (!readAttribute(m, attribute, value, size)) {
        return std::nullopt;
      }
    }
    at += kAttributeHeaderBytes + padded(size);
  }
  return m;
}

bool StunMessage::hasIntegrity(const HmacSha1& key) const {
  if (integrityOffset == 0) return false;
  // Signed with a length that ends with MESSAGE-INTEGRITY, whatever follows it (RFC 8489 §14.5).
  std::array<uint8_t, kStunHeaderBytes> header;
  std::copy_n(bytes.data(), header.size(), header.begin());
  writeU16(header.data() + 2, static_cast<uint16_t>(integrityOffset + kIntegrityBytes - kStunHeaderBytes));
  return key.verify(header, bytes.subspan(kStunHeaderBytes, integrityOffset - kStunHeaderBytes),
                    bytes.subspan(integrityOffset + kAttributeHeaderBytes, HmacSha1::kBytes));
}

std::string_view StunMessage::receiverFragment() const {
  if (!username) return {};
  const size_t colon = username->find(':');
  if (colon == std::string_view::npos || colon + 1 == username->size()) return {};
  return username->substr(0, colon);
}

HmacSha1 stunKey(std::string_view password) {
  return HmacSha1(Bytes(reinterpret_cast<const uint8_t*>(password.data()), password.size()));
}

size_t writeBindingSuccess(MutableBytes out, const StunTransactionId& transaction, const Address& mapped,
                           const HmacSha1& key) {
  Writer w(out, StunClass::kSuccess, transaction);
  w.xorMappedAddress(mapped);
  return w.finish(key);
}

size_t writeBindingError(MutableBytes out, const StunTransactionId& transaction, uint16_t code, const HmacSha1& key,
                         std::span<const uint16_t> unknown) {
  Writer w(out, StunClass::kError, transaction);
  // RFC 8489 §14.8; the reason phrase is for people and left out.
  w.attributeU32(kErrorCode, ((code / 100U) << 8) | (code % 100U));
  if (!unknown.empty()) {
    if (uint8_t* p = w.attribute(kUnknownAttributes, unknown.size() * 2); p != nullptr) {
      for (const uint16_t type : unknown) {
        writeU16(p, type);
        p += 2;
      }
    }
  }
  return w.finish(key);
}

size_t writeBindingRequest(MutableBytes out, const BindingRequest& r, const HmacSha1& key) {
  Writer w(out, StunClass::kRequest, r.transaction);
  if (uint8_t* p = w.attribute(kUsername, r.username.size()); p != nullptr) {
    std::memcpy(p, r.username.data(), r.username.size());
  }
  w.attributeU64(r.controlling ? kIceControlling : kIceControlled, r.tieBreaker);
  if (r.useCandidate) w.attribute(kUseCandidate, 0);
  w.attributeU32(kPriority, r.priority);
  return w.finish(key);
}

}  // namespace sluice::wire
