// The bench's addon: the bare limit, and what another process has used of the processor.
#include <napi.h>
#include <time.h>

#include "../../packet-path/binding/reader.h"
#include "../../packet-path/binding/writer.h"
#include "../../packet-path/io/clock.h"
#include "bare_limit.h"

namespace sluice::bench {

namespace {

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

class BareLimitWorker final : public Napi::AsyncWorker {
 public:
  BareLimitWorker(Napi::Env env, BareLimitConfig config)
      : AsyncWorker(env, "bare limit"), deferred_(Napi::Promise::Deferred::New(env)), config_(std::move(config)) {}
  [[nodiscard]] Napi::Value promise() const { return deferred_.Promise(); }

  void Execute() override { result_ = measureBareLimit(config_); }
  void OnOK() override {
    ObjectWriter out(Env());
    out.set("packets", result_.packets)
        .set("arrived", result_.arrived)
        .set("cpuUs", result_.cpuUs)
        .set("sealCpuUs", result_.sealCpuUs);
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
  config.destinations = options["destinations"].integerAs<size_t>(1, 10'000);
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

/// `(pid) => µs` of all its threads, user and kernel, those that ended too; undefined when there is no such process.
/// The clock counts nanoseconds, where /proc counts ticks of ten milliseconds.
Napi::Value processCpuUs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const auto pid = reader.root("pid", info[0]).integerAs<pid_t>(1, INT32_MAX);
  if (reader.failed()) {
    binding::throwError(env, kBadValue, reader.failure());
    return env.Undefined();
  }
  clockid_t clock{};
  if (::clock_getcpuclockid(pid, &clock) != 0) return env.Undefined();
  return Napi::Number::New(env, static_cast<double>(io::readClockUs(clock)));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("bareLimit", Napi::Function::New<bareLimit>(env, "bareLimit"));
  exports.Set("processCpuUs", Napi::Function::New<processCpuUs>(env, "processCpuUs"));
  return exports;
}

}  // namespace

}  // namespace sluice::bench

static Napi::Object initAddon(Napi::Env env, Napi::Object exports) {
  return sluice::bench::init(env, exports);
}

NODE_API_MODULE(sluice_bench, initAddon)
