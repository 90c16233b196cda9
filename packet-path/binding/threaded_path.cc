#include "threaded_path.h"

#include <cstring>

#include "../io/address.h"
#include "errors.h"
#include "options_reader.h"
#include "reader.h"
#include "spec_reader.h"
#include "writer.h"

namespace sluice::binding {

namespace {

void throwSocketError(napi_env env, const io::SocketError& error) {
  struct Kind {
    const char* code;
    const char* text;
  };
  const auto kind = [&]() -> Kind {
    switch (error.failure) {
      case io::OpenFailure::kAddressInUse:
        return {kAddressInUse, "is in use by another process"};
      case io::OpenFailure::kPermissionDenied:
        return {kPermissionDenied, "may not be bound by this user"};
      case io::OpenFailure::kAddressNotAvailable:
        return {kAddressNotAvailable, "is not an address of this machine"};
      case io::OpenFailure::kOutOfResources:
        return {kOutOfResources, "cannot be bound: the system has no descriptors, memory or threads left"};
      case io::OpenFailure::kUnknown:
        break;
    }
    return {kOpenFailed, "cannot be bound"};
  }();
  const std::string address = error.address.isSet() ? "UDP " + io::addressText(error.address) : "the packet path";
  throwError(env, kind.code, address + " " + kind.text + " (" + std::strerror(error.code) + ")");
}

}  // namespace

Napi::Function ThreadedPath::define(Napi::Env env) {
  return DefineClass(env, "ThreadedPath",
                     {
                         InstanceMethod<&ThreadedPath::apply>("apply"),
                         InstanceMethod<&ThreadedPath::drop>("drop"),
                         InstanceMethod<&ThreadedPath::drain>("drain"),
                         InstanceMethod<&ThreadedPath::snapshot>("snapshot"),
                         InstanceMethod<&ThreadedPath::close>("close"),
                         InstanceMethod<&ThreadedPath::status>("status"),
                     });
}

ThreadedPath::ThreadedPath(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const io::EngineConfig config = readEngineConfig(reader.root("options", info[0]));
  if (!isUsable(reader, config.shard.identity)) return;
  if (!info[1].IsFunction()) {
    throwError(env, kBadValue, "onEvents must be a function");
    return;
  }
  onEvents_ = Napi::Persistent(info[1].As<Napi::Function>());
  if (!open(config)) return;
  // The threads call back into this object: it stays until it is closed.
  Ref();
}

bool ThreadedPath::open(const io::EngineConfig& config) {
  const napi_env env = Env();
  // JavaScript is over when the environment ends, so nobody is told.
  bell_ = Doorbell::hang(
      env, "sluice packet path", [this] { deliver(); }, [this] { engine_.reset(); });
  if (bell_ == nullptr) {
    throwError(env, kOutOfResources, "the packet path cannot be connected with this thread");
    return false;
  }
  auto opened = io::Engine::open(config, bell_->ringer());
  if (const auto* error = std::get_if<io::SocketError>(&opened)) {
    bell_.reset();
    throwSocketError(env, *error);
    return false;
  }
  engine_ = std::move(std::get<std::unique_ptr<io::Engine>>(opened));
  return true;
}

ThreadedPath::~ThreadedPath() = default;

bool ThreadedPath::isOpen(napi_env env) const {
  if (engine_ != nullptr) return true;
  throwError(env, kClosed, "the packet path is closed");
  return false;
}

Napi::Value ThreadedPath::apply(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  HeldNames held;
  const Field root = reader.root("spec", info[0]);
  const Field version = reader.root("version", info[1]);
  auto spec = std::make_shared<const SessionSpec>(readSpec(root, version, sessions_.names(), held));
  // Reading may have run JavaScript, which may have closed this: look only now.
  bool kept = false;
  if (reader.failed()) {
    throwError(env, kBadValue, reader.failure());
  } else if (isOpen(env) && sessions_.isNews(*spec)) {
    kept = engine_->apply(spec);
    if (!kept) throwError(env, kBusy, "a shard does not keep up with its orders; nothing was applied");
  }
  if (kept) {
    sessions_.keep(*spec, std::move(held));
    retireLater();
  } else {
    sessions_.release(held);
  }
  return env.Undefined();
}

Napi::Value ThreadedPath::drop(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const std::string id = reader.root("session", info[0]).text(1'024);
  if (reader.failed()) {
    throwError(env, kBadValue, reader.failure());
  } else if (isOpen(env)) {
    const auto session = sessions_.find(id);
    if (session.has_value() && !engine_->drop(*session)) {
      throwError(env, kBusy, "a shard does not keep up with its orders; nothing was dropped");
    } else if (session.has_value()) {
      sessions_.forget(*session);
      retireLater();
    }
  }
  return env.Undefined();
}

Napi::Value ThreadedPath::drain(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (isOpen(env) && !engine_->drain()) throwError(env, kBusy, "a shard does not keep up with its orders; try again");
  return env.Undefined();
}

Napi::Value ThreadedPath::snapshot(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  const bool ofSession = !info[0].IsUndefined();
  const std::string id = ofSession ? reader.root("session", info[0]).text(1'024) : std::string();
  if (reader.failed()) {
    throwError(env, kBadValue, reader.failure());
    return env.Undefined();
  }
  if (!isOpen(env)) return env.Undefined();

  const auto session = sessions_.find(id);
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (ofSession && !session.has_value()) {
    napi_create_promise(env, &deferred, &promise);
    napi_resolve_deferred(env, deferred, toUndefined(env));
    return {env, promise};
  }
  const auto ticket = ofSession ? engine_->askSession(*session) : engine_->askAll();
  if (!ticket.has_value()) {
    throwError(env, kBusy, "too many snapshots are being waited for");
    return env.Undefined();
  }
  napi_create_promise(env, &deferred, &promise);
  waiting_.emplace(*ticket, deferred);
  return {env, promise};
}

Napi::Value ThreadedPath::status(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!isOpen(env)) return env.Undefined();
  ArrayWriter addresses(env);
  for (const Address& address : engine_->boundTo()) {
    addresses.push(ObjectWriter(env).set("address", io::ipText(address)).set("port", address.port).value());
  }
  ObjectWriter out(env);
  out.set("addresses", addresses.value());
  out.set("receiveBufferBytes", engine_->receiveBufferBytes()).set("sendBufferBytes", engine_->sendBufferBytes());
  // For tests: what is alive must be all that is remembered.
  return {env, out.set("names", sessions_.names().size()).value()};
}

Napi::Value ThreadedPath::close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (engine_ == nullptr) return env.Undefined();
  engine_.reset();
  bell_.reset();
  auto waiting = std::exchange(waiting_, {});
  for (const auto& [ticket, deferred] : waiting) {
    napi_reject_deferred(env, deferred, toError(env, kClosed, "the packet path was closed"));
  }
  onEvents_.Reset();
  Unref();
  return env.Undefined();
}

void ThreadedPath::deliver() {
  if (engine_ == nullptr) return;
  const Napi::Env env = Env();
  const io::Engine::Delivery delivery = engine_->take();
  // Made before the callback, which may close this.
  for (const auto& [ticket, report] : delivery.sessionReports) {
    const bool held = report.session.has_value();
    answer(ticket, held ? toSession(env, *report.session, sessions_.names()) : toUndefined(env));
  }
  bool released = false;
  for (const auto& [ticket, report] : delivery.reports) {
    ArrayWriter shards(env);
    for (const auto& shard : report.shards) shards.push(toShard(env, shard));
    answer(ticket, ObjectWriter(env).set("shards", shards.value()).value());
    released = released || ticket == retiringTicket_;
  }
  handEvents(delivery);
  if (released) releaseRetired();
}

void ThreadedPath::handEvents(const io::Engine::Delivery& delivery) {
  const Napi::Env env = Env();
  ArrayWriter events(env);
  for (const Event& event : delivery.events) {
    const Napi::HandleScope scope(env);
    if (const napi_value value = toEvent(env, event, sessions_.names())) events.push(value);
  }
  if (delivery.eventsLost > 0) {
    events.push(ObjectWriter(env).set("type", "events-lost").set("count", delivery.eventsLost).value());
  }
  if (events.length() > 0) onEvents_.Call({events.value()});
}

void ThreadedPath::answer(uint64_t ticket, napi_value value) {
  const auto deferred = waiting_.find(ticket);
  if (deferred == waiting_.end()) return;
  napi_resolve_deferred(Env(), deferred->second, value);
  waiting_.erase(deferred);
}

void ThreadedPath::retireLater() {
  if (retiringTicket_ != 0 || !sessions_.hasRetired()) return;
  const auto ticket = engine_->askAll();
  // No room for a question now: the next spec or drop asks it.
  if (!ticket.has_value()) return;
  retiring_ = sessions_.takeRetired();
  retiringTicket_ = *ticket;
}

void ThreadedPath::releaseRetired() {
  sessions_.release(std::exchange(retiring_, {}));
  retiringTicket_ = 0;
  if (engine_ != nullptr) retireLater();
}

}  // namespace sluice::binding
