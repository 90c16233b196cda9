#include "context.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <limits>

#include "context_state.h"
#include "handshake.h"

namespace sluice::dtls {

namespace {

// Mandatory in WebRTC (RFC 8827 §6.5), and its RSA sister for peers with such a certificate when they are the server.
// Both protect records by AES-128-GCM and derive by SHA-256, which is all that record.h and handshake.cc know.
constexpr char kCipherSuites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";

// The server's order decides. GCM costs a fifth of CM with HMAC-SHA1 (159 against 822 ns per 1200-byte packet).
constexpr char kSrtpProfiles[] = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM";

// A WebRTC certificate is self-signed and below 1 KiB; a chain of RSA ones may take some.
constexpr long kMaxCertificateBytes = 16'384;

int acceptAnyChain(X509_STORE_CTX*, void*) {
  return 1;  // who the peer is, its certificate's fingerprint tells (RFC 8827 §6.5); Endpoint compares it
}

// A process has 127 of these, so all contexts share one.
int bioType() {
  static const int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK;
  return type;
}

Owned<X509> readCertificate(std::string_view pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<X509>(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

Owned<EVP_PKEY> readKey(std::string_view pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<EVP_PKEY>(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

std::string textOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

bool configure(SSL_CTX* ctx, X509* certificate, EVP_PKEY* key) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(ctx, kMaxCertificateBytes);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx, acceptAnyChain, nullptr);
  return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ctx, kCipherSuites) == 1 &&
         SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1 &&
         SSL_CTX_set_tlsext_use_srtp(ctx, kSrtpProfiles) == 0 &&  // 0 is success here
         SSL_CTX_use_certificate(ctx, certificate) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
         SSL_CTX_check_private_key(ctx) == 1;
}

}  // namespace

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::~Context() = default;

std::unique_ptr<Context> Context::create(std::string_view certificatePem, std::string_view privateKeyPem) {
  auto state = std::make_unique<State>();
  state->certificate = readCertificate(certificatePem);
  const Owned<EVP_PKEY> key = readKey(privateKeyPem);
  state->ssl.reset(SSL_CTX_new(DTLS_method()));
  state->bioMethod.reset(BIO_meth_new(bioType(), "sluice records"));
  const bool ok = state->certificate && key && state->ssl && state->bioMethod &&
                  configure(state->ssl.get(), state->certificate.get(), key.get());
  ERR_clear_error();
  if (!ok) return nullptr;

  // One datagram a call in both directions; a memory BIO would run datagrams together.
  BIO_METHOD* m = state->bioMethod.get();
  BIO_meth_set_write(m, [](BIO* bio, const char* data, int size) {
    auto* handshake = static_cast<Handshake*>(BIO_get_data(bio));
    const Bytes datagram(reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(size));
    return handshake->give(datagram) ? size : -1;
  });
  BIO_meth_set_read(m, [](BIO* bio, char* out, int room) {
    auto* handshake = static_cast<Handshake*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const int size = handshake->take(out, room);
    if (size < 0) BIO_set_retry_read(bio);
    return size;
  });
  BIO_meth_set_ctrl(m, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
  return std::unique_ptr<Context>(new Context(std::move(state)));
}

std::optional<Fingerprint> Context::fingerprint(std::string_view algorithm) const {
  const EVP_MD* md = algorithm == "sha-256"   ? EVP_sha256()
                     : algorithm == "sha-384" ? EVP_sha384()
                     : algorithm == "sha-512" ? EVP_sha512()
                                              : nullptr;
  if (md == nullptr) return std::nullopt;
  Fingerprint f{std::string(algorithm), std::vector<uint8_t>(EVP_MAX_MD_SIZE)};
  unsigned int size = 0;
  if (X509_digest(state_->certificate.get(), md, f.digest.data(), &size) != 1) return std::nullopt;
  f.digest.resize(size);
  return f;
}

std::optional<IdentityPem> generateIdentity(int64_t notBefore, int days) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate(X509_new());
  uint64_t serial = 0;
  if (!key || !certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  X509* x = certificate.get();
  time_t start = static_cast<time_t>(notBefore);
  X509_NAME* name = X509_NAME_new();
  const bool named = name != nullptr &&
                     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                reinterpret_cast<const unsigned char*>("sluice"), -1, -1, 0) == 1 &&
                     X509_set_subject_name(x, name) == 1 && X509_set_issuer_name(x, name) == 1;
  X509_NAME_free(name);
  const Owned<BIO> certificateText(BIO_new(BIO_s_mem()));
  const Owned<BIO> keyText(BIO_new(BIO_s_mem()));
  const bool ok = named && certificateText && keyText && X509_set_version(x, X509_VERSION_3) == 1 &&
                  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) == 1 &&
                  X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &start) != nullptr &&
                  X509_time_adj_ex(X509_getm_notAfter(x), days, 0, &start) != nullptr &&
                  X509_set_pubkey(x, key.get()) == 1 && X509_sign(x, key.get(), EVP_sha256()) > 0 &&
                  PEM_write_bio_X509(certificateText.get(), x) == 1 &&
                  PEM_write_bio_PrivateKey(keyText.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  ERR_clear_error();
  if (!ok) return std::nullopt;
  return IdentityPem{textOf(certificateText.get()), textOf(keyText.get())};
}

}  // namespace sluice::dtls
