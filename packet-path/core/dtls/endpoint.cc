#include "endpoint.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "flight.h"
#include "handshake.h"
#include "record.h"

namespace sluice::dtls {

namespace {

// Our datagrams; see kMtuBytes in handshake.cc, by which OpenSSL cuts its records.
constexpr size_t kDatagramBytes = 1'200;
// Larger than any record that fits a datagram we receive (packet.h).
constexpr size_t kPlainBytes = 2'048;
// SCTP's first packets may overtake the last flight, or signaling's fingerprint: INIT, COOKIE-ECHO and a few copies.
constexpr size_t kMaxEarlyRecords = 6;

constexpr uint8_t kWarning = 1;  // RFC 5246 §7.2
constexpr uint8_t kFatal = 2;
constexpr uint8_t kCloseNotify = 0;
constexpr uint8_t kBadCertificate = 42;

enum class Phase : uint8_t {
  kIdle,         // nothing came, nothing was sent
  kHandshaking,  // OpenSSL is at work
  kUnverified,   // done, but who the peer is was not told yet
  kConnected,
  kClosed,
};

}  // namespace

struct Endpoint::State final : HandshakeOutput {
  State(const Context& c, Role r) : context(c), role(r) {}

  void begin(TimeUs nowUs);
  void receiveRecord(const Record& record, TimeUs nowUs);
  void receivePlain(const Record& record, TimeUs nowUs);
  void receiveEarly(const Record& record, TimeUs nowUs);
  void advance(Bytes record, TimeUs nowUs);
  void finishHandshake();
  void verify();
  void receiveSealed(const Record& record);
  void receiveAlert(Bytes alert);
  void keep(const Record& record);
  bool opened(const Record& record, MutableBytes plain, size_t& size);
  void handshakeRecord(uint8_t type, uint16_t version, uint16_t epoch, Bytes body) override;
  bool makeKeys();
  void sendFlight();
  void sendAlert(uint8_t level, uint8_t description);
  size_t writeRecord(uint8_t type, uint16_t version, uint16_t epoch, Bytes body, MutableBytes out);
  void end(EndReason reason);
  void drop(RecordDrop reason) { ++drops[static_cast<size_t>(reason)]; }

  const Context& context;
  const Role role;
  Phase phase = Phase::kIdle;
  EndpointSink* sink = nullptr;  // during a call

  std::unique_ptr<Handshake> handshake;
  bool flightBegun = false;  // something was written since the last record went in
  Flight flight;
  RetransmissionTimer timer;
  uint64_t plainSequence = 0;  // of epoch 0

