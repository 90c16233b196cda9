#include "shard_thread.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "clock.h"

namespace sluice::io {

namespace {

/// Mail read in one round: as much as a round of datagrams, so that neither starves the other.
constexpr size_t kMailPerRound = 512;
/// A socket that always has more must not hide another one: the others are looked at every so many rounds.
constexpr uint64_t kRoundsWithoutLooking = 8;

}  // namespace

void BurstSink::commit(const Address& to, size_t bytes, size_t segmentBytes) {
  if (bytes == 0 || segmentBytes == 0 || bytes > kMaxBurstBytes) return;
  const LocalEnd* source = ends_.at(to.via);
  Socket* socket = socketFor(to, source);
  if (socket == nullptr) {
    counters_.sendFailed += (bytes + segmentBytes - 1) / segmentBytes;
    return;
  }
  const size_t most = kMaxBurstSegments * segmentBytes;
  for (size_t at = 0; at < bytes; at += most) {
    const MutableBytes burst{slab_.get() + at, std::min(most, bytes - at)};
    socket->send(to, source, burst, segmentBytes, patience_, counters_);
  }
}

Socket* BurstSink::socketFor(const Address& to, const LocalEnd* source) const {
  if (source != nullptr && source->socket < sockets_.size()) return sockets_[source->socket].get();
  for (const auto& socket : sockets_) {
    if (socket->reaches(to)) return socket.get();
  }
  return nullptr;
}

ShardThread::ShardThread(const ShardConfig& config, std::vector<std::unique_ptr<Socket>> sockets,
                         Surroundings surroundings)
    : index_(config.index),
      around_(surroundings),
      mailbox_(*surroundings.mailboxes[config.index]),
      sockets_(std::move(sockets)),
      sink_(sockets_, around_.ends, counters_),
      shard_(config, *this) {
  for (const auto& socket : sockets_) mailbox_.waiter().watch(*socket);
}

ShardThread::~ShardThread() {
  stop();
}

bool ShardThread::start(std::optional<int> cpu) {
  // The process's signals are for the threads that know what they mean.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto body = [](void* self) -> void* {
    static_cast<ShardThread*>(self)->run();
    return nullptr;
  };
  pthread_t thread{};
  const bool started = ::pthread_create(&thread, nullptr, body, this) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!started) return false;
  thread_ = thread;
#ifdef __linux__
  char name[16];  // the kernel's limit
  std::snprintf(name, sizeof name, "sluice-%u", static_cast<unsigned>(index_));
  ::pthread_setname_np(thread, name);
  if (cpu.has_value()) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<size_t>(*cpu), &cpus);
    // A CPU that the process may not use leaves the thread where the scheduler puts it.
    (void)::pthread_setaffinity_np(thread, sizeof cpus, &cpus);
  }
#endif
  return true;
}

void ShardThread::stop() {
  if (!thread_.has_value()) return;
  stopping_.store(true, std::memory_order_release);
  mailbox_.waiter().wake();
  ::pthread_join(*thread_, nullptr);
  thread_.reset();
}

void ShardThread::forget(std::span<const SessionKey> sessions) {
  const TimeUs nowUs = monotonicUs();
  for (const SessionKey session : sessions) shard_.drop(session, nowUs);
  while (mailbox_.messages().popInto(messages_, kMailPerRound) > 0) messages_.clear();
}

void ShardThread::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    ++counters_.rounds;
    sink_.beginRound();
    const TimeUs nowUs = monotonicUs();
    receiveDatagrams(nowUs);
    readMail(nowUs);
    if (shard_.nextDeadline() <= nowUs) shard_.onDeadline(nowUs);
    ringPosted();
    sleep();
  }
}

void ShardThread::receiveDatagrams(TimeUs nowUs) {
  for (size_t i = 0; i < sockets_.size(); ++i) {
    const uint32_t bit = 1U << i;
    if ((ready_ & bit) == 0) continue;
    batch_.clear();
    if (!sockets_[i]->receive(buffer_, batch_, counters_)) ready_ &= ~bit;
    if (batch_.empty()) continue;
    if (slept_) gathering_.woke(nowUs);
    slept_ = false;
    shard_.receive(std::span<const ReceivedDatagram>(batch_), nowUs);
  }
}

