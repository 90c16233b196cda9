#include "options_reader.h"

#include "../core/dtls/context.h"
#include "errors.h"
#include "spec_reader.h"
#include "writer.h"

namespace sluice::binding {

namespace {

/// A certificate chain in PEM is a few kilobytes; nobody's is a megabyte.
constexpr size_t kMaxPemBytes = 1 << 20;
/// SO_RCVBUF is an int that the kernel doubles.
constexpr int64_t kMaxBufferBytes = 1 << 29;
constexpr int64_t kMaxTimeoutMs = 3'600'000;
constexpr int64_t kMaxCpu = 1'023;
/// Four gigabytes of packets.
constexpr int64_t kMaxPackets = 1 << 21;

template <typename T>
void readOptional(const Field& object, const char* name, int64_t least, int64_t most, T& into) {
  if (const auto field = object.find(name)) into = field->integerAs<T>(least, most);
}

void readTimeout(const Field& object, const char* name, TimeUs& into) {
  if (const auto field = object.find(name)) into = field->integer(1, kMaxTimeoutMs) * kMillisecondUs;
}

constexpr std::pair<std::string_view, io::Backend> kBackends[] = {
    {"native", io::kDefaultBackend},
    {"portable", io::Backend::kPortable},
};

}  // namespace

ShardConfig readShardConfig(const Field& options) {
  ShardConfig config;
  config.identity = readIdentity(options);
  readTimeout(options, "consentTimeoutMs", config.consentTimeoutUs);
  readTimeout(options, "setupTimeoutMs", config.setupTimeoutUs);
  readOptional(options, "maxPackets", 64, kMaxPackets, config.maxPackets);
  return config;
}

io::EngineConfig readEngineConfig(const Field& options) {
  io::EngineConfig config;
  config.shard = readShardConfig(options);
  const Field bind = options["bind"];
  const uint32_t addresses = bind.length(io::Waiter::kMaxSockets);
  for (uint32_t i = 0; i < addresses; ++i) config.bind.push_back(readAddress(bind.at(i)));
  if (addresses == 0) bind.fail("must have at least one element");
  config.shards = options["shards"].integerAs<size_t>(1, kMaxShards);
  readOptional(options, "receiveBufferBytes", 1, kMaxBufferBytes, config.receiveBufferBytes);
  readOptional(options, "sendBufferBytes", 1, kMaxBufferBytes, config.sendBufferBytes);
  if (const auto backend = options.find("backend")) config.backend = backend->choice(kBackends);
  if (const auto cpus = options.find("cpus")) {
    const uint32_t count = cpus->length(kMaxShards);
    for (uint32_t i = 0; i < count; ++i) config.cpus.push_back(cpus->at(i).integerAs<int>(0, kMaxCpu));
  }
  return config;
}

io::ManualEngine::Config readManualConfig(const Field& options) {
  io::ManualEngine::Config config;
  config.shard = readShardConfig(options);
  config.shards = options["shards"].integerAs<size_t>(1, kMaxShards);
  config.seed = options["seed"].integerAs<uint64_t>(0, (int64_t{1} << 53) - 1);
  return config;
}

Identity readIdentity(const Field& options) {
  return {options["certificatePem"].text(kMaxPemBytes), options["privateKeyPem"].text(kMaxPemBytes)};
}

bool isUsable(const Reader& reader, const Identity& identity) {
  if (reader.failed()) {
    throwError(reader.env(), kBadValue, reader.failure());
    return false;
  }
  if (dtls::Context::create(identity.certificatePem, identity.privateKeyPem) != nullptr) return true;
  throwError(reader.env(), kBadCertificate, "the certificate and private key are not a PEM pair that DTLS can use");
  return false;
}

}  // namespace sluice::binding
