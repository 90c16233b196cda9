#include "manual_path.h"

#include "../io/address.h"
#include "errors.h"
#include "options_reader.h"
#include "reader.h"
#include "spec_reader.h"
#include "writer.h"

namespace sluice::binding {

namespace {

/// Virtual time begins anywhere and ends long after every simulation.
constexpr int64_t kMaxTimeUs = (int64_t{1} << 53) - 1;
/// Datagrams that one call may deliver.
constexpr uint32_t kMaxDelivered = 65'536;

TimeUs readTime(Reader& reader, napi_value value) {
  return reader.root("nowUs", value).integer(0, kMaxTimeUs);
}

}  // namespace

Napi::Function ManualPath::define(Napi::Env env) {
  return DefineClass(env, "ManualPath",
                     {
                         InstanceMethod<&ManualPath::apply>("apply"),
                         InstanceMethod<&ManualPath::drop>("drop"),
                         InstanceMethod<&ManualPath::drain>("drain"),
                         InstanceMethod<&ManualPath::deliver>("deliver"),
                         InstanceMethod<&ManualPath::advance>("advance"),
                         InstanceMethod<&ManualPath::nextDeadline>("nextDeadline"),
                         InstanceMethod<&ManualPath::snapshot>("snapshot"),
                         InstanceMethod<&ManualPath::close>("close"),
                     });
}

ManualPath::ManualPath(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const io::ManualEngine::Config config = readManualConfig(reader.root("options", info[0]));
  if (!isUsable(reader, config.shard.identity)) return;
  engine_ = std::make_unique<io::ManualEngine>(config);
}

bool ManualPath::isOpen(napi_env env) const {
  if (engine_ != nullptr) return true;
  throwError(env, kClosed, "the packet path is closed");
  return false;
}

Napi::Value ManualPath::outcome(Napi::Env env) {
  ArrayWriter datagrams(env);
  io::SentDatagrams& sent = engine_->sent();
  for (const auto& entry : sent.entries()) {
    const Napi::HandleScope scope(env);
    datagrams.push(toText(env, io::addressText(entry.to)));
    datagrams.push(toBytes(env, sent.bytesOf(entry)));
  }
  sent.clear();
  ArrayWriter events(env);
  for (const Event& event : engine_->events()) {
    const Napi::HandleScope scope(env);
    if (const napi_value value = toEvent(env, event, sessions_.names())) events.push(value);
  }
  engine_->events().clear();
  // Nothing that could name them is on its way any more.
  sessions_.release(sessions_.takeRetired());
  return {env, ObjectWriter(env).set("datagrams", datagrams.value()).set("events", events.value()).value()};
}

Napi::Value ManualPath::apply(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  HeldNames held;
  const Field root = reader.root("spec", info[0]);
  const Field version = reader.root("version", info[1]);
  auto spec = std::make_shared<const SessionSpec>(readSpec(root, version, sessions_.names(), held));
  const TimeUs nowUs = readTime(reader, info[2]);
  if (reader.failed() || !isOpen(env) || !sessions_.isNews(*spec)) {
    sessions_.release(held);
    if (reader.failed()) throwError(env, kBadValue, reader.failure());
    return engine_ == nullptr || reader.failed() ? env.Undefined() : outcome(env);
  }
  sessions_.keep(*spec, std::move(held));
  engine_->apply(std::move(spec), nowUs);
  return outcome(env);
}

Napi::Value ManualPath::drop(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const std::string id = reader.root("session", info[0]).text(1'024);
  const TimeUs nowUs = readTime(reader, info[1]);
  if (reader.failed()) throwError(env, kBadValue, reader.failure());
  if (reader.failed() || !isOpen(env)) return env.Undefined();
  if (const auto session = sessions_.find(id)) {
    engine_->drop(*session, nowUs);
    sessions_.forget(*session);
  }
  return outcome(env);
}

Napi::Value ManualPath::drain(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const TimeUs nowUs = readTime(reader, info[0]);
  if (reader.failed()) throwError(env, kBadValue, reader.failure());
  if (reader.failed() || !isOpen(env)) return env.Undefined();
  engine_->drain(nowUs);
  return outcome(env);
}

Napi::Value ManualPath::deliver(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const Field list = reader.root("datagrams", info[0]);
  const TimeUs nowUs = readTime(reader, info[1]);
  const uint32_t length = list.length(2 * kMaxDelivered);
  std::vector<Address> from;
  std::vector<std::vector<uint8_t>> datagrams;
  for (uint32_t i = 0; i + 1 < length && !reader.failed(); i += 2) {
    const Field address = list.at(i);
    const auto parsed = io::parseAddressText(address.text(64));
    if (!parsed.has_value()) address.fail("must be an address with its port");
    const auto [data, size] = list.at(i + 1).bytes();
    // Copied: the shard writes into what it is given, and JavaScript may run while the list is read.
    datagrams.emplace_back(data, data + size);
    from.push_back(parsed.value_or(Address{}));
  }
  if (reader.failed()) throwError(env, kBadValue, reader.failure());
  if (reader.failed() || !isOpen(env)) return env.Undefined();
  std::vector<io::ManualEngine::Delivery> deliveries;
  for (size_t i = 0; i < from.size(); ++i) deliveries.push_back({from[i], datagrams[i]});
  engine_->deliver(deliveries, nowUs);
  return outcome(env);
}

Napi::Value ManualPath::advance(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const TimeUs nowUs = readTime(reader, info[0]);
  if (reader.failed()) throwError(env, kBadValue, reader.failure());
  if (reader.failed() || !isOpen(env)) return env.Undefined();
  engine_->advance(nowUs);
  return outcome(env);
}

Napi::Value ManualPath::nextDeadline(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!isOpen(env)) return env.Undefined();
  const TimeUs deadline = engine_->nextDeadline();
  if (deadline == kNever) return env.Undefined();
  return Napi::Number::New(env, static_cast<double>(deadline));
}

Napi::Value ManualPath::snapshot(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const bool ofSession = !info[0].IsUndefined();
  const std::string id = ofSession ? reader.root("session", info[0]).text(1'024) : std::string();
  const TimeUs nowUs = readTime(reader, info[1]);
  if (reader.failed()) throwError(env, kBadValue, reader.failure());
  if (reader.failed() || !isOpen(env)) return env.Undefined();
  if (ofSession) {
    const auto session = sessions_.find(id);
    SessionSnapshot snapshot;
    if (!session.has_value() || !engine_->snapshot(*session, nowUs, snapshot)) return env.Undefined();
    return {env, toSession(env, snapshot, sessions_.names())};
  }
  ArrayWriter shards(env);
  for (size_t i = 0; i < engine_->shards(); ++i) {
    const io::ShardReport report{static_cast<ShardIndex>(i), engine_->sessions(i), engine_->counters(i), {}};
    shards.push(toShard(env, report));
  }
  return {env, ObjectWriter(env).set("shards", shards.value()).value()};
}

Napi::Value ManualPath::close(const Napi::CallbackInfo& info) {
  engine_.reset();
  return info.Env().Undefined();
}

}  // namespace sluice::binding