void ShardThread::readMail(TimeUs nowUs) {
  if (mailbox_.commands().popInto(commands_, kMailPerRound) > 0) {
    for (ShardCommand& command : commands_) obey(command, nowUs);
    commands_.clear();
  }
  if (mailbox_.messages().popInto(messages_, kMailPerRound) > 0) {
    shard_.receive(std::span<ShardMessage>(messages_), nowUs);
    messages_.clear();
  }
}

void ShardThread::obey(ShardCommand& command, TimeUs nowUs) {
  if (const auto* announced = std::get_if<AnnouncedSpec>(&command)) {
    shard_.apply(*announced, nowUs);
  } else if (const auto* drop = std::get_if<DropSession>(&command)) {
    shard_.drop(drop->session, nowUs);
  } else if (const auto* request = std::get_if<SnapshotRequest>(&command)) {
    answer(*request, nowUs);
  }
}

void ShardThread::answer(const SnapshotRequest& request, TimeUs nowUs) {
  auto reply = std::make_unique<Answer>();
  reply->ticket = request.ticket;
  if (request.session.has_value()) {
    SessionReport report;
    SessionSnapshot snapshot;
    if (shard_.snapshot(*request.session, nowUs, snapshot)) report.session = std::move(snapshot);
    reply->what = std::move(report);
  } else {
    counters_.cpuUs = threadCpuUs();
    counters_.receivedOverflow = 0;
    for (const auto& socket : sockets_) counters_.receivedOverflow += socket->overflows();
    reply->what = ShardReport{index_, shard_.sessions(), shard_.counters(), counters_};
  }
  // Always fits: the engine asks for no more than the outbox holds.
  (void)around_.outbox.put(std::move(reply));
}

void ShardThread::ringPosted() {
  for (; posted_ != 0; posted_ &= posted_ - 1) {
    around_.mailboxes[static_cast<size_t>(std::countr_zero(posted_))]->ring();
  }
}

void ShardThread::sleep() {
  if (ready_ != 0) {
    if (counters_.rounds % kRoundsWithoutLooking == 0) ready_ |= mailbox_.waiter().wait(0);
    return;
  }
  const TimeUs nowUs = monotonicUs();
  const TimeUs deadline = shard_.nextDeadline();
  const TimeUs timeoutUs = deadline == kNever ? kNever : std::max<TimeUs>(0, deadline - nowUs);
  slept_ = timeoutUs > 0;
  if (slept_) ++counters_.sleeps;
  const TimeUs restUs = gathering_.restUs(nowUs);
  if (restUs > 0 && restUs <= timeoutUs && mailbox_.empty()) {
    sleepFor(restUs);
    // Looked at without asking: most of the time there is something.
    ready_ = static_cast<uint32_t>((uint64_t{1} << sockets_.size()) - 1);
    return;
  }
  ready_ = mailbox_.sleep(timeoutUs);
}

void ShardThread::event(Event&& event) {
  if (!around_.outbox.put(std::move(event))) ++counters_.eventQueueFull;
}

bool ShardThread::post(ShardIndex to, ShardMessage&& message) {
  if (to >= around_.mailboxes.size() || !around_.mailboxes[to]->put(std::move(message))) {
    ++counters_.shardQueueFull;
    return false;
  }
  posted_ |= uint64_t{1} << to;
  return true;
}

void ShardThread::random(MutableBytes out) {
  for (size_t filled = 0; filled < out.size();) {
    if (entropyLeft_ == 0) {
      // 256 bytes at most a call. Without the kernel's randomness nothing here is safe: there is nothing to go on with.
      if (::getentropy(entropy_, sizeof entropy_) != 0) std::abort();
      entropyLeft_ = sizeof entropy_;
    }
    const size_t take = std::min(entropyLeft_, out.size() - filled);
    uint8_t* from = entropy_ + sizeof entropy_ - entropyLeft_;
    std::memcpy(out.data() + filled, from, take);
    std::memset(from, 0, take);
    filled += take;
    entropyLeft_ -= take;
  }
}

}  // namespace sluice::io
