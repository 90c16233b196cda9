#include "handshake.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

/// RFC 9260 §16 RTO.Initial.
constexpr TimeUs kFirstTimeoutUs = kSecondUs;
/// Deliberately below RTO.Max (60 s): somebody waits for the call to begin.
constexpr TimeUs kMaxTimeoutUs = 3 * kSecondUs;
/// RFC 9260 §16 Max.Init.Retransmits. With the timeouts above this gives up after 24 s.
constexpr uint32_t kMaxRetransmits = 8;
/// RFC 9260 §16 Valid.Cookie.Life.
constexpr TimeUs kCookieLifeUs = 60 * kSecondUs;

constexpr size_t kInitValueBytes = 16;
constexpr size_t kExtensionBytes = 2;
/// Our own parameters: Forward-TSN-Supported, and Supported Extensions with two chunk types and padding.
constexpr size_t kOwnParameterBytes = kParameterHeaderBytes + padded(kParameterHeaderBytes + kExtensionBytes);

/// Parameters that RFC 9260 §3.3.2 defines and that say nothing to an association over DTLS: addresses, cookie
/// preservative, host name, supported address types. Known, hence not reported.
constexpr bool isKnownAndIdle(uint16_t type) {
  return type == 5 || type == 6 || type == 9 || type == 11 || type == 12;
}

/// What an INIT or INIT ACK said besides its fixed part.
struct ReadParameters {
  EndParameters end;
  Bytes cookie;
  std::vector<uint8_t> unknown;  ///< whole parameters, padded, that ask to be reported
  bool malformed = false;
};

void readExtensions(Bytes types, EndParameters& end) {
  for (const uint8_t type : types) {
    if (type == static_cast<uint8_t>(ChunkType::kForwardTsn)) end.forwardTsn = true;
    if (type == static_cast<uint8_t>(ChunkType::kReconfig)) end.reconfig = true;
  }
}

ReadParameters readParameters(const InitChunk& init) {
  ReadParameters read{.end = {.tag = init.tag,
                              .initialTsn = init.initialTsn,
                              .window = init.window,
                              .outgoingStreams = init.outgoingStreams,
                              .incomingStreams = init.incomingStreams},
                      .cookie = {},
                      .unknown = {}};
  ParameterReader reader(init.parameters);
  while (const auto parameter = reader.next()) {
    switch (static_cast<ParameterType>(parameter->type)) {
      case ParameterType::kStateCookie:
        read.cookie = parameter->value;
        continue;
      case ParameterType::kForwardTsnSupported:
        read.end.forwardTsn = true;
        continue;
      case ParameterType::kSupportedExtensions:
        readExtensions(parameter->value, read.end);
        continue;
      case ParameterType::kUnrecognizedParameter:
        continue;  // the peer does not know one of ours: then it will not use it
      default:
        break;
    }
    if (isKnownAndIdle(parameter->type)) continue;
    const UnknownTypeRule rule = unknownParameterRule(parameter->type);
    if (rule.report) {
      read.unknown.insert(read.unknown.end(), parameter->whole.begin(), parameter->whole.end());
      read.unknown.resize(padded(read.unknown.size()));
    }
    if (!rule.goOn) break;
  }
  read.malformed = reader.malformed();
  return read;
}

/// RFC 9260 §3.3.2: what no INIT or INIT ACK may say.
bool isAcceptable(const InitChunk& init) {
  return init.tag != 0 && init.outgoingStreams != 0 && init.incomingStreams != 0;
}

uint8_t* writeFixedPart(uint8_t* at, const EndParameters& end) {
  writeU32(at, end.tag);
  writeU32(at + 4, end.window);
  writeU16(at + 8, end.outgoingStreams);
  writeU16(at + 10, end.incomingStreams);
  writeU32(at + 12, end.initialTsn);
  return at + kInitValueBytes;
}

uint8_t* writeOwnParameters(uint8_t* at) {
  at = writeParameterHeader(at, static_cast<uint16_t>(ParameterType::kForwardTsnSupported), 0);
  at = writeParameterHeader(at, static_cast<uint16_t>(ParameterType::kSupportedExtensions), kExtensionBytes);
  at[0] = static_cast<uint8_t>(ChunkType::kForwardTsn);
  at[1] = static_cast<uint8_t>(ChunkType::kReconfig);
  at[2] = at[3] = 0;
  return at + padded(kExtensionBytes);
}

void refuse(uint32_t tag, ErrorCause cause, Outbox& out) {
  out.setTag(tag);
  writeParameterHeader(out.chunk(ChunkType::kAbort, 0, kParameterHeaderBytes), static_cast<uint16_t>(cause), 0);
  out.flush();
}

}  // namespace

