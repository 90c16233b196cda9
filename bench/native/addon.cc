// The bench's addon: the load, and the bare limit.
#include <napi.h>

#include "../../packet-path/binding/reader.h"
#include "../../packet-path/binding/spec_reader.h"
#include "../../packet-path/binding/writer.h"
#include "../../packet-path/io/address.h"
#include "bare_limit.h"
#include "swarm.h"

namespace sluice::bench {

namespace {

using binding::ArrayWriter;
using binding::Field;
using binding::ObjectWriter;
using binding::Reader;

constexpr const char* kBadValue = "BENCH_BAD_VALUE";

std::optional<int> readCpu(const Field& field) {
  return field.integerAs<int>(0, 1'023);
}

std::vector<uint32_t> readFramePackets(const Field& list) {
  std::vector<uint32_t> out;
  const uint32_t length = list.length(64);
  for (uint32_t i = 0; i < length; ++i) out.push_back(list.at(i).integerAs<uint32_t>(1, 50));
  if (length == 0) list.fail("must not be empty");
  return out;
}

ClientConfig readClient(const Field& field) {
  ClientConfig out;
  out.server = binding::readAddress(field["server"]);
  out.local = binding::readCredentials(field["local"]);
  out.remote = binding::readCredentials(field["remote"]);
  out.serverFingerprints.push_back(binding::readFingerprint(field["serverFingerprint"]));
  out.feedbackExtension = field["feedbackExtension"].integerAs<uint8_t>(0, 14);
  if (const auto video = field.find("video")) {
    VideoSourceConfig source;
    source.ssrc = (*video)["ssrc"].integerAs<Ssrc>(1, UINT32_MAX);
    source.payloadType = (*video)["payloadType"].integerAs<uint8_t>(0, 127);
    source.midExtension = (*video)["midExtension"].integerAs<uint8_t>(0, 14);
    source.transportCcExtension = (*video)["transportCcExtension"].integerAs<uint8_t>(0, 14);
    source.packetBytes = (*video)["packetBytes"].integerAs<size_t>(64, 1'400);
    source.framePackets = readFramePackets((*video)["framePackets"]);
    out.video = std::move(source);
  }
  return out;
}

std::string fingerprintText(const Fingerprint& fingerprint) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const uint8_t byte : fingerprint.digest) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

class SwarmObject final : public Napi::ObjectWrap<SwarmObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Swarm",
                       {
                           InstanceMethod<&SwarmObject::fingerprint>("fingerprint"),
                           InstanceMethod<&SwarmObject::add>("add"),
                           InstanceMethod<&SwarmObject::openSinks>("openSinks"),
                           InstanceMethod<&SwarmObject::closeSinks>("closeSinks"),
                           InstanceMethod<&SwarmObject::startVideo>("startVideo"),
                           InstanceMethod<&SwarmObject::stopVideo>("stopVideo"),
                           InstanceMethod<&SwarmObject::beginMeasurement>("beginMeasurement"),
                           InstanceMethod<&SwarmObject::report>("report"),
                           InstanceMethod<&SwarmObject::close>("close"),
                       });
  }

