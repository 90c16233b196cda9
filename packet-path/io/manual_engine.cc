#include "manual_engine.h"

#include <algorithm>

#include "mailbox.h"
#include "seeded_random.h"

namespace sluice::io {

namespace {

/// Shards that answer each other for ever at one moment would be a defect; in a simulation it must show, not hang.
constexpr int kMostTurnsPerMoment = 1'000;

}  // namespace

MutableBytes SentDatagrams::reserve(size_t bytes) {
  if (bytes > kMaxBurstBytes) return {};
  if (store_.size() < used_ + bytes) store_.resize(std::max(used_ + bytes, store_.size() * 2));
  return {store_.data() + used_, bytes};
}

void SentDatagrams::commit(const Address& to, size_t bytes, size_t segmentBytes) {
  if (segmentBytes == 0 || used_ + bytes > store_.size()) return;
  for (size_t at = 0; at < bytes; at += segmentBytes) {
    entries_.push_back({to, used_ + at, std::min(segmentBytes, bytes - at)});
  }
  used_ += bytes;
}

void SentDatagrams::clear() {
  entries_.clear();
  used_ = 0;
}

/// One shard and its world.
class ManualEngine::World final : public ShardWorld {
 public:
  World(ManualEngine& engine, const ShardConfig& config, uint64_t seed)
      : engine_(engine), random_(seed), shard_(config, *this) {}

  [[nodiscard]] DatagramSink& datagrams() override { return engine_.sent_; }
  void event(Event&& event) override { engine_.events_.push_back(std::move(event)); }
  [[nodiscard]] bool post(ShardIndex to, ShardMessage&& message) override {
    if (to >= engine_.shards_.size()) return false;
    auto& inbox = engine_.shards_[to]->inbox_;
    if (inbox.size() >= Mailbox::kMessages) return false;
    inbox.push_back(std::move(message));
    return true;
  }
  void random(MutableBytes out) override { random_.fill(out); }

  [[nodiscard]] Shard& shard() { return shard_; }
  /// False when there was no mail.
  bool readMail(TimeUs nowUs) {
    if (inbox_.empty()) return false;
    std::vector<ShardMessage> mail;
    mail.swap(inbox_);
    shard_.receive(std::span<ShardMessage>(mail), nowUs);
    return true;
  }
  void forgetMail() { inbox_.clear(); }
  std::vector<ReceivedDatagram>& batch() { return batch_; }

 private:
  ManualEngine& engine_;
  SeededRandom random_;
  std::vector<ShardMessage> inbox_;
  std::vector<ReceivedDatagram> batch_;
  Shard shard_;
};

ManualEngine::ManualEngine(const Config& config) {
  SeededRandom seeds(config.seed);
  for (size_t i = 0; i < config.shards; ++i) {
    ShardConfig shard = config.shard;
    shard.index = static_cast<ShardIndex>(i);
    shard.shards = config.shards;
    shards_.push_back(std::make_unique<World>(*this, shard, seeds.next()));
  }
}

ManualEngine::~ManualEngine() {
  // Packets of one shard's pool lie in the histories and inboxes of others: all let go before any pool goes.
  for (const auto& world : shards_) {
    for (const auto& [session, claim] : claims_) world->shard().drop(session, 0);
  }
  for (const auto& world : shards_) world->forgetMail();
}

void ManualEngine::apply(std::shared_ptr<const SessionSpec> spec, TimeUs nowUs) {
  const SessionKey session = spec->session;
  if (draining_ && !claims_.contains(session)) return;
  std::shared_ptr<SessionClaim>& claim = claims_[session];
  if (claim == nullptr) claim = std::make_shared<SessionClaim>();
  const AnnouncedSpec announced{std::move(spec), claim};
  for (const auto& world : shards_) world->shard().apply(announced, nowUs);
  settle(nowUs);
}

void ManualEngine::drop(SessionKey session, TimeUs nowUs) {
  if (claims_.erase(session) == 0) return;
  for (const auto& world : shards_) world->shard().drop(session, nowUs);
  settle(nowUs);
}

void ManualEngine::drain(TimeUs nowUs) {
  draining_ = true;
  std::vector<SessionKey> waiting;
  for (const auto& [session, claim] : claims_) {
    if (claim->owner() == SessionClaim::kUnclaimed) waiting.push_back(session);
  }
  for (const SessionKey session : waiting) drop(session, nowUs);
}

void ManualEngine::deliver(std::span<const Delivery> datagrams, TimeUs nowUs) {
  for (const Delivery& d : datagrams) {
    shards_[AddressHash{}(d.from) % shards_.size()]->batch().push_back({d.from, d.bytes});
  }
  for (const auto& world : shards_) {
    if (world->batch().empty()) continue;
    world->shard().receive(std::span<const ReceivedDatagram>(world->batch()), nowUs);
    world->batch().clear();
  }
  settle(nowUs);
}

void ManualEngine::advance(TimeUs nowUs) {
  for (int turn = 0; turn < kMostTurnsPerMoment && nextDeadline() <= nowUs; ++turn) {
    for (const auto& world : shards_) {
      if (world->shard().nextDeadline() <= nowUs) world->shard().onDeadline(nowUs);
    }
    settle(nowUs);
  }
}

TimeUs ManualEngine::nextDeadline() const {
  TimeUs next = kNever;
  for (const auto& world : shards_) next = std::min(next, world->shard().nextDeadline());
  return next;
}

void ManualEngine::settle(TimeUs nowUs) {
  bool read = true;
  for (int turn = 0; turn < kMostTurnsPerMoment && read; ++turn) {
    read = false;
    for (const auto& world : shards_) read = world->readMail(nowUs) || read;
  }
}

bool ManualEngine::snapshot(SessionKey session, TimeUs nowUs, SessionSnapshot& out) const {
  return std::ranges::any_of(shards_, [&](const auto& world) { return world->shard().snapshot(session, nowUs, out); });
}

size_t ManualEngine::sessions(size_t shard) const {
  return shards_[shard]->shard().sessions();
}

const ShardCounters& ManualEngine::counters(size_t shard) const {
  return shards_[shard]->shard().counters();
}

}  // namespace sluice::io
