// Reads JavaScript values that nobody vouches for: anything may be anything, and reading it may run code or throw.
// The first thing that is not as it should be is kept as one sentence that names the field; after it every read gives
// an empty value, so that callers read on without asking after each field and ask once at the end.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::binding {

class Reader;

/// A value and the way that led to it. Lives on the stack, inside the one it was read from.
class Field {
 public:
  [[nodiscard]] Field operator[](const char* name) const;
  /// Like `[]`; empty when the field is absent or undefined.
  [[nodiscard]] std::optional<Field> find(const char* name) const;
  /// Of an array, at most `limit`; 0 when it is none.
  [[nodiscard]] uint32_t length(uint32_t limit) const;
  [[nodiscard]] Field at(uint32_t index) const;

  [[nodiscard]] std::string text(size_t maxBytes) const;
  /// A number without fraction; JavaScript's are exact up to 2^53 - 1.
  [[nodiscard]] int64_t integer(int64_t least, int64_t most) const;
  template <typename T>
  [[nodiscard]] T integerAs(int64_t least, int64_t most) const {
    return static_cast<T>(integer(least, most));
  }
  [[nodiscard]] bool boolean() const;
  /// A Uint8Array's memory, or an empty view. Valid until JavaScript runs again.
  [[nodiscard]] std::pair<uint8_t*, size_t> bytes() const;
  [[nodiscard]] napi_value value() const { return value_; }

  /// One of `names`; the enumerator that stands at the same place in `values`.
  template <typename T, size_t N>
  [[nodiscard]] T choice(const std::pair<std::string_view, T> (&names)[N]) const {
    const std::string name = text(64);
    for (const auto& [known, value] : names) {
      if (known == name) return value;
    }
    std::string all;
    for (const auto& [known, value] : names) all.append(all.empty() ? "must be one of " : ", ").append(known);
    fail(all);
    return names[0].second;
  }

  void fail(std::string_view must) const;

 private:
  friend class Reader;
  Field(Reader& reader, const Field* parent, const char* name, uint32_t index, napi_value value)
      : reader_(reader), parent_(parent), name_(name), index_(index), value_(value) {}
  [[nodiscard]] napi_value property(const char* name) const;
  [[nodiscard]] napi_valuetype type() const;
  [[nodiscard]] std::string path() const;

  Reader& reader_;
  const Field* parent_;
  const char* name_;  ///< null: an array's element, at `index_`
  uint32_t index_;
  napi_value value_;  ///< null after a failure
};

class Reader {
 public:
  explicit Reader(napi_env env) : env_(env) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] Field root(const char* name, napi_value value) { return {*this, nullptr, name, 0, value}; }
  [[nodiscard]] bool failed() const { return !failure_.empty(); }
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] napi_env env() const { return env_; }

 private:
  friend class Field;
  napi_env env_;
  std::string failure_;
};

}  // namespace sluice::binding