Handshake::Handshake(const AssociationConfig& config, const Seed& seed) : config_(config), random_(seed) {
  // The seed's first bytes are the first tag and TSN as they are, the last sixteen key everything else.
  local_ = {.tag = std::max(readU32(&seed[0]), uint32_t{1}),
            .initialTsn = readU32(&seed[4]),
            .window = config.receiveWindowBytes,
            .outgoingStreams = UINT16_MAX,
            .incomingStreams = UINT16_MAX,
            .forwardTsn = true,
            .reconfig = true};
}

void Handshake::start(TimeUs nowUs, Outbox& out) {
  if (state_ != State::kClosed) return;
  state_ = State::kCookieWait;
  attempts_ = 0;
  sendInit(nowUs, out);
}

// RFC 9260 §5.1 B, §5.2.1, §5.2.2. Until the association stands, every INIT is answered with the tag and TSN of our
// own INIT; afterwards with new ones, and with tie-tags that tell a restart from an old duplicate.
Handshake::Outcome Handshake::onInit(const ChunkView& chunk, TimeUs nowUs, Outbox& out) {
  const auto init = parseInit(chunk);
  if (!init) return Outcome::kDropped;
  if (!isAcceptable(*init)) {
    if (init->tag != 0) refuse(init->tag, ErrorCause::kInvalidMandatoryParameter, out);
    return Outcome::kDropped;
  }
  const ReadParameters read = readParameters(*init);
  if (read.malformed) {
    refuse(init->tag, ErrorCause::kProtocolViolation, out);
    return Outcome::kDropped;
  }

  StateCookie cookie{
      .createdAtUs = nowUs, .localTag = local_.tag, .localInitialTsn = local_.initialTsn, .peer = read.end};
  if (state_ == State::kEstablished) {
    cookie.localTag = random_.nextTag();
    cookie.localInitialTsn = random_.next();
  }
  if (state_ == State::kEstablished || state_ == State::kCookieEchoed) {
    cookie.localTieTag = local_.tag;
    cookie.peerTieTag = peer_.tag;
  }
  EndParameters answer = local_;
  answer.tag = cookie.localTag;
  answer.initialTsn = cookie.localInitialTsn;

  out.setTag(init->tag);
  out.flush();
  const StateCookie::Written written = cookie.write(random_.key());
  const size_t fixed = kInitValueBytes + kOwnParameterBytes + kParameterHeaderBytes + padded(written.size());
  const size_t room = out.fullRoom() - fixed;
  const bool report = !read.unknown.empty() && kParameterHeaderBytes + read.unknown.size() <= room;
  uint8_t* at = out.chunk(ChunkType::kInitAck, 0, fixed + (report ? kParameterHeaderBytes + read.unknown.size() : 0));
  at = writeOwnParameters(writeFixedPart(at, answer));
  at = writeParameterHeader(at, static_cast<uint16_t>(ParameterType::kStateCookie), written.size());
  at = std::fill_n(std::copy(written.begin(), written.end(), at), padded(written.size()) - written.size(), uint8_t{0});
  if (report) {
    at = writeParameterHeader(at, static_cast<uint16_t>(ParameterType::kUnrecognizedParameter), read.unknown.size());
    std::copy(read.unknown.begin(), read.unknown.end(), at);
  }
  out.flush();
  out.setTag(peer_.tag);
  return Outcome::kNothing;
}

Handshake::Outcome Handshake::onInitAck(const ChunkView& chunk, TimeUs nowUs, Outbox& out) {
  if (state_ != State::kCookieWait) return Outcome::kDropped;  // §5.2.3
  const auto init = parseInit(chunk);
  if (!init) return Outcome::kDropped;
  const ReadParameters read = readParameters(*init);
  // A cookie that no packet can carry back is as good as none.
  if (!isAcceptable(*init) || read.malformed || read.cookie.empty() || read.cookie.size() > out.fullRoom()) {
    if (init->tag != 0) refuse(init->tag, ErrorCause::kProtocolViolation, out);
    deadlineUs_ = kNever;
    return Outcome::kFailed;
  }
  peer_ = read.end;
  cookie_.assign(read.cookie.begin(), read.cookie.end());
  complaint_ = read.unknown;
  state_ = State::kCookieEchoed;
  attempts_ = 0;
  sendCookieEcho(nowUs, out);
  return Outcome::kNothing;
}

