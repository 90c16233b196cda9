#include "handshake.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "context_state.h"

namespace sluice::dtls {

namespace {

// A DTLS datagram of ours: IPv6's least MTU (1280) less IP and UDP headers leaves 1232.
constexpr long kMtuBytes = 1'200;

// OpenSSL's own retransmission timer goes by the wall clock, inside every read. An hour is longer than any handshake
// may take, so it never runs out; Flight and RetransmissionTimer stand in for it.
unsigned int neverRetransmit(SSL*, unsigned int) {
  return 3'600'000'000U;
}

// TLS 1.2 PRF with SHA-256 (RFC 5246 §5), which both cipher suites that we negotiate use.
bool prf(Bytes secret, Bytes seed, MutableBytes out) {
  struct Free {
    void operator()(EVP_KDF* k) const { EVP_KDF_free(k); }
    void operator()(EVP_KDF_CTX* c) const { EVP_KDF_CTX_free(c); }
  };
  const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_PRF, nullptr));
  const std::unique_ptr<EVP_KDF_CTX, Free> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  if (!context) return false;
  char digest[] = "SHA256";
  // OpenSSL takes parameters as mutable, though it only reads these.
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, const_cast<uint8_t*>(secret.data()), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, const_cast<uint8_t*>(seed.data()), seed.size()),
      OSSL_PARAM_construct_end()};
  return EVP_KDF_derive(context.get(), out.data(), out.size(), params) == 1;
}

template <size_t N>
bool sameDigest(const std::array<uint8_t, N>& ours, const std::vector<uint8_t>& theirs) {
  return theirs.size() == N && std::equal(ours.begin(), ours.end(), theirs.begin());
}

}  // namespace

bool isPlausible(Bytes body, bool fromClient) {
  constexpr size_t kHeaderBytes = 12;          // RFC 6347 §4.2.2
  constexpr size_t kMaxMessageBytes = 16'384;  // as Context allows for the largest, the certificates
  // client_hello, certificate, certificate_verify, client_key_exchange
  constexpr uint32_t kClientTypes = 1U << kClientHello | 1U << 11 | 1U << 15 | 1U << 16;
  // server_hello, hello_verify_request, certificate, server_key_exchange, certificate_request, server_hello_done
  constexpr uint32_t kServerTypes = 1U << 2 | 1U << 3 | 1U << 11 | 1U << 12 | 1U << 13 | 1U << 14;

  if (body.empty()) return false;
  while (!body.empty()) {
    if (body.size() < kHeaderBytes) return false;
    const uint8_t type = body[0];
    const size_t length = readU24(body.data() + 1);
    const size_t offset = readU24(body.data() + 6);
    const size_t size = readU24(body.data() + 9);
    if (type > 31 || (((fromClient ? kClientTypes : kServerTypes) >> type) & 1) == 0) return false;
    if (length > kMaxMessageBytes || offset + size > length || size > body.size() - kHeaderBytes) return false;
    body = body.subspan(kHeaderBytes + size);
  }
  return true;
}

bool PeerDigests::matches(const Fingerprint& f) const {
  if (f.algorithm == "sha-256") return sameDigest(sha256, f.digest);
  if (f.algorithm == "sha-384") return sameDigest(sha384, f.digest);
  if (f.algorithm == "sha-512") return sameDigest(sha512, f.digest);
  return false;  // sha-1 and older are deliberately not taken (RFC 8122 §5)
}

