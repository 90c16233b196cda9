#include "core/data/splice.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <random>
#include <string>

#include "core/data/held_messages.h"
#include "core/data/labels.h"

using namespace sluice;
using namespace sluice::data;

namespace {

const Sender kSender{"PA_true", "alice"};

// Messages are written by hand: a field is its tag, and for texts and messages its length.
std::string varint(uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<char>(v | 0x80));
  out.push_back(static_cast<char>(v));
  return out;
}
std::string text(uint32_t field, const std::string& value) {
  return varint(uint64_t{field} << 3 | 2) + varint(value.size()) + value;
}
std::string number(uint32_t field, uint64_t value) {
  return varint(uint64_t{field} << 3) + varint(value);
}

Bytes bytes(const std::string& s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}
std::string str(const std::vector<uint8_t>& b) {
  return {b.begin(), b.end()};
}

std::string spliced(const std::string& packet, bool reliable = true, Sender sender = kSender) {
  const auto out = splice(bytes(packet), sender, reliable);
  REQUIRE(out);
  return str(out->bytes);
}

}  // namespace

TEST_CASE("data: the sender's fields are ours, whatever the sender wrote") {
  const std::string chat = text(9, "hello");
  CHECK(spliced(chat) == chat + text(4, "alice") + text(17, "PA_true"));
  CHECK(spliced(text(17, "PA_lie") + chat + text(4, "bob")) == chat + text(4, "alice") + text(17, "PA_true"));
}

TEST_CASE("data: kind says what the channel was") {
  const std::string chat = text(9, "hello");
  const std::string sender = text(4, "alice") + text(17, "PA_true");
  CHECK(spliced(number(1, 1) + chat, true) == chat + sender);
  CHECK(spliced(number(1, 0) + chat, false) == number(1, 1) + chat + sender);
}

TEST_CASE("data: the old fields inside a user packet are ours too, and its payload is untouched") {
  const std::string payload = text(2, std::string(300, 'x')) + text(4, "topic");
  const std::string before = text(2, text(1, "PA_lie") + payload + text(5, "bob"));
  const std::string after = text(2, payload + text(1, "PA_true") + text(5, "alice"));
  CHECK(spliced(before) == after + text(4, "alice") + text(17, "PA_true"));
}

TEST_CASE("data: a hidden participant's messages name nobody") {
  const std::string user = text(2, text(2, "payload"));
  CHECK(spliced(text(4, "ghost") + user, true, {}) == user);
}

TEST_CASE("data: fields that nobody knows survive, in place") {
  std::string unknown = number(99, 1'234'567'890'123) + text(1'000, "later");
  unknown += varint(77 << 3 | 5) + "abcd";
  unknown += varint(78 << 3 | 1) + "abcdefgh";
  CHECK(spliced(unknown) == unknown + text(4, "alice") + text(17, "PA_true"));
}

TEST_CASE("data: destinations and sequence are read, and kept") {
  const std::string packet =
      text(5, "bob") + number(16, 4'000'000'000) + text(5, "carol") + text(2, text(3, "PA_dave") + text(6, "erin"));
  const auto out = splice(bytes(packet), kSender, true);
  REQUIRE(out);
  CHECK(out->sequence == 4'000'000'000);
  CHECK(out->destinations == std::vector<std::string>{"bob", "carol", "PA_dave", "erin"});
  CHECK(str(out->bytes).find(number(16, 4'000'000'000)) != std::string::npos);
}

TEST_CASE("data: what is not a protobuf message is refused") {
  for (const std::string& bad :
       {std::string("\x0A"), std::string("\x0A\x05") + "abc", std::string("\x80\x80"), std::string("\x03"),
        varint(0) + "x", std::string(11, '\xFF'), text(2, "\x0A\x7F"), number(2, 5), number(5, 5),
        number(16, uint64_t{1} << 32), varint(16 << 3 | 2) + varint(1) + "x", std::string("\x09") + "short"}) {
    CHECK_FALSE(splice(bytes(bad), kSender, true));
  }
  CHECK(splice({}, kSender, true));
}

TEST_CASE("data: any message that is taken can be spliced again, with the same outcome") {
  std::mt19937 random(4);
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string packet;
    for (size_t i = 0, n = random() % 5; i < n; ++i) {
      const auto field = static_cast<uint32_t>(1 + random() % 18);
      if (random() % 2 == 0) {
        packet += number(field, random() >> random() % 32);
      } else {
        packet += text(field, random() % 3 == 0 ? text(static_cast<uint32_t>(1 + random() % 7), "abc")
                                                : std::string(random() % 20, 'q'));
      }
    }
    if (random() % 4 == 0 && !packet.empty()) packet[random() % packet.size()] ^= static_cast<char>(1 << random() % 8);
    const auto once = splice(bytes(packet), kSender, random() % 2 == 0);
    if (!once) continue;
    ++taken;
    const auto twice = splice(once->bytes, kSender, true);
    REQUIRE(twice);
    const auto thrice = splice(twice->bytes, kSender, true);
    REQUIRE(thrice);
    CHECK(thrice->bytes == twice->bytes);
    CHECK(twice->destinations == once->destinations);
    CHECK(twice->sequence == once->sequence);
  }
  CHECK(taken > 5'000);
}

TEST_CASE("data: labels say how a message travels") {
  CHECK(channelUse("_reliable") == ChannelUse::kReliable);
  CHECK(channelUse("_lossy") == ChannelUse::kLossy);
  CHECK(channelUse("_data_track") == ChannelUse::kDataTrack);
  CHECK(channelUse("chat") == ChannelUse::kOther);
}

TEST_CASE("held messages: first in, first out, within their bounds and their time") {
  HeldMessages held;
  const auto message = [](size_t size) {
    auto m = std::make_shared<DataMessage>();
    m->bytes.resize(size);
    return m;
  };
  CHECK(held.nextDeadline() == kNever);
  const auto first = message(10);
  CHECK(held.hold(first, 100));
  CHECK(held.hold(message(20), 200));
  CHECK(held.front() == first);
  CHECK(held.nextDeadline() == 100 + HeldMessages::kMaxWaitUs);
  CHECK(held.expire(100 + HeldMessages::kMaxWaitUs) == 1);
  CHECK(held.front()->bytes.size() == 20);
  held.pop();
  CHECK(held.empty());
  CHECK(held.hold(message(HeldMessages::kMaxBytes), 0));
  CHECK_FALSE(held.hold(message(1), 0));
  held.pop();
  for (size_t i = 0; i < HeldMessages::kMaxMessages; ++i) CHECK(held.hold(message(1), 0));
  CHECK_FALSE(held.hold(message(1), 0));
}
