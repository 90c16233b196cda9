#include "sinks.h"

#include "../../packet-path/io/address.h"

namespace sluice::bench {

std::array<uint8_t, 16> bareKey(size_t destination) {
  std::array<uint8_t, 16> key{};
  writeU64(key.data(), destination);
  return key;
}

crypto::AesGcm::Nonce bareNonce(uint64_t packet) {
  crypto::AesGcm::Nonce nonce{};
  writeU64(nonce.data() + 4, packet);
  return nonce;
}

std::unique_ptr<Sinks> Sinks::open(size_t count) {
  auto poller = swarm::Poller::open();
  if (poller == nullptr) return nullptr;
  std::unique_ptr<Sinks> out(new Sinks(std::move(poller)));
  io::SocketOptions options;
  options.bind = *io::parseAddress("127.0.0.1", 0);
  options.receiveBufferBytes = 1 << 20;
  for (uint32_t i = 0; i < count; ++i) {
    auto opened = io::openSocket(io::kDefaultBackend, options, out->ends_);
    auto* socket = std::get_if<std::unique_ptr<io::Socket>>(&opened);
    auto cipher = crypto::AesGcm::create(bareKey(i), crypto::AesGcm::Direction::kOpen);
    if (socket == nullptr || !cipher.has_value() || !out->poller_->add((*socket)->fd(), i)) return nullptr;
    out->sinks_.push_back({std::move(*socket), std::move(*cipher)});
  }
  out->thread_ = std::thread([sinks = out.get()] { sinks->run(); });
  return out;
}

Sinks::~Sinks() {
  stopping_ = true;
  poller_->wake();
  if (thread_.joinable()) thread_.join();
}

void Sinks::run() {
  io::ReceiveBuffer buffer;
  io::IoCounters counters;
  std::vector<ReceivedDatagram> received;
  while (!stopping_) {
    for (const uint32_t index : poller_->wait(kNever)) {
      received.clear();
      (void)sinks_[index].socket->receive(buffer, received, counters);
      for (const ReceivedDatagram& datagram : received) {
        if (opens(sinks_[index], datagram.bytes)) ++opened_;
      }
    }
  }
}

bool Sinks::opens(Sink& sink, Bytes datagram) {
  if (datagram.size() < kBareHeaderBytes || datagram.size() > plain_.size()) return false;
  const auto nonce = bareNonce(readU64(datagram.data() + 2));
  return sink.cipher.open(nonce, datagram.first(kBareHeaderBytes), datagram.subspan(kBareHeaderBytes), plain_.data());
}

}  // namespace sluice::bench