std::unique_ptr<Handshake> Handshake::create(const Context& context, bool server) {
  std::unique_ptr<Handshake> h(new Handshake());
  h->server_ = server;
  h->ssl_ = SSL_new(context.state_->ssl.get());
  BIO* bio = BIO_new(context.state_->bioMethod.get());
  if (h->ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  BIO_set_data(bio, h.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(h->ssl_, bio, bio);
  SSL_set_mtu(h->ssl_, kMtuBytes);
  DTLS_set_timer_cb(h->ssl_, neverRetransmit);
  if (server) {
    SSL_set_accept_state(h->ssl_);
  } else {
    SSL_set_connect_state(h->ssl_);
  }
  return h;
}

Handshake::~Handshake() {
  SSL_free(ssl_);
}

Handshake::Progress Handshake::advance(Bytes record, HandshakeOutput& output) {
  input_ = record;
  output_ = &output;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  ERR_clear_error();
  input_ = {};
  output_ = nullptr;
  if (result == 1) return Progress::kDone;
  return error == SSL_ERROR_WANT_READ ? Progress::kGoing : Progress::kFailed;
}

int Handshake::take(char* out, int room) {
  if (input_.empty()) return -1;
  // What does not fit is cut off, as with a socket; OpenSSL's buffer holds the largest record that DTLS allows.
  const size_t size = std::min(input_.size(), static_cast<size_t>(room));
  std::memcpy(out, input_.data(), size);
  input_ = {};
  return static_cast<int>(size);
}

bool Handshake::give(Bytes datagram) {
  while (output_ != nullptr && !datagram.empty()) {
    const std::optional<Record> record = takeRecord(datagram);
    if (!record) return false;
    if (record->epoch == 0) {
      output_->handshakeRecord(record->type, record->version, 0, record->body);
    } else if (!giveSealed(*record)) {
      return false;
    }
  }
  return true;
}

bool Handshake::giveSealed(const Record& record) {
  if (!ownOpener_) {
    const std::optional<TrafficKeys> keys = trafficKeys();
    if (keys) ownOpener_ = RecordOpener::create(keys->local);
  }
  std::array<uint8_t, 256> plain;  // Finished is 24 bytes, an alert 2
  size_t size = 0;
  if (!ownOpener_ || ownOpener_->open(record, plain, size) != RecordOpener::Verdict::kOpened) return false;
  output_->handshakeRecord(record.type, record.version, record.epoch, Bytes(plain).first(size));
  return true;
}

std::optional<TrafficKeys> Handshake::trafficKeys() const {
  std::array<uint8_t, SSL_MAX_MASTER_KEY_LENGTH> master{};
  const SSL_SESSION* session = SSL_get_session(ssl_);
  if (session == nullptr) return std::nullopt;
  const size_t masterBytes = SSL_SESSION_get_master_key(session, master.data(), master.size());

  // RFC 5246 §6.3: key_block = PRF(master_secret, "key expansion", server_random + client_random).
  constexpr std::string_view kLabel = "key expansion";
  std::array<uint8_t, kLabel.size() + 2 * size_t{SSL3_RANDOM_SIZE}> seed;
  std::copy(kLabel.begin(), kLabel.end(), seed.begin());
  SSL_get_server_random(ssl_, seed.data() + kLabel.size(), SSL3_RANDOM_SIZE);
  SSL_get_client_random(ssl_, seed.data() + kLabel.size() + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
  std::array<uint8_t, 2 * (16 + 4)> block{};
  const bool derived = masterBytes > 0 && prf(Bytes(master).first(masterBytes), seed, block);
  OPENSSL_cleanse(master.data(), master.size());
  if (!derived) {
    ERR_clear_error();
    return std::nullopt;
  }
  TrafficKeys keys;
  RecordKeys& client = server_ ? keys.remote : keys.local;
  RecordKeys& server = server_ ? keys.local : keys.remote;
  std::copy_n(block.begin(), 16, client.key.begin());
  std::copy_n(block.begin() + 16, 16, server.key.begin());
  std::copy_n(block.begin() + 32, 4, client.iv.begin());
  std::copy_n(block.begin() + 36, 4, server.iv.begin());
  OPENSSL_cleanse(block.data(), block.size());
  return keys;
}

std::optional<wire::SrtpKeyPair> Handshake::srtpKeys() const {
  const SRTP_PROTECTION_PROFILE* chosen = SSL_get_selected_srtp_profile(ssl_);
  if (chosen == nullptr) return std::nullopt;
  const auto profile = static_cast<wire::SrtpProfile>(chosen->id);
  const size_t keyBytes = wire::srtpKeyBytes(profile);
  const size_t saltBytes = wire::srtpSaltBytes(profile);

  // RFC 5764 §4.2: client key, server key, client salt, server salt.
  constexpr std::string_view kLabel = "EXTRACTOR-dtls_srtp";
  std::array<uint8_t, 2 * (32 + 14)> material{};
  if (SSL_export_keying_material(ssl_, material.data(), 2 * (keyBytes + saltBytes), kLabel.data(), kLabel.size(),
                                 nullptr, 0, 0) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  wire::SrtpKeyPair pair;
  wire::SrtpKeys& client = server_ ? pair.remote : pair.local;
  wire::SrtpKeys& server = server_ ? pair.local : pair.remote;
  client.profile = server.profile = profile;
  const uint8_t* p = material.data();
  std::copy_n(p, keyBytes, client.key.begin());
  std::copy_n(p + keyBytes, keyBytes, server.key.begin());
  std::copy_n(p + 2 * keyBytes, saltBytes, client.salt.begin());
  std::copy_n(p + 2 * keyBytes + saltBytes, saltBytes, server.salt.begin());
  OPENSSL_cleanse(material.data(), material.size());
  return pair;
}

std::optional<PeerDigests> Handshake::peerDigests() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return std::nullopt;
  PeerDigests d;
  const bool ok = X509_digest(certificate, EVP_sha256(), d.sha256.data(), nullptr) == 1 &&
                  X509_digest(certificate, EVP_sha384(), d.sha384.data(), nullptr) == 1 &&
                  X509_digest(certificate, EVP_sha512(), d.sha512.data(), nullptr) == 1;
  X509_free(certificate);
  if (!ok) return std::nullopt;
  return d;
}

}  // namespace sluice::dtls
