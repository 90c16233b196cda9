// An ICE-lite agent under any order of checks: right and forged, from many addresses, through restarts and time.
#include <string>
#include <vector>

#include "core/ice/lite_agent.h"
#include "input.h"

using namespace sluice;
using fuzz::require;

namespace {

IceCredentials credentialsOf(unsigned generation) {
  return {"frag" + std::to_string(generation), "password of generation " + std::to_string(generation)};
}

Address addressOf(uint8_t n) {
  Address a;
  a.family = n % 2 == 0 ? 4 : 6;
  a.ip[0] = 10;
  a.ip[3] = static_cast<uint8_t>(n / 2 % 16);
  a.port = static_cast<uint16_t>(1'000 + n / 32);
  return a;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  ice::LiteAgent agent({.consentTimeoutUs = 15 * kSecondUs});
  unsigned newest = 1;
  agent.setLocalCredentials(std::vector{credentialsOf(1)});
  TimeUs now = 1;
  std::vector<uint8_t> question(wire::kMaxStunBytes);
  std::vector<uint8_t> answer(wire::kMaxStunBytes);

  while (!in.empty()) {
    const uint8_t op = in.u8();
    if (op % 16 == 0) {
      ++newest;
      agent.setLocalCredentials(std::vector{credentialsOf(newest), credentialsOf(newest - 1)});
      continue;
    }
    if (op % 16 == 1) {
      now += in.u16() * kMillisecondUs;
      continue;
    }
    const Address from = addressOf(in.u8());
    const uint8_t flags = in.u8();
    const unsigned generation = newest - flags % 4 % newest;
    const bool forged = (flags & 8) != 0;
    const IceCredentials to = credentialsOf(generation);
    wire::BindingRequest r;
    r.transaction[0] = op;
    const std::string username = to.usernameFragment + ":x";
    r.username = username;
    r.priority = in.u8();
    r.useCandidate = (flags & 16) != 0;
    r.controlling = (flags & 96) != 96;
    question.resize(wire::kMaxStunBytes);
    question.resize(wire::writeBindingRequest(question, r, wire::stunKey(forged ? "guess" : to.password)));
    const auto message = wire::StunMessage::parse(question);
    require(message.has_value(), "a written request parses");

    const Address before = agent.selected();
    const TimeUs deadlineBefore = agent.nextDeadline();
    const bool landedBefore = agent.landed();
    const ice::CheckOutcome o = agent.handle(*message, from, now, answer);
    const bool valid = !forged && generation + 1 >= newest;
    require((o.verdict == ice::CheckVerdict::kAccepted) == (valid && r.controlling),
            "accepted: authentic and in its role");
    require(o.answerBytes <= question.size(), "no answer is larger than its question");
    require(valid || o.answerBytes == 0, "who does not know the password hears nothing");
    require(o.tupleChanged == (agent.selected() != before), "a changed tuple is reported");
    if (o.verdict != ice::CheckVerdict::kAccepted) {
      require(agent.selected() == before && agent.nextDeadline() == deadlineBefore, "a refused check changes nothing");
      continue;
    }
    require(o.landed == !landedBefore, "lands once");
    require(agent.knows(from), "an accepted check makes its address known");
    require(agent.knows(agent.selected()), "the selected address is a known one");
    require(agent.nextDeadline() == now + 15 * kSecondUs, "a check renews consent");
    require(!o.evicted || (!agent.knows(*o.evicted) && *o.evicted != agent.selected()), "an evicted address is gone");
    size_t count = 0;
    agent.forEachRemote([&](const Address&) { ++count; });
    require(count <= ice::LiteAgent::kMaxRemotes, "addresses are bounded");
  }
  return 0;
}
