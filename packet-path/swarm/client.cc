#include "client.h"

#include <openssl/rand.h>

#include <algorithm>

namespace sluice::swarm {

Client::Client(ClientId id, const ClientConfig& config, std::unique_ptr<io::Socket> socket, uint64_t seed,
               ThreadContext& thread)
    : id_(id),
      thread_(thread),
      socket_(std::move(socket)),
      up_(config.up, seed),
      down_(config.down, seed + 1),
      peer_(config.peer, thread.dtls, peer::Media::Options{seed, 0}, *this) {}

void Client::random(MutableBytes out) {
  (void)RAND_bytes(out.data(), static_cast<int>(out.size()));
}

void Client::receive(Bytes datagram, const Address& from, TimeUs nowUs) {
  at(nowUs);
  if (down_.perfect()) return peer_.receive(datagram, from, nowUs_);
  const auto atUs = down_.pass(datagram.size(), nowUs_);
  if (!atUs) {
    ++impaired_;
    return;
  }
  downward_.push_back({*atUs, from, {datagram.begin(), datagram.end()}});
}

void Client::onDeadline(TimeUs nowUs) {
  at(nowUs);
  while (!downward_.empty() && downward_.front().atUs <= nowUs) {
    const Flight flight = std::move(downward_.front());
    downward_.pop_front();
    peer_.receive(flight.bytes, flight.address, nowUs_);
  }
  if (peer_.nextDeadline() <= nowUs) peer_.onDeadline(nowUs_);
  while (!upward_.empty() && upward_.front().atUs <= nowUs) {
    Flight& flight = upward_.front();
    send(flight.address, flight.bytes, flight.bytes.size());
    upward_.pop_front();
  }
}

TimeUs Client::nextDeadline() const {
  const TimeUs up = upward_.empty() ? kNever : upward_.front().atUs;
  const TimeUs down = downward_.empty() ? kNever : downward_.front().atUs;
  return std::min({peer_.nextDeadline(), up, down});
}

void Client::commit(const Address& to, size_t bytes, size_t segmentBytes) {
  const MutableBytes burst{thread_.slab.data(), bytes};
  if (up_.perfect()) return send(to, burst, segmentBytes);
  for (size_t at = 0; at < bytes; at += segmentBytes) {
    const Bytes one = burst.subspan(at, std::min(segmentBytes, bytes - at));
    const auto atUs = up_.pass(one.size(), nowUs_);
    if (!atUs) {
      ++impaired_;
      continue;
    }
    upward_.push_back({*atUs, to, {one.begin(), one.end()}});
  }
}

void Client::send(const Address& to, MutableBytes burst, size_t segmentBytes) {
  thread_.patience.renew();
  socket_->send(to, nullptr, burst, segmentBytes, thread_.patience, thread_.counters);
}

ClientReport Client::report(TimeUs nowUs) {
  ClientReport out;
  if (auto media = peer_.report(std::max(nowUs_, nowUs))) out.media = std::move(*media);
  out.counters = peer_.peer().counters();
  out.connected = peer_.peer().connected();
  out.impaired = impaired_;
  return out;
}

}  // namespace sluice::swarm
