// The handshake proper: OpenSSL's state machine between a BIO that takes one record in and gives records out.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "../spec.h"
#include "../wire/srtp_keys.h"
#include "../wire/types.h"
#include "context.h"
#include "record.h"

struct bio_st;
struct ssl_st;

namespace sluice::dtls {

inline constexpr uint8_t kClientHello = 1;  // RFC 5246 §7.4
inline constexpr uint8_t kFinished = 20;

/// Handshake messages are in the clear at first, so that anybody may send some. What no peer would send in the role it
/// has is to be kept from OpenSSL, which answers it with an alert and is done for.
[[nodiscard]] bool isPlausible(Bytes handshakeRecordBody, bool fromClient);

/// Takes what the handshake wants sent. Bodies are in the clear for either epoch.
class HandshakeOutput {
 public:
  virtual ~HandshakeOutput() = default;
  virtual void handshakeRecord(uint8_t type, uint16_t version, uint16_t epoch, Bytes body) = 0;
};

/// The peer's certificate, by every hash that signaling may name (RFC 8122 §5).
struct PeerDigests {
  std::array<uint8_t, 32> sha256{};
  std::array<uint8_t, 48> sha384{};
  std::array<uint8_t, 64> sha512{};

  [[nodiscard]] bool matches(const Fingerprint& f) const;
};

/// Keys of both directions of epoch 1.
struct TrafficKeys {
  RecordKeys local;
  RecordKeys remote;
};

class Handshake {
 public:
  enum class Progress : uint8_t { kGoing, kDone, kFailed };

  /// Null when OpenSSL has no memory.
  [[nodiscard]] static std::unique_ptr<Handshake> create(const Context& context, bool server);
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  /// Goes on with one record of the peer, or with none (a client's start).
  [[nodiscard]] Progress advance(Bytes record, HandshakeOutput& output);

  // ── Once the keys are there: from the moment epoch 1 is written. ──
  [[nodiscard]] std::optional<TrafficKeys> trafficKeys() const;

  // ── After kDone. ──
  /// Empty when use_srtp was not negotiated.
  [[nodiscard]] std::optional<wire::SrtpKeyPair> srtpKeys() const;
  [[nodiscard]] std::optional<PeerDigests> peerDigests() const;

 private:
  friend class Context;  // its BIO method calls take() and give()

  Handshake() = default;
  int take(char* out, int room);
  bool give(Bytes datagram);
  /// Opens a record of epoch 1 that OpenSSL has just sealed.
  bool giveSealed(const Record& record);

  ssl_st* ssl_ = nullptr;
  bool server_ = false;
  Bytes input_;
  HandshakeOutput* output_ = nullptr;
  std::optional<RecordOpener> ownOpener_;
};

}  // namespace sluice::dtls
