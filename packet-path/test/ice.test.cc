#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/ice/lite_agent.h"

using namespace sluice;
using namespace sluice::ice;

namespace {

const IceCredentials kFirst{"abcd", "the first password, 22+"};
const IceCredentials kSecond{"efgh", "the second password, 22+"};

Address addressOf(uint8_t last, uint16_t port = 5'000) {
  Address a;
  a.family = 4;
  a.ip[0] = 10;
  a.ip[3] = last;
  a.port = port;
  return a;
}

struct Check {
  IceCredentials to = kFirst;
  uint32_t priority = 1'000;
  bool nominate = false;
  bool controlling = true;
};

/// A client's checks against an agent.
struct Client {
  LiteAgent agent{{.consentTimeoutUs = 15 * kSecondUs}};
  TimeUs now = 1'000'000;
  uint8_t transactions = 0;
  std::vector<uint8_t> answer = std::vector<uint8_t>(wire::kMaxStunBytes);
  std::vector<uint8_t> question = std::vector<uint8_t>(wire::kMaxStunBytes);

  Client() { agent.setLocalCredentials(std::vector{kFirst}); }

  CheckOutcome check(const Address& from, const Check& c = {}) {
    wire::BindingRequest r;
    r.transaction[0] = ++transactions;
    const std::string username = c.to.usernameFragment + ":client";
    r.username = username;
    r.priority = c.priority;
    r.controlling = c.controlling;
    r.useCandidate = c.nominate;
    question.resize(wire::kMaxStunBytes);
    question.resize(wire::writeBindingRequest(question, r, wire::stunKey(c.to.password)));
    return handle(question, from);
  }
  CheckOutcome handle(Bytes bytes, const Address& from) {
    const auto m = wire::StunMessage::parse(bytes);
    REQUIRE(m);
    return agent.handle(*m, from, now, answer);
  }
  std::optional<wire::StunMessage> answered(const CheckOutcome& o) const {
    return wire::StunMessage::parse(Bytes(answer).first(o.answerBytes));
  }
};

}  // namespace

TEST_CASE("ice: a check with the right password lands, is answered and gives a tuple") {
  Client c;
  CHECK(!c.agent.landed());
  CHECK(c.agent.nextDeadline() == kNever);
  const CheckOutcome o = c.check(addressOf(1));
  CHECK(o.verdict == CheckVerdict::kAccepted);
  CHECK(o.landed);
  CHECK(o.remoteAdded);
  CHECK(o.tupleChanged);
  CHECK(c.agent.selected() == addressOf(1));
  const auto answer = c.answered(o);
  REQUIRE(answer);
  CHECK(answer->kind == wire::StunClass::kSuccess);
  CHECK(answer->transaction[0] == c.transactions);
  CHECK(answer->mappedAddress == addressOf(1));
  CHECK(answer->hasIntegrity(wire::stunKey(kFirst.password)));
  const CheckOutcome again = c.check(addressOf(1));
  CHECK(!again.landed);
  CHECK(!again.remoteAdded);
  CHECK(!again.tupleChanged);
}

TEST_CASE("ice: who does not know the password gets no answer and changes nothing") {
  Client c;
  CHECK(c.check(addressOf(1), {.to = {"abcd", "guess"}}).verdict == CheckVerdict::kBadIntegrity);
  CHECK(c.check(addressOf(1), {.to = {"zzzz", kFirst.password}}).verdict == CheckVerdict::kUnknownFragment);
  CHECK(c.check(addressOf(1), {.to = {"", kFirst.password}}).verdict == CheckVerdict::kMalformed);
  CHECK(!c.agent.landed());
  const CheckOutcome o = c.check(addressOf(2));
  CHECK(o.landed);
  const CheckOutcome bad = c.check(addressOf(3), {.to = {"abcd", "guess"}, .nominate = true});
  CHECK(bad.answerBytes == 0);
  CHECK(c.agent.selected() == addressOf(2));
  CHECK(!c.agent.knows(addressOf(3)));
}

TEST_CASE("ice: no answer is larger than its question") {
  Client c;
  const CheckOutcome success = c.check(addressOf(1));
  CHECK(success.answerBytes > 0);
  CHECK(success.answerBytes <= c.question.size());
  const CheckOutcome conflict = c.check(addressOf(1), {.controlling = false});
  CHECK(conflict.answerBytes > 0);
  CHECK(conflict.answerBytes <= c.question.size());
}

