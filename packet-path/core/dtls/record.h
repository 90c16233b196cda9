// DTLS 1.2 records (RFC 6347 §4.1), and their protection by AES-128-GCM (RFC 5288).
//
// OpenSSL does the handshake; the records on the wire are ours in both epochs. That is what makes retransmission follow
// the driver's clock (OpenSSL reads the wall clock), and lets the SSL object go once the handshake is done.
#pragma once

#include <optional>

#include "../crypto/aes.h"
#include "../crypto/replay_window.h"
#include "../wire/demux.h"
#include "../wire/types.h"

namespace sluice::dtls {

inline constexpr size_t kRecordHeaderBytes = wire::kDtlsRecordHeaderBytes;
inline constexpr uint16_t kDtls12 = 0xFEFD;

enum ContentType : uint8_t { kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kApplicationData = 23 };

struct Record {
  uint8_t type = 0;
  uint16_t version = kDtls12;
  uint16_t epoch = 0;
  uint64_t sequence = 0;  ///< 48 bits
  Bytes whole;
  Bytes body;
};

/// Takes the first record off `datagram`; empty when what is left is none.
[[nodiscard]] std::optional<Record> takeRecord(Bytes& datagram);

/// Writes a record in the clear; returns its size, 0 when it does not fit.
[[nodiscard]] size_t writePlainRecord(uint8_t type, uint16_t version, uint64_t sequence, Bytes body, MutableBytes out);

/// One direction's key and the fixed part of its nonces.
struct RecordKeys {
  std::array<uint8_t, 16> key{};
  std::array<uint8_t, 4> iv{};
};

inline constexpr size_t kSealOverheadBytes = kRecordHeaderBytes + 8 + crypto::AesGcm::kTagBytes;

/// Seals records of epoch 1. Its counter is both sequence number and nonce, so neither comes twice.
class RecordSealer {
 public:
  [[nodiscard]] static std::optional<RecordSealer> create(const RecordKeys& keys);
  /// Returns the record's size (body + kSealOverheadBytes), 0 when it does not fit or the numbers are used up.
  [[nodiscard]] size_t seal(uint8_t type, Bytes body, MutableBytes out);

 private:
  RecordSealer(crypto::AesGcm cipher, const std::array<uint8_t, 4>& iv) : cipher_(std::move(cipher)), iv_(iv) {}
  crypto::AesGcm cipher_;
  std::array<uint8_t, 4> iv_;
  uint64_t next_ = 0;
};

class RecordOpener {
 public:
  enum class Verdict : uint8_t { kOpened, kMalformed, kReplayed, kUnauthentic };

  [[nodiscard]] static std::optional<RecordOpener> create(const RecordKeys& keys);
  /// `plain` has room for the record's body; `size` is set when it opened.
  [[nodiscard]] Verdict open(const Record& record, MutableBytes plain, size_t& size);

 private:
  RecordOpener(crypto::AesGcm cipher, const std::array<uint8_t, 4>& iv) : cipher_(std::move(cipher)), iv_(iv) {}
  crypto::AesGcm cipher_;
  std::array<uint8_t, 4> iv_;
  crypto::ReplayWindow window_;
};

}  // namespace sluice::dtls
