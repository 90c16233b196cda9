// How threads of ours reach JavaScript's: they ring, and it answers soon, once or more for whatever has gathered.
#pragma once

#include <node_api.h>

#include <functional>
#include <memory>

namespace sluice::binding {

class Doorbell {
 public:
  /// Both are called on JavaScript's thread: `answer` after a ring; `over` instead, once, when the environment ends,
  /// after which nobody may ring. Null when the system has nothing left for it.
  [[nodiscard]] static std::unique_ptr<Doorbell> hang(napi_env env, const char* label, std::function<void()> answer,
                                                      std::function<void()> over);
  /// On JavaScript's thread, when nobody can ring any more.
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  /// From any thread; does not block.
  [[nodiscard]] std::function<void()> ringer() const;

 private:
  Doorbell(napi_env env, std::function<void()> answer, std::function<void()> over);
  static void onRing(napi_env env, napi_value, void* bell, void*);
  static void onEnvironmentEnd(void* bell);

  napi_env env_;
  std::function<void()> answer_;
  std::function<void()> over_;
  napi_threadsafe_function function_ = nullptr;  ///< null: the environment has ended
};

}  // namespace sluice::binding