TEST_CASE("ice: answers and indications are not for a lite agent") {
  Client c;
  std::vector<uint8_t> out(wire::kMaxStunBytes);
  out.resize(wire::writeBindingSuccess(out, {}, addressOf(1), wire::stunKey(kFirst.password)));
  CHECK(c.handle(out, addressOf(1)).verdict == CheckVerdict::kNotARequest);
  c.check(addressOf(1));
  c.question[1] = 0x11;                          // a binding indication
  CHECK(!wire::StunMessage::parse(c.question));  // its fingerprint no longer fits
}

TEST_CASE("ice: a client that believes to be controlled is told 487") {
  Client c;
  const CheckOutcome o = c.check(addressOf(1), {.controlling = false});
  CHECK(o.verdict == CheckVerdict::kRoleConflict);
  CHECK(!c.agent.landed());
  const auto answer = c.answered(o);
  REQUIRE(answer);
  CHECK(answer->errorCode == 487);
  CHECK(answer->hasIntegrity(wire::stunKey(kFirst.password)));
}

TEST_CASE("ice: an authentic check with an attribute that must be understood is told 420 and which") {
  Client c;
  const std::string username = "abcd:client";
  std::vector<uint8_t> m(20);
  writeU16(m.data(), 0x0001);
  writeU32(m.data() + 4, wire::kStunCookie);
  const auto attribute = [&m](uint16_t type, Bytes value) {
    const size_t at = m.size();
    m.resize(at + 4 + (value.size() + 3) / 4 * 4);
    writeU16(m.data() + at, type);
    writeU16(m.data() + at + 2, static_cast<uint16_t>(value.size()));
    std::copy(value.begin(), value.end(), m.begin() + static_cast<std::ptrdiff_t>(at + 4));
  };
  attribute(0x0006, Bytes(reinterpret_cast<const uint8_t*>(username.data()), username.size()));
  attribute(0x7ABC, {});
  writeU16(m.data() + 2, static_cast<uint16_t>(m.size() + 24 - 20));
  const auto tag = wire::stunKey(kFirst.password).sign(m);
  attribute(0x0008, tag);
  const CheckOutcome o = c.handle(m, addressOf(1));
  CHECK(o.verdict == CheckVerdict::kUnknownAttributes);
  CHECK(!c.agent.landed());
  const auto answer = c.answered(o);
  REQUIRE(answer);
  CHECK(answer->errorCode == 420);
  CHECK(answer->hasIntegrity(wire::stunKey(kFirst.password)));
  const std::vector<uint8_t> named = {0x00, 0x0A, 0x00, 0x02, 0x7A, 0xBC};
  CHECK(std::search(answer->bytes.begin(), answer->bytes.end(), named.begin(), named.end()) != answer->bytes.end());
}

TEST_CASE("ice: the first valid address serves until one is nominated") {
  Client c;
  c.check(addressOf(1), {.priority = 10});
  CHECK(!c.check(addressOf(2), {.priority = 99}).tupleChanged);
  CHECK(c.agent.selected() == addressOf(1));
  CHECK(c.check(addressOf(2), {.priority = 99, .nominate = true}).tupleChanged);
  CHECK(c.agent.selected() == addressOf(2));
  CHECK(!c.check(addressOf(1), {.priority = 10}).tupleChanged);
  CHECK(c.check(addressOf(1), {.priority = 10}).verdict == CheckVerdict::kAccepted);
}

TEST_CASE("ice: of aggressive nominations the highest priority counts, whatever the order") {
  Client c;
  c.check(addressOf(1), {.priority = 50, .nominate = true});
  c.check(addressOf(2), {.priority = 90, .nominate = true});
  c.check(addressOf(3), {.priority = 10, .nominate = true});
  CHECK(c.agent.selected() == addressOf(2));
  c.check(addressOf(2), {.priority = 90, .nominate = true});
  c.check(addressOf(3), {.priority = 10, .nominate = true});
  CHECK(c.agent.selected() == addressOf(2));
}

TEST_CASE("ice: a client that nominates one at a time may go down in priority at once") {
  Client c;
  c.check(addressOf(1), {.priority = 90, .nominate = true});
  c.check(addressOf(1), {.priority = 90, .nominate = false});  // it no longer wants this one
  CHECK(c.check(addressOf(2), {.priority = 10, .nominate = true}).tupleChanged);
}

TEST_CASE("ice: a network that went away is left at the second nomination of another") {
  Client c;
  c.check(addressOf(1), {.priority = 90, .nominate = true});
  CHECK(!c.check(addressOf(2), {.priority = 10, .nominate = true}).tupleChanged);
  CHECK(c.check(addressOf(2), {.priority = 10, .nominate = true}).tupleChanged);
  CHECK(c.agent.selected() == addressOf(2));
}