  std::optional<RecordSealer> sealer;
  std::optional<RecordOpener> opener;
  std::vector<Fingerprint> expected;
  std::optional<PeerDigests> digests;
  std::optional<wire::SrtpKeyPair> srtpKeys;  // until connected
  std::vector<std::vector<uint8_t>> early;
  std::array<uint64_t, static_cast<size_t>(RecordDrop::kCount)> drops{};
};

void Endpoint::State::begin(TimeUs nowUs) {
  handshake = Handshake::create(context, role == Role::kServer);
  if (handshake == nullptr) return end(EndReason::kHandshakeFailed);
  phase = Phase::kHandshaking;
  if (role == Role::kClient) advance({}, nowUs);
}

void Endpoint::State::receiveRecord(const Record& record, TimeUs nowUs) {
  switch (phase) {
    case Phase::kIdle: {
      // The SSL object is made only for what looks like a handshake's beginning.
      const bool hello =
          record.epoch == 0 && record.type == kHandshake && !record.body.empty() && record.body[0] == kClientHello;
      if (role != Role::kServer || !hello) return drop(RecordDrop::kUnexpected);
      begin(nowUs);
      if (phase == Phase::kHandshaking) advance(record.whole, nowUs);
      return;
    }
    case Phase::kHandshaking:
      return record.epoch == 0 ? receivePlain(record, nowUs) : receiveEarly(record, nowUs);
    case Phase::kUnverified:
      if (record.type == kApplicationData && record.epoch == 1) return keep(record);
      return receiveSealed(record);
    case Phase::kConnected:
      return receiveSealed(record);
    case Phase::kClosed:
      return drop(RecordDrop::kUnexpected);
  }
}

void Endpoint::State::receivePlain(const Record& record, TimeUs nowUs) {
  if (record.type == kHandshake && !isPlausible(record.body, role == Role::kServer))
    return drop(RecordDrop::kMalformed);
  if (record.type == kAlert && (record.body.size() != 2 || record.body[0] != kFatal)) {
    return drop(RecordDrop::kMalformed);  // warnings say nothing to us, and less when anybody may send them
  }
  if (record.type < kChangeCipherSpec || record.type > kHandshake) return drop(RecordDrop::kUnexpected);
  advance(record.whole, nowUs);
  // What overtook the messages that its keys come from.
  for (const std::vector<uint8_t>& bytes : std::exchange(early, {})) {
    Bytes rest(bytes);
    if (const std::optional<Record> kept = takeRecord(rest); kept) receiveRecord(*kept, nowUs);
  }
}

// OpenSSL 3.5 gives up a handshake for an unauthentic record of the next epoch, which anybody can send: it gets to see
// only what opens with the keys, as soon as there are any.
void Endpoint::State::receiveEarly(const Record& record, TimeUs nowUs) {
  if (record.epoch != 1) return drop(RecordDrop::kUnexpected);
  if (record.type == kApplicationData || !makeKeys()) return keep(record);
  std::array<uint8_t, kPlainBytes> plain;
  size_t size = 0;
  if (opened(record, plain, size)) advance(record.whole, nowUs);
}

void Endpoint::State::keep(const Record& record) {
  if (early.size() >= kMaxEarlyRecords) return drop(RecordDrop::kEarlyFull);
  early.emplace_back(record.whole.begin(), record.whole.end());
}

void Endpoint::State::advance(Bytes record, TimeUs nowUs) {
  flightBegun = false;
  const Handshake::Progress progress = handshake->advance(record, *this);
  if (progress == Handshake::Progress::kFailed) return end(EndReason::kHandshakeFailed);
  if (flightBegun) {
    sendFlight();
    timer.start(nowUs);
  }
  if (progress == Handshake::Progress::kDone) finishHandshake();
}

void Endpoint::State::handshakeRecord(uint8_t type, uint16_t version, uint16_t epoch, Bytes body) {
  if (epoch == 1 && !makeKeys()) return;  // advance() fails next: without keys OpenSSL could not have written this
  if (type == kAlert) {
    std::array<uint8_t, 64> out;
    const size_t size = writeRecord(type, version, epoch, body, out);
    if (size > 0) sink->dtlsDatagram(Bytes(out).first(size));
    return;
  }
  if (!flightBegun) flight.clear();
  flightBegun = true;
  flight.add(type, version, epoch, body);
}

bool Endpoint::State::makeKeys() {
  if (sealer && opener) return true;
  std::optional<TrafficKeys> keys = handshake->trafficKeys();
  if (!keys) return false;
  sealer = RecordSealer::create(keys->local);
  opener = RecordOpener::create(keys->remote);
  OPENSSL_cleanse(&*keys, sizeof(TrafficKeys));
  return sealer.has_value() && opener.has_value();
}

void Endpoint::State::finishHandshake() {
  const bool keyed = makeKeys();
  srtpKeys = handshake->srtpKeys();
  digests = handshake->peerDigests();
  handshake.reset();  // some 20 KiB; the rest of the association is records, which are ours
  timer.stop();
  // The server spoke last. It keeps that flight, for a client that did not hear it (RFC 6347 §4.2.4).
  if (role == Role::kServer) {
    flight.settle();
  } else {
    flight = {};
  }
  if (!keyed || !digests) return end(EndReason::kHandshakeFailed);
  phase = Phase::kUnverified;
  verify();
}

void Endpoint::State::verify() {
  if (expected.empty()) return;
  const bool known =
      std::any_of(expected.begin(), expected.end(), [this](const Fingerprint& f) { return digests->matches(f); });
  if (!known) {
    sendAlert(kFatal, kBadCertificate);
    return end(EndReason::kFingerprintMismatch);
  }
  if (phase == Phase::kConnected) return;
  phase = Phase::kConnected;
  sink->dtlsConnected(srtpKeys);
  if (srtpKeys) OPENSSL_cleanse(&*srtpKeys, sizeof(wire::SrtpKeyPair));
  srtpKeys.reset();
  for (const std::vector<uint8_t>& bytes : std::exchange(early, {})) {
    Bytes rest(bytes);
    if (const std::optional<Record> record = takeRecord(rest); record && phase == Phase::kConnected) {
      receiveSealed(*record);
    }
  }
}

void Endpoint::State::receiveSealed(const Record& record) {
  // Repeated flights of epoch 0 come as well, from a client that waits for our last one: its Finished is what counts.
  if (record.epoch != 1) return drop(RecordDrop::kUnexpected);
  std::array<uint8_t, kPlainBytes> plain;
  size_t size = 0;
  if (!opened(record, plain, size)) return;
  const Bytes body = Bytes(plain).first(size);
  if (record.type == kApplicationData) {
    sink->dtlsData(body);
  } else if (record.type == kAlert) {
    receiveAlert(body);
  } else if (record.type == kHandshake && !body.empty() && body[0] == kFinished && !flight.empty()) {
    sendFlight();
  } else {
    drop(RecordDrop::kUnexpected);  // renegotiation, which nobody was offered
  }
}

bool Endpoint::State::opened(const Record& record, MutableBytes plain, size_t& size) {
  switch (opener->open(record, plain, size)) {
    case RecordOpener::Verdict::kOpened:
      return true;
    case RecordOpener::Verdict::kMalformed:
      drop(RecordDrop::kMalformed);
      return false;
    case RecordOpener::Verdict::kReplayed:
      drop(RecordDrop::kReplayed);
      return false;
    case RecordOpener::Verdict::kUnauthentic:
      drop(RecordDrop::kUnauthentic);
      return false;
  }
  return false;
}

void Endpoint::State::receiveAlert(Bytes alert) {
  if (alert.size() != 2) return drop(RecordDrop::kMalformed);
  if (alert[1] == kCloseNotify) sendAlert(kWarning, kCloseNotify);  // RFC 5246 §7.2.1
  if (alert[1] == kCloseNotify || alert[0] == kFatal) end(EndReason::kClosedByPeer);
}

size_t Endpoint::State::writeRecord(uint8_t type, uint16_t version, uint16_t epoch, Bytes body, MutableBytes out) {
  if (epoch == 1) return sealer ? sealer->seal(type, body, out) : 0;
  return writePlainRecord(type, version, plainSequence++, body, out);
}

void Endpoint::State::sendFlight() {
  std::array<uint8_t, kDatagramBytes + kSealOverheadBytes> out;
  size_t used = 0;
  for (const Flight::Item& item : flight.items()) {
    const size_t most = item.size + kSealOverheadBytes;
    if (used > 0 && used + most > kDatagramBytes) {
      sink->dtlsDatagram(Bytes(out).first(used));
      used = 0;
    }
    used += writeRecord(item.type, item.version, item.epoch, flight.body(item), MutableBytes(out).subspan(used));
  }
  if (used > 0) sink->dtlsDatagram(Bytes(out).first(used));
}

void Endpoint::State::sendAlert(uint8_t level, uint8_t description) {
  if (!sealer) return;
  std::array<uint8_t, 2 + kSealOverheadBytes> out;
  const std::array<uint8_t, 2> alert = {level, description};
  const size_t size = sealer->seal(kAlert, alert, out);
  if (size > 0) sink->dtlsDatagram(Bytes(out).first(size));
}

void Endpoint::State::end(EndReason reason) {
  if (phase == Phase::kClosed) return;
  phase = Phase::kClosed;
  timer.stop();
  flight = {};
  early = {};
  if (srtpKeys) OPENSSL_cleanse(&*srtpKeys, sizeof(wire::SrtpKeyPair));
  srtpKeys.reset();
  handshake.reset();
  sink->dtlsClosed(reason);
}

Endpoint::Endpoint(const Context& context, Role role) : state_(std::make_unique<State>(context, role)) {}
Endpoint::~Endpoint() = default;
Endpoint::Endpoint(Endpoint&&) noexcept = default;
Endpoint& Endpoint::operator=(Endpoint&&) noexcept = default;

void Endpoint::start(TimeUs nowUs, EndpointSink& sink) {
  state_->sink = &sink;
  if (state_->role == Role::kClient && state_->phase == Phase::kIdle) state_->begin(nowUs);
}

void Endpoint::receive(Bytes datagram, TimeUs nowUs, EndpointSink& sink) {
  state_->sink = &sink;
  while (!datagram.empty()) {
    const std::optional<Record> record = takeRecord(datagram);
    if (!record) return state_->drop(RecordDrop::kMalformed);
    state_->receiveRecord(*record, nowUs);
  }
}

void Endpoint::setRemoteFingerprints(std::span<const Fingerprint> fingerprints, EndpointSink& sink) {
  state_->sink = &sink;
  if (fingerprints.empty()) return;
  state_->expected.assign(fingerprints.begin(), fingerprints.end());
  if (state_->phase == Phase::kUnverified || state_->phase == Phase::kConnected) state_->verify();
}

size_t Endpoint::seal(Bytes data, MutableBytes out) {
  if (state_->phase != Phase::kConnected || data.size() > kMaxDataBytes) return 0;
  return state_->sealer->seal(kApplicationData, data, out);
}

void Endpoint::close(EndpointSink& sink) {
  state_->sink = &sink;
  if (state_->phase == Phase::kClosed) return;
  state_->sendAlert(kWarning, kCloseNotify);
  state_->end(EndReason::kClosedHere);
}

TimeUs Endpoint::nextDeadline() const {
  return state_->timer.dueUs();
}

void Endpoint::onDeadline(TimeUs nowUs, EndpointSink& sink) {
  state_->sink = &sink;
  if (nowUs < state_->timer.dueUs()) return;
  if (!state_->timer.again(nowUs)) return state_->end(EndReason::kHandshakeTimeout);
  state_->sendFlight();
}

Role Endpoint::role() const {
  return state_->role;
}

bool Endpoint::connected() const {
  return state_->phase == Phase::kConnected;
}

bool Endpoint::closed() const {
  return state_->phase == Phase::kClosed;
}

uint64_t Endpoint::dropped(RecordDrop reason) const {
  return state_->drops[static_cast<size_t>(reason)];
}

}  // namespace sluice::dtls
