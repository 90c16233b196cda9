#include "bare_limit.h"

#include <sched.h>
#include <time.h>

#include <thread>

#include "../../packet-path/io/clock.h"
#include "../../packet-path/io/socket.h"
#include "sinks.h"

namespace sluice::bench {

namespace {

void sleepUntil(TimeUs atUs) {
  const timespec at{atUs / kSecondUs, (atUs % kSecondUs) * 1'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

class Run {
 public:
  Run(const BareLimitConfig& config, const Sinks& sinks) : config_(config), sinks_(sinks) {}

  void operator()() {
    if (!prepare()) return;
    const TimeUs startUs = io::monotonicUs();
    const TimeUs cpuBeforeUs = io::threadCpuUs();
    for (uint32_t frame = 0; frame < config_.frames; ++frame) {
      sleepUntil(startUs + frame * config_.frameIntervalUs);
      sendFrame(config_.framePackets[frame % config_.framePackets.size()]);
    }
    result.cpuUs = io::threadCpuUs() - cpuBeforeUs;
    result.sendCalls = counters_.sendCalls;
    result.failures = counters_.sendFailed + counters_.sendBufferFull;
    measureSealing();
  }

  BareLimitResult result;

 private:
  bool prepare() {
    if (config_.cpu.has_value()) {
      cpu_set_t cpus;
      CPU_ZERO(&cpus);
      CPU_SET(static_cast<size_t>(*config_.cpu), &cpus);
      (void)::sched_setaffinity(0, sizeof cpus, &cpus);
    }
    io::SocketOptions options;
    options.bind.family = 4;
    options.sendBufferBytes = 8 << 20;
    auto opened = io::openSocket(io::kDefaultBackend, options, ends_);
    if (!std::holds_alternative<std::unique_ptr<io::Socket>>(opened)) return false;
    socket_ = std::move(std::get<std::unique_ptr<io::Socket>>(opened));
    for (size_t i = 0; i < config_.destinations; ++i) {
      auto cipher = crypto::AesGcm::create(bareKey(i), crypto::AesGcm::Direction::kSeal);
      if (!cipher.has_value()) return false;
      ciphers_.push_back(std::move(*cipher));
    }
    payload_.assign(config_.packetBytes - kBareHeaderBytes, 0x5A);
    slab_.resize(DatagramSink::kMaxBurstBytes);
    return true;
  }

  void sendFrame(uint32_t packets) {
    const size_t segment = config_.packetBytes + crypto::AesGcm::kTagBytes;
    for (size_t d = 0; d < ciphers_.size(); ++d) {
      for (uint32_t p = 0; p < packets; ++p) seal(ciphers_[d], slab_.data() + p * segment);
      patience_.renew();
      socket_->send(sinks_.address(d), nullptr, {slab_.data(), packets * segment}, segment, patience_, counters_);
      result.packets += packets;
    }
  }

  void seal(crypto::AesGcm& cipher, uint8_t* out) {
    out[0] = 0x90;
    writeU64(out + 2, ++sealed_);
    (void)cipher.seal(bareNonce(sealed_), {out, kBareHeaderBytes}, payload_, out + kBareHeaderBytes);
  }

  /// The same number of packets again without the kernel; tells the two shares apart without a clock in between.
  void measureSealing() {
    const size_t segment = config_.packetBytes + crypto::AesGcm::kTagBytes;
    const TimeUs beforeUs = io::threadCpuUs();
    for (uint32_t frame = 0; frame < config_.frames; ++frame) {
      const uint32_t packets = config_.framePackets[frame % config_.framePackets.size()];
      for (auto& cipher : ciphers_) {
        for (uint32_t p = 0; p < packets; ++p) seal(cipher, slab_.data() + p * segment);
      }
    }
    result.sealCpuUs = io::threadCpuUs() - beforeUs;
  }

  const BareLimitConfig& config_;
  const Sinks& sinks_;
  io::LocalEnds ends_;
  std::unique_ptr<io::Socket> socket_;
  io::SendPatience patience_;
  io::IoCounters counters_;
  std::vector<crypto::AesGcm> ciphers_;
  std::vector<uint8_t> payload_;
  std::vector<uint8_t> slab_;
  uint64_t sealed_ = 0;
};

}  // namespace

BareLimitResult measureBareLimit(const BareLimitConfig& config) {
  const auto sinks = Sinks::open(config.destinations);
  if (sinks == nullptr) return {};
  Run run(config, *sinks);
  std::thread thread(std::ref(run));
  thread.join();
  run.result.arrived = sinks->opened();
  return run.result;
}

}  // namespace sluice::bench
