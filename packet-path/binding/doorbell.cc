#include "doorbell.h"

#include <napi.h>

#include <utility>

#include "writer.h"

namespace sluice::binding {

Doorbell::Doorbell(napi_env env, std::function<void()> answer, std::function<void()> over)
    : env_(env), answer_(std::move(answer)), over_(std::move(over)) {}

std::unique_ptr<Doorbell> Doorbell::hang(napi_env env, const char* label, std::function<void()> answer,
                                         std::function<void()> over) {
  std::unique_ptr<Doorbell> bell(new Doorbell(env, std::move(answer), std::move(over)));
  if (napi_create_threadsafe_function(env, nullptr, nullptr, toText(env, label), 0, 1, nullptr, nullptr, bell.get(),
                                      onRing, &bell->function_) != napi_ok) {
    bell->function_ = nullptr;
    return nullptr;
  }
  // What is added last is called first: before the thread-safe function ends.
  napi_add_env_cleanup_hook(env, onEnvironmentEnd, bell.get());
  return bell;
}

Doorbell::~Doorbell() {
  if (function_ == nullptr) return;
  napi_remove_env_cleanup_hook(env_, onEnvironmentEnd, this);
  napi_release_threadsafe_function(function_, napi_tsfn_abort);
}

std::function<void()> Doorbell::ringer() const {
  return [function = function_] { napi_call_threadsafe_function(function, nullptr, napi_tsfn_nonblocking); };
}

void Doorbell::onRing(napi_env env, napi_value, void* bell, void*) {
  // Without an environment it is over, and so is the bell.
  if (env == nullptr) return;
  const Napi::HandleScope scope(env);
  // The answer may take the bell down.
  const auto answer = static_cast<Doorbell*>(bell)->answer_;
  answer();
}

void Doorbell::onEnvironmentEnd(void* bell) {
  auto& self = *static_cast<Doorbell*>(bell);
  self.function_ = nullptr;
  self.over_();
}

}  // namespace sluice::binding