TEST_CASE("ice: a NAT's new binding is followed at the first authenticated check, nominating or not") {
  for (const bool nominate : {true, false}) {
    Client c;
    c.check(addressOf(1, 1'000), {.priority = 77, .nominate = true});
    c.now += 3 * kSecondUs;
    const CheckOutcome forged =
        c.check(addressOf(1, 2'000), {.to = {"abcd", "guess"}, .priority = 77, .nominate = true});
    CHECK(forged.verdict == CheckVerdict::kBadIntegrity);
    CHECK(c.agent.selected() == addressOf(1, 1'000));
    const CheckOutcome o = c.check(addressOf(1, 2'000), {.priority = 77, .nominate = nominate});
    CHECK(o.tupleChanged);
    CHECK(c.agent.selected() == addressOf(1, 2'000));
  }
}

TEST_CASE("ice: a silent selected address is left for one that only checks") {
  Client c;
  c.check(addressOf(1), {.priority = 90, .nominate = true});
  c.check(addressOf(2), {.priority = 10});
  c.now += 7 * kSecondUs;
  CHECK(!c.check(addressOf(2), {.priority = 10}).tupleChanged);
  c.now += 2 * kSecondUs;
  CHECK(c.check(addressOf(2), {.priority = 10}).tupleChanged);
}

TEST_CASE("ice: through a restart old and new credentials both hold, and the new ones win the tuple") {
  Client c;
  c.check(addressOf(1), {.priority = 90, .nominate = true});
  c.agent.setLocalCredentials(std::vector{kSecond, kFirst});
  CHECK(c.check(addressOf(1), {.priority = 90, .nominate = true}).verdict == CheckVerdict::kAccepted);
  CHECK(c.agent.selected() == addressOf(1));
  const CheckOutcome o = c.check(addressOf(2), {.to = kSecond, .priority = 10});
  CHECK(o.verdict == CheckVerdict::kAccepted);
  CHECK(o.tupleChanged);
  CHECK(!o.landed);
  // A straggler of the old generation, however loud, does not take it back.
  for (int i = 0; i < 4; ++i) c.check(addressOf(1), {.priority = 90, .nominate = true});
  CHECK(c.agent.selected() == addressOf(2));
  c.agent.setLocalCredentials(std::vector{kSecond});
  CHECK(c.check(addressOf(1)).verdict == CheckVerdict::kUnknownFragment);
  CHECK(c.agent.selected() == addressOf(2));
}

TEST_CASE("ice: new credentials alone do not interrupt the old tuple") {
  Client c;
  c.check(addressOf(1), {.nominate = true});
  c.agent.setLocalCredentials(std::vector{kSecond});
  CHECK(c.agent.selected() == addressOf(1));
  CHECK(c.agent.knows(addressOf(1)));
  CHECK(c.agent.nextDeadline() == c.now + 15 * kSecondUs);
}

TEST_CASE("ice: consent runs out when no valid check came for its time, and not before") {
  Client c;
  c.check(addressOf(1));
  for (int i = 0; i < 10; ++i) {
    c.now += 14 * kSecondUs;
    CHECK(!c.agent.consentExpired(c.now));
    c.check(addressOf(1));
  }
  c.now += 14 * kSecondUs;
  c.check(addressOf(1), {.to = {"abcd", "guess"}});
  CHECK(!c.agent.consentExpired(c.now));
  CHECK(c.agent.nextDeadline() == c.now + kSecondUs);
  CHECK(c.agent.consentExpired(c.now + kSecondUs));
}

TEST_CASE("ice: remembers eight addresses, never forgets the selected one, and says whom it forgot") {
  Client c;
  c.check(addressOf(1), {.priority = 90, .nominate = true});
  std::vector<Address> evicted;
  for (uint8_t i = 2; i < 30; ++i) {
    c.now += kMillisecondUs;
    const CheckOutcome o = c.check(addressOf(i), {.priority = 10});
    CHECK(o.remoteAdded);
    if (o.evicted) evicted.push_back(*o.evicted);
  }
  size_t count = 0;
  c.agent.forEachRemote([&](const Address&) { ++count; });
  CHECK(count == LiteAgent::kMaxRemotes);
  CHECK(c.agent.selected() == addressOf(1));
  CHECK(c.agent.knows(addressOf(1)));
  CHECK(c.agent.knows(addressOf(29)));
  CHECK(evicted.size() == 28 - (LiteAgent::kMaxRemotes - 1));
  CHECK(evicted.front() == addressOf(2));
}
