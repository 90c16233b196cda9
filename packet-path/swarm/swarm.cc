#include "swarm.h"

#include "../io/clock.h"
#include "outbox.h"
#include "swarm_thread.h"

namespace sluice::swarm {

Swarm::Swarm(std::function<void()> notify) : outbox_(std::make_unique<Outbox>(std::move(notify))) {}

Swarm::~Swarm() = default;

std::unique_ptr<Swarm> Swarm::open(const Config& config, std::function<void()> notify) {
  std::unique_ptr<Swarm> swarm(new Swarm(std::move(notify)));
  for (size_t i = 0; i < config.threads; ++i) {
    auto dtls = dtls::Context::create(config.identity.certificate, config.identity.privateKey);
    auto poller = Poller::open();
    if (dtls == nullptr || poller == nullptr) return nullptr;
    swarm->threads_.push_back(
        std::make_unique<SwarmThread>(std::move(dtls), std::move(poller), config.seed, *swarm->outbox_));
  }
  return swarm;
}

SwarmThread* Swarm::threadOf(ClientId client) {
  return threads_.empty() ? nullptr : threads_[client % threads_.size()].get();
}

std::optional<ClientId> Swarm::add(const ClientConfig& config) {
  const ClientId id = ++nextId_;
  SwarmThread* thread = threadOf(id);
  if (thread == nullptr || !thread->add(id, config)) return {};
  return id;
}

void Swarm::restart(ClientId client, const IceCredentials& local, const IceCredentials& remote, const Address& server) {
  threadOf(client)->with(client,
                         [&](Client& c, TimeUs nowUs) { c.peer().peer().restart(local, remote, server, nowUs); });
}

void Swarm::apply(ClientId client, const peer::MediaSpec& media) {
  threadOf(client)->with(client, [&](Client& c, TimeUs nowUs) { c.peer().apply(media, nowUs); });
}

sctp::SendResult Swarm::send(ClientId client, const sctp::Message& message) {
  auto result = sctp::SendResult::kNoSuchChannel;
  threadOf(client)->with(client, [&](Client& c, TimeUs nowUs) { result = c.peer().peer().send(message, nowUs); });
  return result;
}

void Swarm::remove(ClientId client, bool goodbye) {
  threadOf(client)->remove(client, goodbye);
}

void Swarm::report(ClientId client, const std::function<void(const ClientReport&)>& use) {
  threadOf(client)->with(client, [&](Client& c, TimeUs nowUs) { use(c.report(nowUs)); });
}

Totals Swarm::totals() {
  Totals out;
  const auto add = [&out](const ClientReport& client) {
    for (const peer::SentStream& s : client.media.sent) (s.video ? out.videoSent : out.audioSent) += s.packets;
    for (const peer::ReceivedStream& r : client.media.received) {
      KindTotals& kind = r.video ? out.video : out.audio;
      kind.streams += r.packets > 0 ? 1 : 0;
      kind.packets += r.packets;
      kind.lost += r.lost;
      kind.recovered += r.recovered;
      if (r.delays != nullptr) kind.delays.add(*r.delays);
    }
  };
  for (ClientId client = 1; client <= nextId_; ++client) report(client, add);
  return out;
}

std::vector<ThreadReport> Swarm::threads() {
  std::vector<ThreadReport> out;
  for (const auto& thread : threads_) out.push_back(thread->report());
  return out;
}

Taken Swarm::take() {
  return outbox_->take();
}

}  // namespace sluice::swarm
