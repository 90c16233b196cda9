// Makes JavaScript values of what the packet path tells.
#pragma once

#include <node_api.h>

#include <concepts>
#include <string>
#include <string_view>

#include "../core/events.h"
#include "../core/snapshot.h"
#include "../io/manual_engine.h"
#include "../io/outbox.h"
#include "names.h"

namespace sluice::binding {

[[nodiscard]] napi_value toText(napi_env env, std::string_view text);
[[nodiscard]] napi_value toBytes(napi_env env, Bytes bytes);
[[nodiscard]] napi_value toUndefined(napi_env env);
/// An Error with a `code`, as errors of this package have.
[[nodiscard]] napi_value toError(napi_env env, const char* code, std::string_view message);
void throwError(napi_env env, const char* code, std::string_view message);

/// One object under construction.
class ObjectWriter {
 public:
  explicit ObjectWriter(napi_env env) : env_(env) { napi_create_object(env, &object_); }

  ObjectWriter& set(const char* name, napi_value value) {
    napi_set_named_property(env_, object_, name, value);
    return *this;
  }
  ObjectWriter& set(const char* name, std::string_view text) { return set(name, toText(env_, text)); }
  ObjectWriter& set(const char* name, const char* text) { return set(name, std::string_view(text)); }
  ObjectWriter& set(const char* name, bool value) {
    napi_value boolean = nullptr;
    napi_get_boolean(env_, value, &boolean);
    return set(name, boolean);
  }
  /// Counters stay far below 2^53, where JavaScript's numbers end being exact.
  template <typename Number>
  requires std::integral<Number> || std::floating_point<Number> ObjectWriter& set(const char* name, Number value) {
    napi_value number = nullptr;
    napi_create_double(env_, static_cast<double>(value), &number);
    return set(name, number);
  }
  [[nodiscard]] napi_value value() const { return object_; }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
};

class ArrayWriter {
 public:
  explicit ArrayWriter(napi_env env) : env_(env) { napi_create_array(env, &array_); }
  void push(napi_value value) { napi_set_element(env_, array_, length_++, value); }
  [[nodiscard]] napi_value value() const { return array_; }
  [[nodiscard]] uint32_t length() const { return length_; }

 private:
  napi_env env_;
  napi_value array_ = nullptr;
  uint32_t length_ = 0;
};

/// Null for an event about something that its owner has already dropped, unless it tells of that very end.
[[nodiscard]] napi_value toEvent(napi_env env, const Event& event, const Names& names);
[[nodiscard]] napi_value toSession(napi_env env, const SessionSnapshot& session, const Names& names);
[[nodiscard]] napi_value toShard(napi_env env, const io::ShardReport& report);

}  // namespace sluice::binding