// RFC 9260 §5.2.4, with the cases of its table named as there.
Handshake::Outcome Handshake::onCookieEcho(const ChunkView& chunk, uint32_t packetTag, TimeUs nowUs, Outbox& out) {
  const auto cookie = StateCookie::read(chunk.value, random_.key());
  if (!cookie || cookie->localTag != packetTag) return Outcome::kDropped;

  const bool localMatches = cookie->localTag == local_.tag;
  const bool peerMatches = cookie->peer.tag == peer_.tag;
  const bool fresh = nowUs - cookie->createdAtUs <= kCookieLifeUs;
  if (!fresh && !(localMatches && peerMatches)) {
    out.setTag(cookie->peer.tag);
    uint8_t* at = out.chunk(ChunkType::kError, 0, kParameterHeaderBytes + 4);
    at = writeParameterHeader(at, static_cast<uint16_t>(ErrorCause::kStaleCookie), 4);
    writeU32(at, static_cast<uint32_t>(
                     std::min<TimeUs>(nowUs - cookie->createdAtUs - kCookieLifeUs, UINT32_MAX)));  // by how many µs
    out.setTag(peer_.tag);
    return Outcome::kDropped;
  }

  if (state_ != State::kEstablished) {
    if (!localMatches) return Outcome::kDropped;        // C: from a handshake before
    return agree(*cookie, Outcome::kEstablished, out);  // no association yet, B or D
  }
  if (localMatches && peerMatches) {  // D: our COOKIE ACK was lost
    out.chunk(ChunkType::kCookieAck, 0, 0);
    return Outcome::kNothing;
  }
  const bool tied = cookie->localTieTag == local_.tag && cookie->peerTieTag == peer_.tag;
  // A: the peer lost its state. B: it did so before it heard from us; it has a new TSN all the same.
  if (tied || localMatches) return agree(*cookie, Outcome::kRestarted, out);
  return Outcome::kDropped;  // C
}

Handshake::Outcome Handshake::onCookieAck() {
  if (state_ != State::kCookieEchoed) return Outcome::kDropped;  // §5.2.5
  settle();
  return Outcome::kEstablished;
}

Handshake::Outcome Handshake::onStaleCookie(TimeUs nowUs, Outbox& out) {
  if (state_ != State::kCookieEchoed) return Outcome::kDropped;
  if (++attempts_ > kMaxRetransmits) return Outcome::kFailed;
  state_ = State::kCookieWait;
  peer_ = {};
  sendInit(nowUs, out);
  return Outcome::kNothing;
}

Handshake::Outcome Handshake::onDeadline(TimeUs nowUs, Outbox& out) {
  if (nowUs < deadlineUs_) return Outcome::kNothing;
  if (++attempts_ > kMaxRetransmits) {
    deadlineUs_ = kNever;
    return Outcome::kFailed;
  }
  if (state_ == State::kCookieWait) sendInit(nowUs, out);
  if (state_ == State::kCookieEchoed) sendCookieEcho(nowUs, out);
  return Outcome::kNothing;
}

void Handshake::sendInit(TimeUs nowUs, Outbox& out) {
  out.flush();
  out.setTag(0);  // §8.5.1 A
  uint8_t* at = out.chunk(ChunkType::kInit, 0, kInitValueBytes + kOwnParameterBytes);
  writeOwnParameters(writeFixedPart(at, local_));
  out.flush();
  arm(nowUs);
}

void Handshake::sendCookieEcho(TimeUs nowUs, Outbox& out) {
  out.setTag(peer_.tag);
  out.flush();  // COOKIE ECHO is the first chunk of its packet (§5.1)
  out.chunk(ChunkType::kCookieEcho, 0, cookie_);
  if (!complaint_.empty() && kParameterHeaderBytes + complaint_.size() <= out.room()) {
    uint8_t* at = out.chunk(ChunkType::kError, 0, kParameterHeaderBytes + complaint_.size());
    at = writeParameterHeader(at, static_cast<uint16_t>(ErrorCause::kUnrecognizedParameters), complaint_.size());
    std::copy(complaint_.begin(), complaint_.end(), at);
  }
  arm(nowUs);
}

void Handshake::arm(TimeUs nowUs) {
  deadlineUs_ = nowUs + std::min(kFirstTimeoutUs << std::min(attempts_, 8U), kMaxTimeoutUs);
}

Handshake::Outcome Handshake::agree(const StateCookie& cookie, Outcome outcome, Outbox& out) {
  local_.tag = cookie.localTag;
  local_.initialTsn = cookie.localInitialTsn;
  peer_ = cookie.peer;
  settle();
  out.setTag(peer_.tag);
  out.chunk(ChunkType::kCookieAck, 0, 0);
  return outcome;
}

void Handshake::settle() {
  state_ = State::kEstablished;
  deadlineUs_ = kNever;
  cookie_ = std::vector<uint8_t>();
  complaint_ = std::vector<uint8_t>();
}

}  // namespace sluice::sctp
