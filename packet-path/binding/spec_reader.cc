#include "spec_reader.h"

#include "../io/address.h"

namespace sluice::binding {

namespace {

// The bounds of contracts' schema, in bytes where it has characters: a character is at most three bytes of UTF-8
// for each unit of a JavaScript string's length.
constexpr size_t kMaxIdBytes = 64 * 3;
constexpr size_t kMaxIdentityBytes = 256 * 3;
constexpr size_t kMaxIceBytes = 256;
constexpr size_t kMaxMidBytes = 16 * 3;
constexpr size_t kMaxLabelBytes = 1'024 * 3;
constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
constexpr int64_t kMaxU32 = 0xFFFF'FFFF;
constexpr int64_t kMaxU16 = 0xFFFF;

constexpr std::pair<std::string_view, MediaKind> kKinds[] = {{"audio", MediaKind::kAudio},
                                                             {"video", MediaKind::kVideo}};
constexpr std::pair<std::string_view, bool> kDtlsRoles[] = {{"server", true}, {"client", false}};
constexpr std::pair<std::string_view, Codec> kCodecs[] = {
    {"other", Codec::kOther}, {"opus", Codec::kOpus}, {"red", Codec::kRed}, {"pcmu", Codec::kPcmu},
    {"pcma", Codec::kPcma},   {"vp8", Codec::kVp8},   {"vp9", Codec::kVp9}, {"h264", Codec::kH264},
    {"h265", Codec::kH265},   {"av1", Codec::kAv1},
};
constexpr std::pair<std::string_view, uint8_t> kQualities[] = {
    {"low", uint8_t{0}}, {"medium", uint8_t{1}}, {"high", TrackWish::kHighest}};
using wire::ExtensionKind;
constexpr std::pair<std::string_view, ExtensionKind> kExtensions[] = {
    {"mid", ExtensionKind::kMid},
    {"rid", ExtensionKind::kRid},
    {"repaired-rid", ExtensionKind::kRepairedRid},
    {"audio-level", ExtensionKind::kAudioLevel},
    {"abs-send-time", ExtensionKind::kAbsSendTime},
    {"transport-cc", ExtensionKind::kTransportCc},
    {"transmission-offset", ExtensionKind::kTransmissionOffset},
    {"video-orientation", ExtensionKind::kVideoOrientation},
    {"playout-delay", ExtensionKind::kPlayoutDelay},
    {"video-content-type", ExtensionKind::kVideoContentType},
    {"video-timing", ExtensionKind::kVideoTiming},
    {"color-space", ExtensionKind::kColorSpace},
    {"dependency-descriptor", ExtensionKind::kDependencyDescriptor},
    {"frame-marking", ExtensionKind::kFrameMarking},
    {"abs-capture-time", ExtensionKind::kAbsCaptureTime},
};
static_assert(std::size(kExtensions) + 1 == static_cast<size_t>(ExtensionKind::kCount), "every kind has its name");

template <typename T, typename Read>
std::vector<T> readList(const Field& list, uint32_t limit, const Read& read) {
  std::vector<T> out;
  const uint32_t length = list.length(limit);
  out.reserve(length);
  for (uint32_t i = 0; i < length; ++i) out.push_back(read(list.at(i)));
  return out;
}

template <typename T>
std::optional<T> readOptional(const Field& object, const char* name, int64_t least, int64_t most) {
  const auto field = object.find(name);
  if (!field.has_value()) return std::nullopt;
  return field->integerAs<T>(least, most);
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

class SpecReader {
 public:
  SpecReader(Names& names, HeldNames& held) : names_(names), held_(held) {}

  SessionSpec read(const Field& spec, const Field& version) {
    SessionSpec out;
    out.session = key<SessionKey>(spec["session"]);
    out.participant = key<ParticipantKey>(spec["participant"]);
    out.epoch = version["epoch"].integerAs<uint64_t>(0, kMaxSafeInteger);
    out.generation = version["generation"].integerAs<uint64_t>(0, kMaxSafeInteger);
    out.localCredentials = readList<IceCredentials>(spec["localCredentials"], 4, readCredentials);
    if (const auto remote = spec.find("remoteCredentials")) out.remoteCredentials = readCredentials(*remote);
    out.dtlsServer = spec["dtlsRole"].choice(kDtlsRoles);
    out.remoteFingerprints = readList<Fingerprint>(spec["remoteFingerprints"], 8, readFingerprint);
    readExtensions(spec["headerExtensions"], out.extensions);
    out.incoming = readList<IncomingTrackSpec>(spec["incoming"], 256, [this](const Field& f) { return incoming(f); });
    out.outgoing = readList<OutgoingTrackSpec>(spec["outgoing"], 4'096, [this](const Field& f) { return outgoing(f); });
    if (const auto data = spec.find("data")) out.data = readData(*data, spec);
    return out;
  }

 private:
  template <typename Key>
  Key key(const Field& id) {
    const std::string text = id.text(kMaxIdBytes);
    if (text.empty()) {
      id.fail("must not be empty");
      return Key{};
    }
    held_.push_back(names_.hold(text));
    return Key{held_.back()};
  }

  static IncomingStreamSpec stream(const Field& field) {
    IncomingStreamSpec out;
    out.ssrc = readOptional<Ssrc>(field, "ssrc", 1, kMaxU32);
    out.rtxSsrc = readOptional<Ssrc>(field, "rtxSsrc", 1, kMaxU32);
    out.rid = field["rid"].text(kMaxMidBytes);
    return out;
  }

  IncomingTrackSpec incoming(const Field& field) {
    IncomingTrackSpec out;
    out.track = key<TrackKey>(field["track"]);
    out.kind = readKind(field["kind"]);
    out.mid = field["mid"].text(kMaxMidBytes);
    out.codecs = readList<CodecSpec>(field["codecs"], 64, readCodec);
    out.streams = readList<IncomingStreamSpec>(field["streams"], 16, stream);
    out.nack = field["nack"].boolean();
    out.transportCc = field["transportCc"].boolean();
    return out;
  }

  OutgoingTrackSpec outgoing(const Field& field) {
    OutgoingTrackSpec out;
    out.track = key<TrackKey>(field["track"]);
    out.kind = readKind(field["kind"]);
    out.mid = field["mid"].text(kMaxMidBytes);
    out.ssrc = field["ssrc"].integerAs<Ssrc>(1, kMaxU32);
    out.rtxSsrc = readOptional<Ssrc>(field, "rtxSsrc", 1, kMaxU32);
    out.codecs = readList<CodecSpec>(field["codecs"], 64, readCodec);
    out.paused = field["paused"].boolean();
    if (const auto wished = field.find("wish")) out.wish = wish(*wished);
    return out;
  }

  static TrackWish wish(const Field& field) {
    TrackWish out;
    out.spatial = field["quality"].choice(kQualities);
    out.maxFps = field["maxFps"].integerAs<uint8_t>(0, 240);
    out.priority = field["priority"].integerAs<uint16_t>(0, kMaxU16);
    out.widthPx = field["widthPx"].integerAs<uint16_t>(0, kMaxU16);
    out.heightPx = field["heightPx"].integerAs<uint16_t>(0, kMaxU16);
    out.mayPause = field["mayPause"].boolean();
    return out;
  }

  static DataChannelSpec channel(const Field& field) {
    DataChannelSpec out;
    out.label = field["label"].text(kMaxLabelBytes);
    out.protocol = field["protocol"].text(kMaxLabelBytes);
    out.ordered = field["ordered"].boolean();
    out.maxRetransmits = readOptional<uint16_t>(field, "maxRetransmits", 0, kMaxU16);
    out.maxPacketLifeTimeMs = readOptional<uint16_t>(field, "maxPacketLifeTimeMs", 0, kMaxU16);
    // 65535 is reserved (RFC 8832 §5.1).
    out.streamId = readOptional<uint16_t>(field, "streamId", 0, kMaxU16 - 1);
    out.open = field["open"].boolean();
    return out;
  }

  DataSpec readData(const Field& field, const Field& spec) {
    DataSpec out;
    out.sctpPort = field["sctpPort"].integerAs<uint16_t>(1, kMaxU16);
    out.remoteMaxMessageBytes = field["remoteMaxMessageBytes"].integerAs<uint32_t>(0, kMaxU32);
    // A room's data channels are one group; members are called by the room's names.
    out.group = key<GroupKey>(spec["room"]);
    out.participantSid = spec["participant"].text(kMaxIdBytes);
    out.participantIdentity = spec["identity"].text(kMaxIdentityBytes);
    out.hidden = field["hidden"].boolean();
    out.publish = field["publish"].boolean();
    out.receive = field["receive"].boolean();
    out.channels = readList<DataChannelSpec>(field["channels"], 64, channel);
    return out;
  }

  Names& names_;
  HeldNames& held_;
};

}  // namespace

SessionSpec readSpec(const Field& spec, const Field& version, Names& names, HeldNames& held) {
  return SpecReader(names, held).read(spec, version);
}

Fingerprint readFingerprint(const Field& fingerprint) {
  Fingerprint out{fingerprint["algorithm"].text(16), {}};
  const Field value = fingerprint["value"];
  // "AB:CD:…" (RFC 8122 §5)
  const std::string text = value.text(3 * 64);
  for (size_t i = 0; i < text.size(); i += 3) {
    const int high = hexDigit(text[i]);
    const int low = i + 1 < text.size() ? hexDigit(text[i + 1]) : -1;
    if (high < 0 || low < 0 || (i + 2 < text.size() && text[i + 2] != ':')) {
      value.fail("must be hexadecimal bytes with colons between");
      return out;
    }
    out.digest.push_back(static_cast<uint8_t>(high * 16 + low));
  }
  return out;
}

IceCredentials readCredentials(const Field& credentials) {
  return {credentials["usernameFragment"].text(kMaxIceBytes), credentials["password"].text(kMaxIceBytes)};
}

CodecSpec readCodec(const Field& codec) {
  CodecSpec out;
  out.payloadType = codec["payloadType"].integerAs<uint8_t>(0, 127);
  out.codec = codec["codec"].choice(kCodecs);
  out.clockRateHz = codec["clockRateHz"].integerAs<uint32_t>(1, 1'000'000);
  out.rtxPayloadType = readOptional<uint8_t>(codec, "rtxPayloadType", 0, 127);
  out.profile = codec["profile"].text(64 * 3);
  return out;
}

MediaKind readKind(const Field& kind) {
  return kind.choice(kKinds);
}

void readExtensions(const Field& list, wire::ExtensionMap& out) {
  const uint32_t length = list.length(32);
  for (uint32_t i = 0; i < length; ++i) {
    const Field extension = list.at(i);
    const ExtensionKind kind = extension["kind"].choice(kExtensions);
    out.set(kind, extension["id"].integerAs<uint8_t>(1, 255));
  }
}

Address readAddress(const Field& endpoint) {
  const Field address = endpoint["address"];
  const auto port = endpoint["port"].integerAs<uint16_t>(0, kMaxU16);
  const auto parsed = io::parseAddress(address.text(64), port);
  if (!parsed.has_value()) address.fail("must be a numeric IPv4 or IPv6 address");
  return parsed.value_or(Address{});
}

}  // namespace sluice::binding