  /// `new Swarm(cpu)`
  explicit SwarmObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    Reader reader(info.Env());
    const auto cpu = readCpu(reader.root("cpu", info[0]));
    if (reader.failed()) {
      binding::throwError(info.Env(), kBadValue, reader.failure());
      return;
    }
    swarm_ = std::make_unique<Swarm>(cpu);
  }

 private:
  [[nodiscard]] bool isOpen(napi_env env) const {
    if (swarm_ == nullptr) binding::throwError(env, "BENCH_CLOSED", "the swarm is closed");
    return swarm_ != nullptr;
  }

  Napi::Value fingerprint(const Napi::CallbackInfo& info) {
    if (!isOpen(info.Env())) return info.Env().Undefined();
    return {info.Env(), binding::toText(info.Env(), fingerprintText(swarm_->fingerprint()))};
  }

  Napi::Value add(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Reader reader(env);
    const ClientConfig config = readClient(reader.root("client", info[0]));
    if (reader.failed()) {
      binding::throwError(env, kBadValue, reader.failure());
    } else if (isOpen(env) && !swarm_->add(config)) {
      binding::throwError(env, "BENCH_NO_SOCKET", "no socket for another client");
    }
    return env.Undefined();
  }

  Napi::Value openSinks(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Reader reader(env);
    const auto count = reader.root("count", info[0]).integerAs<size_t>(1, 10'000);
    if (reader.failed()) binding::throwError(env, kBadValue, reader.failure());
    if (reader.failed() || !isOpen(env)) return env.Undefined();
    ArrayWriter addresses(env);
    for (const Address& address : swarm_->openSinks(count)) {
      addresses.push(ObjectWriter(env).set("address", io::ipText(address)).set("port", address.port).value());
    }
    return {env, addresses.value()};
  }

  Napi::Value closeSinks(const Napi::CallbackInfo& info) {
    if (isOpen(info.Env())) swarm_->closeSinks();
    return info.Env().Undefined();
  }
  Napi::Value startVideo(const Napi::CallbackInfo& info) {
    if (isOpen(info.Env())) swarm_->startVideo();
    return info.Env().Undefined();
  }
  Napi::Value stopVideo(const Napi::CallbackInfo& info) {
    if (isOpen(info.Env())) swarm_->stopVideo();
    return info.Env().Undefined();
  }
  Napi::Value beginMeasurement(const Napi::CallbackInfo& info) {
    if (isOpen(info.Env())) swarm_->beginMeasurement();
    return info.Env().Undefined();
  }

  Napi::Value report(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!isOpen(env)) return env.Undefined();
    const SwarmReport report = swarm_->report();
    ObjectWriter out(env);
    out.set("clients", report.clients).set("connected", report.connected).set("ended", report.ended);
    out.set("receiving", report.receiving).set("packetsSent", report.packetsSent);
    out.set("packetsReceived", report.packetsReceived).set("packetsLost", report.packetsLost);
    out.set("unauthentic", report.unauthentic)
        .set("sinksOpened", report.sinksOpened)
        .set("delayP50Us", report.delayP50Us);
    out.set("delayP99Us", report.delayP99Us).set("delayMaxUs", report.delayMaxUs).set("cpuUs", report.cpuUs);
    return {env, out.value()};
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    swarm_.reset();
    return info.Env().Undefined();
  }

  std::unique_ptr<Swarm> swarm_;
};

class BareLimitWorker final : public Napi::AsyncWorker {
 public:
  BareLimitWorker(Napi::Env env, BareLimitConfig config)
      : AsyncWorker(env, "bare limit"), deferred_(Napi::Promise::Deferred::New(env)), config_(std::move(config)) {}
  [[nodiscard]] Napi::Value promise() const { return deferred_.Promise(); }

  void Execute() override { result_ = measureBareLimit(config_); }
  void OnOK() override {
    ObjectWriter out(Env());
    out.set("packets", result_.packets).set("cpuUs", result_.cpuUs).set("sealCpuUs", result_.sealCpuUs);
    out.set("sendCalls", result_.sendCalls).set("failures", result_.failures);
    deferred_.Resolve(Napi::Value(Env(), out.value()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  BareLimitConfig config_;
  BareLimitResult result_;
};

/// `({ destinations, framePackets, packetBytes, frameIntervalUs, frames, cpu }) => Promise<{ packets, cpuUs, … }>`
Napi::Value bareLimit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const Field options = reader.root("options", info[0]);
  BareLimitConfig config;
  const Field destinations = options["destinations"];
  const uint32_t count = destinations.length(10'000);
  for (uint32_t i = 0; i < count; ++i) config.destinations.push_back(binding::readAddress(destinations.at(i)));
  config.framePackets = readFramePackets(options["framePackets"]);
  config.packetBytes = options["packetBytes"].integerAs<size_t>(64, 1'400);
  config.frameIntervalUs = options["frameIntervalUs"].integer(0, kSecondUs);
  config.frames = options["frames"].integerAs<uint32_t>(1, 1'000'000);
  config.cpu = readCpu(options["cpu"]);
  if (reader.failed()) {
    binding::throwError(env, kBadValue, reader.failure());
    return env.Undefined();
  }
  auto* worker = new BareLimitWorker(env, std::move(config));
  const Napi::Value promise = worker->promise();
  worker->Queue();
  return promise;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Swarm", SwarmObject::define(env));
  exports.Set("bareLimit", Napi::Function::New<bareLimit>(env, "bareLimit"));
  return exports;
}

}  // namespace

}  // namespace sluice::bench

static Napi::Object initAddon(Napi::Env env, Napi::Object exports) {
  return sluice::bench::init(env, exports);
}

NODE_API_MODULE(sluice_bench, initAddon)
