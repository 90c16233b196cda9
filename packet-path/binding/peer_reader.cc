#include "peer_reader.h"

#include "../io/address.h"
#include "spec_reader.h"

namespace sluice::binding {

namespace {

constexpr size_t kMaxLabelBytes = 65'535;  // RFC 8832 §5.1
constexpr size_t kMaxNameBytes = 16;       // of a MID or RID: one element of a one-byte header extension
constexpr int64_t kMaxU32 = 0xFFFF'FFFF;
// Far above what one client does, low enough to be no way to run out of memory.
constexpr uint32_t kMaxSources = 64;
constexpr uint32_t kMaxEncodings = 8;
constexpr uint32_t kMaxSinks = 4'096;

constexpr std::pair<std::string_view, bool> kDtlsRoles[] = {{"client", true}, {"server", false}};
constexpr std::pair<std::string_view, sctp::MessageKind> kKinds[] = {{"string", sctp::MessageKind::kString},
                                                                     {"binary", sctp::MessageKind::kBinary}};

template <typename T>
std::optional<T> readOptional(const Field& object, const char* name, int64_t least, int64_t most) {
  const auto field = object.find(name);
  if (!field.has_value()) return std::nullopt;
  return field->integerAs<T>(least, most);
}

uint8_t readPayloadType(const Field& field) {
  return field.integerAs<uint8_t>(0, 127);
}

peer::EncodingSpec readEncoding(const Field& field) {
  peer::EncodingSpec out;
  out.ssrc = field["ssrc"].integerAs<Ssrc>(1, kMaxU32);
  out.rtxSsrc = readOptional<Ssrc>(field, "rtxSsrc", 1, kMaxU32);
  out.rid = field["rid"].text(kMaxNameBytes);
  out.maxBitsPerSecond = field["maxBitsPerSecond"].integerAs<uint32_t>(1, kMaxU32);
  out.minBitsPerSecond = field["minBitsPerSecond"].integerAs<uint32_t>(0, kMaxU32);
  out.width = field["width"].integerAs<uint16_t>(1, 0x3FFF);
  out.height = field["height"].integerAs<uint16_t>(1, 0x3FFF);
  out.active = field["active"].boolean();
  return out;
}

peer::VideoSourceSpec readVideo(const Field& field) {
  peer::VideoSourceSpec out;
  out.mid = field["mid"].text(kMaxNameBytes);
  out.payloadType = readPayloadType(field["payloadType"]);
  out.rtxPayloadType = readOptional<uint8_t>(field, "rtxPayloadType", 0, 127);
  out.framesPerSecond = field["framesPerSecond"].integerAs<uint8_t>(1, 240);
  out.temporalLayers = field["temporalLayers"].integerAs<uint8_t>(1, 3);
  out.muted = field["muted"].boolean();
  const Field encodings = field["encodings"];
  const uint32_t length = encodings.length(kMaxEncodings);
  for (uint32_t i = 0; i < length; ++i) out.encodings.push_back(readEncoding(encodings.at(i)));
  if (out.encodings.empty()) encodings.fail("must have at least one element");
  return out;
}

peer::AudioSourceSpec readAudio(const Field& field) {
  peer::AudioSourceSpec out;
  out.mid = field["mid"].text(kMaxNameBytes);
  out.payloadType = readPayloadType(field["payloadType"]);
  out.redPayloadType = readOptional<uint8_t>(field, "redPayloadType", 0, 127);
  out.ssrc = field["ssrc"].integerAs<Ssrc>(1, kMaxU32);
  out.bitsPerSecond = field["bitsPerSecond"].integerAs<uint32_t>(1, 510'000);
  out.level = field["level"].integerAs<uint8_t>(0, 127);
  out.muted = field["muted"].boolean();
  return out;
}

peer::SinkSpec readSink(const Field& field) {
  peer::SinkSpec out;
  out.ssrc = field["ssrc"].integerAs<Ssrc>(1, kMaxU32);
  out.rtxSsrc = readOptional<Ssrc>(field, "rtxSsrc", 1, kMaxU32);
  out.kind = readKind(field["kind"]);
  out.mid = field["mid"].text(kMaxNameBytes);
  const Field codecs = field["codecs"];
  const uint32_t length = codecs.length(64);
  for (uint32_t i = 0; i < length; ++i) out.codecs.push_back(readCodec(codecs.at(i)));
  out.nack = field["nack"].boolean();
  out.idle = field["idle"].boolean();
  return out;
}

}  // namespace

Address readAddressText(const Field& field) {
  const auto parsed = io::parseAddressText(field.text(64));
  if (!parsed.has_value()) field.fail("must be an address with its port");
  return parsed.value_or(Address{});
}

sctp::ChannelSpec readChannel(const Field& field) {
  sctp::ChannelSpec out;
  out.label = field["label"].text(kMaxLabelBytes);
  out.protocol = field["protocol"].text(kMaxLabelBytes);
  out.ordered = field["ordered"].boolean();
  out.maxRetransmits = readOptional<uint16_t>(field, "maxRetransmits", 0, UINT16_MAX);
  out.maxPacketLifeTimeMs = readOptional<uint16_t>(field, "maxPacketLifeTimeMs", 0, UINT16_MAX);
  out.negotiatedStream = readOptional<uint16_t>(field, "streamId", 0, UINT16_MAX - 1);
  return out;
}

sctp::MessageKind readMessageKind(const Field& field) {
  return field.choice(kKinds);
}

peer::PeerConfig readPeerConfig(const Field& options) {
  peer::PeerConfig out;
  out.server = readAddressText(options["server"]);
  out.ice.local = readCredentials(options["local"]);
  out.ice.remote = readCredentials(options["remote"]);
  out.dtlsClient = options["dtlsRole"].choice(kDtlsRoles);
  const Field fingerprints = options["remoteFingerprints"];
  const uint32_t count = fingerprints.length(8);
  for (uint32_t i = 0; i < count; ++i) out.remoteFingerprints.push_back(readFingerprint(fingerprints.at(i)));
  if (const auto data = options.find("data")) {
    out.data.emplace();
    out.data->maxSentMessageBytes = (*data)["remoteMaxMessageBytes"].integerAs<uint32_t>(0, UINT32_MAX);
    const Field channels = (*data)["channels"];
    const uint32_t length = channels.length(64);
    for (uint32_t i = 0; i < length; ++i) out.channels.push_back(readChannel(channels.at(i)));
  }
  return out;
}

peer::MediaSpec readMedia(const Field& media) {
  peer::MediaSpec out;
  readExtensions(media["headerExtensions"], out.extensions);
  out.transportCc = media["transportCc"].boolean();
  const Field video = media["video"];
  const uint32_t cameras = video.length(kMaxSources);
  for (uint32_t i = 0; i < cameras; ++i) out.video.push_back(readVideo(video.at(i)));
  const Field audio = media["audio"];
  const uint32_t microphones = audio.length(kMaxSources);
  for (uint32_t i = 0; i < microphones; ++i) out.audio.push_back(readAudio(audio.at(i)));
  const Field sinks = media["sinks"];
  const uint32_t length = sinks.length(kMaxSinks);
  for (uint32_t i = 0; i < length; ++i) out.sinks.push_back(readSink(sinks.at(i)));
  return out;
}

}  // namespace sluice::binding
