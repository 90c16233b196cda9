#include "record.h"

#include <algorithm>
#include <cstring>

namespace sluice::dtls {

namespace {

constexpr size_t kExplicitNonceBytes = 8;               // RFC 5288 §3
constexpr uint64_t kSequenceLimit = uint64_t{1} << 48;  // RFC 6347 §4.1
constexpr uint64_t kEpoch1 = uint64_t{1} << 48;         // epoch and sequence number, as they stand together
constexpr uint16_t kDtls10 = 0xFEFF;

void writeHeader(uint8_t* out, uint8_t type, uint16_t version, uint64_t epochAndSequence, size_t bodyBytes) {
  out[0] = type;
  writeU16(out + 1, version);
  writeU64(out + 3, epochAndSequence);
  writeU16(out + 11, static_cast<uint16_t>(bodyBytes));
}

// RFC 5246 §6.2.3.3 with RFC 6347 §4.1.2.1: epoch and sequence number, type, version, length of the plaintext.
std::array<uint8_t, 13> associatedData(uint64_t epochAndSequence, uint8_t type, uint16_t version, size_t plainBytes) {
  std::array<uint8_t, 13> a;
  writeU64(a.data(), epochAndSequence);
  a[8] = type;
  writeU16(a.data() + 9, version);
  writeU16(a.data() + 11, static_cast<uint16_t>(plainBytes));
  return a;
}

crypto::AesGcm::Nonce nonceOf(const std::array<uint8_t, 4>& iv, const uint8_t* explicitPart) {
  crypto::AesGcm::Nonce nonce;
  std::copy(iv.begin(), iv.end(), nonce.begin());
  std::copy_n(explicitPart, kExplicitNonceBytes, nonce.begin() + iv.size());
  return nonce;
}

}  // namespace

std::optional<Record> takeRecord(Bytes& datagram) {
  if (datagram.size() < kRecordHeaderBytes) return std::nullopt;
  const uint8_t* p = datagram.data();
  const size_t bodyBytes = readU16(p + 11);
  Record r;
  r.type = p[0];
  r.version = readU16(p + 1);
  r.epoch = readU16(p + 3);
  r.sequence = readU64(p + 3) & (kSequenceLimit - 1);
  if (bodyBytes > datagram.size() - kRecordHeaderBytes || (r.version != kDtls12 && r.version != kDtls10)) {
    return std::nullopt;
  }
  r.whole = datagram.first(kRecordHeaderBytes + bodyBytes);
  r.body = r.whole.subspan(kRecordHeaderBytes);
  datagram = datagram.subspan(r.whole.size());
  return r;
}

size_t writePlainRecord(uint8_t type, uint16_t version, uint64_t sequence, Bytes body, MutableBytes out) {
  const size_t size = kRecordHeaderBytes + body.size();
  if (size > out.size() || body.size() > 0xFFFF || sequence >= kSequenceLimit) return 0;
  writeHeader(out.data(), type, version, sequence, body.size());
  if (!body.empty()) std::memcpy(out.data() + kRecordHeaderBytes, body.data(), body.size());
  return size;
}

std::optional<RecordSealer> RecordSealer::create(const RecordKeys& keys) {
  auto cipher = crypto::AesGcm::create(keys.key, crypto::AesGcm::Direction::kSeal);
  if (!cipher) return std::nullopt;
  return RecordSealer(std::move(*cipher), keys.iv);
}

size_t RecordSealer::seal(uint8_t type, Bytes body, MutableBytes out) {
  const size_t size = body.size() + kSealOverheadBytes;
  if (size > out.size() || size > 0xFFFF || next_ >= kSequenceLimit) return 0;
  const uint64_t number = kEpoch1 | next_++;
  writeHeader(out.data(), type, kDtls12, number, size - kRecordHeaderBytes);
  uint8_t* explicitNonce = out.data() + kRecordHeaderBytes;
  writeU64(explicitNonce, number);
  const bool sealed = cipher_.seal(nonceOf(iv_, explicitNonce), associatedData(number, type, kDtls12, body.size()),
                                   body, explicitNonce + kExplicitNonceBytes);
  return sealed ? size : 0;
}

std::optional<RecordOpener> RecordOpener::create(const RecordKeys& keys) {
  auto cipher = crypto::AesGcm::create(keys.key, crypto::AesGcm::Direction::kOpen);
  if (!cipher) return std::nullopt;
  return RecordOpener(std::move(*cipher), keys.iv);
}

RecordOpener::Verdict RecordOpener::open(const Record& r, MutableBytes plain, size_t& size) {
  constexpr size_t kAround = kExplicitNonceBytes + crypto::AesGcm::kTagBytes;
  if (r.epoch != 1 || r.body.size() < kAround || plain.size() < r.body.size() - kAround) return Verdict::kMalformed;
  if (!window_.isFresh(r.sequence)) return Verdict::kReplayed;
  const size_t plainBytes = r.body.size() - kAround;
  const bool authentic =
      cipher_.open(nonceOf(iv_, r.body.data()), associatedData(kEpoch1 | r.sequence, r.type, r.version, plainBytes),
                   r.body.subspan(kExplicitNonceBytes), plain.data());
  if (!authentic) return Verdict::kUnauthentic;
  window_.note(r.sequence);
  size = plainBytes;
  return Verdict::kOpened;
}

}  // namespace sluice::dtls
