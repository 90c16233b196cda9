#include "reader.h"

#include <cmath>

namespace sluice::binding {

std::string Field::path() const {
  std::string path = parent_ == nullptr ? "" : parent_->path();
  if (name_ == nullptr) return path.append("[").append(std::to_string(index_)).append("]");
  if (parent_ != nullptr) path.append(".");
  return path.append(name_);
}

void Field::fail(std::string_view must) const {
  // A getter's or proxy's exception must not stay pending: it is this failure.
  bool pending = false;
  napi_is_exception_pending(reader_.env_, &pending);
  napi_value thrown = nullptr;
  if (pending) napi_get_and_clear_last_exception(reader_.env_, &thrown);
  if (reader_.failed()) return;
  reader_.failure_.append(path()).append(" ").append(must);
}

napi_valuetype Field::type() const {
  napi_valuetype type = napi_undefined;
  if (value_ != nullptr) napi_typeof(reader_.env_, value_, &type);
  return type;
}

napi_value Field::property(const char* name) const {
  if (reader_.failed() || value_ == nullptr) return nullptr;
  const napi_valuetype kind = type();
  if (kind != napi_object) {
    fail("must be an object");
    return nullptr;
  }
  napi_value value = nullptr;
  if (napi_get_named_property(reader_.env_, value_, name, &value) != napi_ok) {
    fail(std::string("has a field that cannot be read: ") + name);
    return nullptr;
  }
  return value;
}

Field Field::operator[](const char* name) const {
  return {reader_, this, name, 0, property(name)};
}

std::optional<Field> Field::find(const char* name) const {
  const Field field = (*this)[name];
  if (field.type() == napi_undefined) return std::nullopt;
  return field;
}

uint32_t Field::length(uint32_t limit) const {
  if (reader_.failed()) return 0;
  bool isArray = false;
  uint32_t length = 0;
  if (napi_is_array(reader_.env_, value_, &isArray) != napi_ok || !isArray ||
      napi_get_array_length(reader_.env_, value_, &length) != napi_ok) {
    fail("must be an array");
    return 0;
  }
  if (length > limit) {
    fail("must have at most " + std::to_string(limit) + " elements");
    return 0;
  }
  return length;
}

Field Field::at(uint32_t index) const {
  napi_value value = nullptr;
  if (!reader_.failed() && napi_get_element(reader_.env_, value_, index, &value) != napi_ok) {
    Field(reader_, this, nullptr, index, nullptr).fail("cannot be read");
    value = nullptr;
  }
  return {reader_, this, nullptr, index, value};
}

std::string Field::text(size_t maxBytes) const {
  if (reader_.failed()) return {};
  size_t bytes = 0;
  if (type() != napi_string || napi_get_value_string_utf8(reader_.env_, value_, nullptr, 0, &bytes) != napi_ok) {
    fail("must be a string");
    return {};
  }
  if (bytes > maxBytes) {
    fail("must be at most " + std::to_string(maxBytes) + " bytes of UTF-8");
    return {};
  }
  std::string text(bytes, '\0');
  napi_get_value_string_utf8(reader_.env_, value_, text.data(), bytes + 1, &bytes);
  return text;
}

int64_t Field::integer(int64_t least, int64_t most) const {
  if (reader_.failed()) return least;
  double number = 0;
  const bool isNumber = type() == napi_number && napi_get_value_double(reader_.env_, value_, &number) == napi_ok;
  if (!isNumber || std::floor(number) != number || number < static_cast<double>(least) ||
      number > static_cast<double>(most)) {
    fail("must be an integer from " + std::to_string(least) + " to " + std::to_string(most));
    return least;
  }
  return static_cast<int64_t>(number);
}

bool Field::boolean() const {
  if (reader_.failed()) return false;
  bool value = false;
  if (type() != napi_boolean || napi_get_value_bool(reader_.env_, value_, &value) != napi_ok) {
    fail("must be true or false");
  }
  return value;
}

std::pair<uint8_t*, size_t> Field::bytes() const {
  if (reader_.failed()) return {};
  bool isTyped = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_is_typedarray(reader_.env_, value_, &isTyped) != napi_ok || !isTyped ||
      napi_get_typedarray_info(reader_.env_, value_, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    fail("must be a Uint8Array");
    return {};
  }
  return {static_cast<uint8_t*>(data), data == nullptr ? 0 : length};
}

}  // namespace sluice::binding
