// Our endpoint against OpenSSL's own, which knows nothing of ours: what browsers and SDKs do, case by case.
#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/dtls/endpoint.h"

using namespace sluice;
using namespace sluice::dtls;

namespace {

using Datagram = std::vector<uint8_t>;

template <auto F>
struct Free {
  template <typename T>
  void operator()(T* p) const {
    F(p);
  }
};
using Ssl = std::unique_ptr<SSL, Free<SSL_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

struct Queues {
  std::deque<Datagram> in;
  std::deque<Datagram> out;
};

BIO_METHOD* datagramMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "test datagrams");
    BIO_meth_set_write(m, [](BIO* bio, const char* data, int size) {
      auto* q = static_cast<Queues*>(BIO_get_data(bio));
      q->out.emplace_back(data, data + size);
      return size;
    });
    BIO_meth_set_read(m, [](BIO* bio, char* out, int room) {
      auto* q = static_cast<Queues*>(BIO_get_data(bio));
      BIO_clear_retry_flags(bio);
      if (q->in.empty()) {
        BIO_set_retry_read(bio);
        return -1;
      }
      const Datagram d = std::move(q->in.front());
      q->in.pop_front();
      const int size = std::min(room, static_cast<int>(d.size()));
      std::copy_n(d.begin(), size, out);
      return size;
    });
    BIO_meth_set_ctrl(m, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
    return m;
  }();
  return method;
}

/// A stock peer.
struct OpenSslPeer {
  explicit OpenSslPeer(bool server, const char* keyType = "EC") : context(SSL_CTX_new(DTLS_method())) {
    key.reset(keyType == std::string("EC") ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                           : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2'048}));
    certificate.reset(X509_new());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       [](int, X509_STORE_CTX*) { return 1; });
    SSL_CTX_set_options(context.get(), SSL_OP_NO_QUERY_MTU);
    isServer = server;
  }

  void open(long mtu = 1'200) {
    ssl.reset(SSL_new(context.get()));
    BIO* bio = BIO_new(datagramMethod());
    BIO_set_data(bio, &queues);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_mtu(ssl.get(), mtu);
    if (isServer) {
      SSL_set_accept_state(ssl.get());
    } else {
      SSL_set_connect_state(ssl.get());
    }
  }

  [[nodiscard]] Fingerprint fingerprint() const {
    Fingerprint f{"sha-256", std::vector<uint8_t>(32)};
    X509_digest(certificate.get(), EVP_sha256(), f.digest.data(), nullptr);
    return f;
  }

  /// Client key, server key, client salt, server salt.
  [[nodiscard]] std::vector<uint8_t> srtpMaterial(size_t bytes) const {
    std::vector<uint8_t> m(bytes);
    SSL_export_keying_material(ssl.get(), m.data(), m.size(), "EXTRACTOR-dtls_srtp", 19, nullptr, 0, 0);
    return m;
  }

  Queues queues;
  SslContext context;
  Key key;
  Certificate certificate;
  Ssl ssl;
  bool isServer = false;
};

