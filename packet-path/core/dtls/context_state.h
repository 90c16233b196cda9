// What a Context holds of OpenSSL's. For dtls/ alone.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "context.h"

namespace sluice::dtls {

struct OpenSslDeleter {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(BIO_METHOD* p) const { BIO_meth_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, OpenSslDeleter>;

struct Context::State {
  Owned<SSL_CTX> ssl;
  Owned<BIO_METHOD> bioMethod;
  Owned<X509> certificate;
};

}  // namespace sluice::dtls
