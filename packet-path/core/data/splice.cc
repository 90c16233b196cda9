#include "splice.h"

#include <limits>

namespace sluice::data {

namespace {

// livekit.DataPacket and livekit.UserPacket, @livekit/protocol 1.52.1 livekit_models.proto.
namespace packet_field {
constexpr uint32_t kKind = 1;
constexpr uint32_t kUser = 2;
constexpr uint32_t kParticipantIdentity = 4;
constexpr uint32_t kDestinationIdentities = 5;
constexpr uint32_t kSequence = 16;
constexpr uint32_t kParticipantSid = 17;
}  // namespace packet_field
namespace user_field {
constexpr uint32_t kParticipantSid = 1;
constexpr uint32_t kDestinationSids = 3;
constexpr uint32_t kParticipantIdentity = 5;
constexpr uint32_t kDestinationIdentities = 6;
}  // namespace user_field
constexpr uint64_t kLossy = 1;  // DataPacket.Kind; RELIABLE is 0, hence left out

// https://protobuf.dev/programming-guides/encoding
enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t varint = 0;  // of kVarint
  Bytes content;        // of kBytes
  Bytes whole;          // tag included
};

class FieldReader {
 public:
  explicit FieldReader(Bytes message) : rest_(message) {}

  // Empty at the end and when malformed.
  std::optional<Field> next() {
    if (rest_.empty() || malformed_) return {};
    const Bytes start = rest_;
    Field f;
    malformed_ = !read(f);
    if (malformed_) return {};
    f.whole = start.first(start.size() - rest_.size());
    return f;
  }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  bool read(Field& f) {
    uint64_t tag = 0;
    if (!varint(tag) || tag >> 3 == 0 || tag >> 3 > kMaxFieldNumber) return false;
    f.number = static_cast<uint32_t>(tag >> 3);
    f.type = static_cast<WireType>(tag & 7);
    switch (f.type) {
      case WireType::kVarint:
        return varint(f.varint);
      case WireType::kFixed64:
        return skip(8);
      case WireType::kFixed32:
        return skip(4);
      case WireType::kBytes: {
        uint64_t size = 0;
        if (!varint(size) || size > rest_.size()) return false;
        f.content = rest_.first(static_cast<size_t>(size));
        return skip(static_cast<size_t>(size));
      }
      default:
        return false;  // groups are not of proto3
    }
  }
  bool varint(uint64_t& v) {
    v = 0;
    for (unsigned shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      const uint8_t b = rest_[0];
      rest_ = rest_.subspan(1);
      if (shift == 63 && b > 1) return false;
      v |= uint64_t{b & 0x7FU} << shift;
      if ((b & 0x80) == 0) return true;
    }
    return false;
  }
  bool skip(size_t bytes) {
    if (rest_.size() < bytes) return false;
    rest_ = rest_.subspan(bytes);
    return true;
  }

  static constexpr uint64_t kMaxFieldNumber = (1U << 29) - 1;
  Bytes rest_;
  bool malformed_ = false;
};

size_t varintBytes(uint64_t v) {
  size_t n = 1;
  while (v >>= 7) ++n;
  return n;
}

void appendVarint(std::vector<uint8_t>& out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<uint8_t>(v | 0x80));
  out.push_back(static_cast<uint8_t>(v));
}

void append(std::vector<uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void appendText(std::vector<uint8_t>& out, uint32_t number, std::string_view text) {
  if (text.empty()) return;
  appendVarint(out, uint64_t{number} << 3 | static_cast<uint64_t>(WireType::kBytes));
  appendVarint(out, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

size_t textBytes(uint32_t number, std::string_view text) {
  return text.empty() ? 0 : varintBytes(uint64_t{number} << 3) + varintBytes(text.size()) + text.size();
}

bool addDestination(const Field& f, Spliced& out) {
  if (f.type != WireType::kBytes || out.destinations.size() == kMaxDestinations) return false;
  out.destinations.emplace_back(f.content.begin(), f.content.end());
  return true;
}

// Fields of a message that are ours to write.
bool isSender(uint32_t number, bool user) {
  return user ? number == user_field::kParticipantSid || number == user_field::kParticipantIdentity
              : number == packet_field::kParticipantSid || number == packet_field::kParticipantIdentity ||
                    number == packet_field::kKind;
}

bool appendUser(Bytes user, const Sender& sender, Spliced& out) {
  // First its size, which stands in front: what is kept, and what we write.
  size_t size = textBytes(user_field::kParticipantSid, sender.participantSid) +
                textBytes(user_field::kParticipantIdentity, sender.participantIdentity);
  FieldReader measure(user);
  while (const auto f = measure.next()) {
    if (!isSender(f->number, true)) size += f->whole.size();
  }
  if (measure.malformed()) return false;

  appendVarint(out.bytes, uint64_t{packet_field::kUser} << 3 | static_cast<uint64_t>(WireType::kBytes));
  appendVarint(out.bytes, size);
  FieldReader fields(user);
  while (const auto f = fields.next()) {
    if (isSender(f->number, true)) continue;
    if (f->number == user_field::kDestinationSids || f->number == user_field::kDestinationIdentities) {
      if (!addDestination(*f, out)) return false;
    }
    append(out.bytes, f->whole);
  }
  appendText(out.bytes, user_field::kParticipantSid, sender.participantSid);
  appendText(out.bytes, user_field::kParticipantIdentity, sender.participantIdentity);
  return true;
}

}  // namespace

std::optional<Spliced> splice(Bytes packet, const Sender& sender, bool reliable) {
  Spliced out;
  out.bytes.reserve(packet.size() + 2 * (sender.participantSid.size() + sender.participantIdentity.size()) + 32);
  if (!reliable) {
    appendVarint(out.bytes, uint64_t{packet_field::kKind} << 3);
    appendVarint(out.bytes, kLossy);
  }
  FieldReader fields(packet);
  while (const auto f = fields.next()) {
    if (isSender(f->number, false)) continue;
    if (f->number == packet_field::kUser) {
      if (f->type != WireType::kBytes || !appendUser(f->content, sender, out)) return {};
      continue;
    }
    if (f->number == packet_field::kDestinationIdentities && !addDestination(*f, out)) return {};
    if (f->number == packet_field::kSequence) {
      if (f->type != WireType::kVarint || f->varint > std::numeric_limits<uint32_t>::max()) return {};
      out.sequence = static_cast<uint32_t>(f->varint);
    }
    append(out.bytes, f->whole);
  }
  if (fields.malformed()) return {};
  appendText(out.bytes, packet_field::kParticipantIdentity, sender.participantIdentity);
  appendText(out.bytes, packet_field::kParticipantSid, sender.participantSid);
  return out;
}

}  // namespace sluice::data