struct Call final : EndpointSink {
  explicit Call(OpenSslPeer& p) : peer(p) {
    const auto identity = generateIdentity(1'700'000'000);
    REQUIRE(identity);
    context = Context::create(identity->certificate, identity->privateKey);
    REQUIRE(context);
    ours = std::make_unique<Endpoint>(*context, p.isServer ? Role::kClient : Role::kServer);
    ours->setRemoteFingerprints(std::vector{p.fingerprint()}, *this);
  }

  void dtlsDatagram(Bytes d) override { peer.queues.in.emplace_back(d.begin(), d.end()); }
  void dtlsConnected(const std::optional<wire::SrtpKeyPair>& k) override { keys = k; }
  void dtlsData(Bytes m) override { messages.emplace_back(m.begin(), m.end()); }
  void dtlsClosed(EndReason r) override { ended = r; }

  void deliver() {
    while (!peer.queues.out.empty()) {
      const Datagram d = std::move(peer.queues.out.front());
      peer.queues.out.pop_front();
      ++datagramsFromPeer;
      ours->receive(d, now, *this);
    }
  }

  void run() {
    ours->start(now, *this);
    for (int i = 0; i < 20; ++i) {
      SSL_do_handshake(peer.ssl.get());
      deliver();
    }
  }

  OpenSslPeer& peer;
  std::unique_ptr<Context> context;
  std::unique_ptr<Endpoint> ours;
  std::optional<wire::SrtpKeyPair> keys;
  std::vector<std::string> messages;
  std::optional<EndReason> ended;
  TimeUs now = 0;
  int datagramsFromPeer = 0;
};

void checkKeys(const Call& call, wire::SrtpProfile profile) {
  REQUIRE(call.keys);
  const wire::SrtpKeys& client = call.peer.isServer ? call.keys->local : call.keys->remote;
  const wire::SrtpKeys& server = call.peer.isServer ? call.keys->remote : call.keys->local;
  CHECK(client.profile == profile);
  CHECK(server.profile == profile);
  std::vector<uint8_t> mine;
  for (const Bytes part : {client.keyBytes(), server.keyBytes(), client.saltBytes(), server.saltBytes()}) {
    mine.insert(mine.end(), part.begin(), part.end());
  }
  CHECK(mine == call.peer.srtpMaterial(mine.size()));
}

void checkData(Call& call) {
  const std::string up = "from openssl";
  REQUIRE(SSL_write(call.peer.ssl.get(), up.data(), static_cast<int>(up.size())) == static_cast<int>(up.size()));
  call.deliver();
  CHECK(call.messages == std::vector{up});
  const std::string down(1'100, 'd');
  for (int i = 0; i < 3; ++i) {
    Datagram sealed(down.size() + Endpoint::kOverheadBytes);
    REQUIRE(call.ours->seal(Bytes(reinterpret_cast<const uint8_t*>(down.data()), down.size()), sealed) ==
            sealed.size());
    call.peer.queues.in.push_back(sealed);
    std::string got(2'000, '\0');
    const int size = SSL_read(call.peer.ssl.get(), got.data(), static_cast<int>(got.size()));
    REQUIRE(size == static_cast<int>(down.size()));
    got.resize(down.size());
    CHECK(got == down);
  }
}

}  // namespace

TEST_CASE("dtls with openssl: a client that offers like Chromium gets AES-128-GCM, keys and data agree") {
  OpenSslPeer peer(false);
  SSL_CTX_set_tlsext_use_srtp(peer.context.get(), "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM");
  peer.open();
  Call call(peer);
  call.run();
  REQUIRE(call.ours->connected());
  checkKeys(call, wire::SrtpProfile::kAeadAes128Gcm);
  checkData(call);
}

TEST_CASE("dtls with openssl: profiles are taken as the client has them") {
  struct Offer {
    const char* profiles;
    wire::SrtpProfile chosen;
  };
  for (const Offer offer :
       {Offer{"SRTP_AES128_CM_SHA1_80", wire::SrtpProfile::kAes128CmSha1_80},
        Offer{"SRTP_AEAD_AES_256_GCM", wire::SrtpProfile::kAeadAes256Gcm},
        Offer{"SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80", wire::SrtpProfile::kAes128CmSha1_80}}) {
    OpenSslPeer peer(false);
    SSL_CTX_set_tlsext_use_srtp(peer.context.get(), offer.profiles);
    peer.open();
    Call call(peer);
    call.run();
    REQUIRE(call.ours->connected());
    checkKeys(call, offer.chosen);
  }
}

TEST_CASE("dtls with openssl: a ClientHello in many fragments is understood") {
  OpenSslPeer peer(false);
  SSL_CTX_set_tlsext_use_srtp(peer.context.get(), "SRTP_AEAD_AES_128_GCM");
  // As large as browsers' with their post-quantum key share (RFC 7301 protocols, 1400 bytes of them).
  std::vector<uint8_t> protocols;
  for (int i = 0; i < 14; ++i) {
    protocols.push_back(99);
    protocols.insert(protocols.end(), 99, 'x');
  }
  SSL_CTX_set_alpn_protos(peer.context.get(), protocols.data(), static_cast<unsigned>(protocols.size()));
  for (const long mtu : {1'200L, 300L}) {
    peer.queues = {};
    peer.open(mtu);
    Call call(peer);
    call.run();
    REQUIRE(call.ours->connected());
    CHECK(call.datagramsFromPeer >= (mtu == 300 ? 8 : 3));
    checkKeys(call, wire::SrtpProfile::kAeadAes128Gcm);
  }
}

TEST_CASE("dtls with openssl: without use_srtp the association is for data alone") {
  OpenSslPeer peer(false);
  peer.open();
  Call call(peer);
  call.run();
  REQUIRE(call.ours->connected());
  CHECK(!call.keys);
  checkData(call);
}

TEST_CASE("dtls with openssl: as client of a stock server, with ECDSA and RSA certificates") {
  for (const char* keyType : {"EC", "RSA"}) {
    OpenSslPeer peer(true, keyType);
    SSL_CTX_set_tlsext_use_srtp(peer.context.get(), "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
    peer.open();
    Call call(peer);
    call.run();
    REQUIRE(call.ours->connected());
    checkKeys(call, wire::SrtpProfile::kAes128CmSha1_80);  // the server's order decides
    checkData(call);
  }
}

TEST_CASE("dtls with openssl: a client may have an RSA certificate") {
  OpenSslPeer peer(false, "RSA");
  SSL_CTX_set_tlsext_use_srtp(peer.context.get(), "SRTP_AEAD_AES_128_GCM");
  peer.open();
  Call call(peer);
  call.run();
  CHECK(call.ours->connected());
}

TEST_CASE("dtls with openssl: a server that asks for a cookie gets it (RFC 6347 §4.2.1)") {
  OpenSslPeer peer(true);
  SSL_CTX_set_options(peer.context.get(), SSL_OP_COOKIE_EXCHANGE);
  SSL_CTX_set_cookie_generate_cb(peer.context.get(), [](SSL*, unsigned char* cookie, unsigned int* size) {
    std::fill_n(cookie, 16, static_cast<unsigned char>(7));
    *size = 16;
    return 1;
  });
  SSL_CTX_set_cookie_verify_cb(peer.context.get(),
                               [](SSL*, const unsigned char*, unsigned int size) { return size == 16 ? 1 : 0; });
  peer.open();
  Call call(peer);
  call.run();
  CHECK(call.ours->connected());
  checkData(call);
}

TEST_CASE("dtls with openssl: the server answers a repeated last flight of the client") {
  OpenSslPeer peer(false);
  peer.open();
  // OpenSSL's timer goes by the wall clock and counts what is below 15 ms as run out: 1 ms to wait.
  DTLS_set_timer_cb(peer.ssl.get(), [](SSL*, unsigned int) { return 16'000U; });
  Call call(peer);
  SSL_do_handshake(peer.ssl.get());
  call.deliver();
  SSL_do_handshake(peer.ssl.get());
  call.deliver();
  REQUIRE(call.ours->connected());
  peer.queues.in.clear();  // our last flight is lost
  while (DTLSv1_handle_timeout(peer.ssl.get()) == 0) {
  }
  call.deliver();
  CHECK(SSL_do_handshake(peer.ssl.get()) == 1);
}

TEST_CASE("dtls with openssl: close_notify both ways, and a peer without a common cipher") {
  SUBCASE("we close") {
    OpenSslPeer peer(false);
    peer.open();
    Call call(peer);
    call.run();
    call.ours->close(call);
    char byte = 0;
    CHECK(SSL_read(peer.ssl.get(), &byte, 1) == 0);
    CHECK(SSL_get_shutdown(peer.ssl.get()) == SSL_RECEIVED_SHUTDOWN);
  }
  SUBCASE("the peer closes") {
    OpenSslPeer peer(false);
    peer.open();
    Call call(peer);
    call.run();
    SSL_shutdown(peer.ssl.get());
    call.deliver();
    CHECK(call.ended == EndReason::kClosedByPeer);
    CHECK(SSL_shutdown(peer.ssl.get()) == 1);  // it heard ours
  }
  SUBCASE("nothing in common") {
    OpenSslPeer peer(false);
    SSL_CTX_set_cipher_list(peer.context.get(), "ECDHE-ECDSA-CHACHA20-POLY1305");
    peer.open();
    Call call(peer);
    call.run();
    CHECK(call.ended == EndReason::kHandshakeFailed);
  }
}
