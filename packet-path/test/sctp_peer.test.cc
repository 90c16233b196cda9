// One association against packets written by hand: what other implementations send, and what none should.
#include <doctest/doctest.h>

#include "sctp_scripted.h"

using namespace sluice;
using namespace sluice::sctp;
using namespace sluice::sctp::test;

TEST_CASE("sctp peer: INIT with what Firefox adds is accepted, and only what asks for it is reported back") {
  Scripted peer;
  // ECN capable, ASCONF and others as extensions, random, chunk list, HMAC list (RFC 4895), zero checksum (RFC 9653),
  // and one that nobody knows, with both upper bits set.
  const std::vector<uint8_t> parameters = {0x80, 0,   0, 4, 0xC0, 0,    0, 4, 0x80, 8,    0, 9, 192,  130, 193, 0x80,
                                           0,    0,   0, 0, 0x80, 2,    0, 8, 1,    2,    3, 4, 0x80, 3,   0,   6,
                                           192,  193, 0, 0, 0x80, 4,    0, 6, 0,    1,    0, 0, 0x80, 1,   0,   8,
                                           0,    0,   0, 1, 0xFF, 0xEE, 0, 6, 0xAB, 0xCD, 0, 0};
  peer.sayTo(0, Scripted::init(parameters));
  const auto ack = peer.reply(2);
  REQUIRE_FALSE(ack.empty());
  CHECK(readU32(&ack[4]) == kOurTag);
  CHECK(readU32(&ack[16]) == kOurTsn);
  bool reported = false;
  ParameterReader reader(Bytes(ack).subspan(20));
  while (const auto p = reader.next()) {
    if (p->type != 8) continue;
    reported = true;
    CHECK(p->value.size() == 8);
    CHECK(readU16(&p->value[0]) == 0xFFEE);
  }
  CHECK(reported);
  CHECK(peer.us.timesEstablished == 0);
  CHECK(peer.us.association->nextDeadline() == kNever);  // the cookie holds all there is
  peer.say(chunk(10, 0, peer.cookieOfReply()));
  CHECK(peer.us.timesEstablished == 1);
  CHECK_FALSE(peer.reply(11).empty());
}

TEST_CASE("sctp peer: INIT that is impossible is refused or ignored") {
  Scripted peer;
  peer.sayTo(0, Scripted::init({}, 0));
  CHECK(peer.replies.empty());
  peer.sayTo(0, Scripted::init({}), Scripted::init({}));
  CHECK(peer.replies.empty());
  peer.sayTo(kOurTag, Scripted::init({}));  // tag must be zero
  CHECK(peer.replies.empty());
  peer.sayTo(0, chunk(1, 0, words({kPeerTag, 100'000, 0, kPeerTsn})));  // no streams
  CHECK_FALSE(peer.reply(6).empty());
  CHECK(peer.us.timesClosed == 0);
}

TEST_CASE("sctp peer: a cookie that is forged, cut or too old sets nothing up") {
  Scripted peer;
  peer.sayTo(0, Scripted::init({}));
  auto cookie = peer.cookieOfReply();
  auto forged = cookie;
  forged[30] ^= 1;
  peer.say(chunk(10, 0, forged));
  peer.say(chunk(10, 0, {cookie.begin(), cookie.end() - 1}));
  peer.sayTo(kOurTag + 1, chunk(10, 0, cookie));
  CHECK(peer.us.timesEstablished == 0);
  peer.now += 61 * kSecondUs;
  peer.say(chunk(10, 0, cookie));
  CHECK(peer.us.timesEstablished == 0);
  const auto error = peer.reply(9);
  REQUIRE(error.size() >= 12);
  CHECK(readU16(&error[4]) == 3);  // stale cookie
}

TEST_CASE("sctp peer: data behind COOKIE ECHO in the same packet is taken") {
  Scripted peer;
  peer.sayTo(0, Scripted::init({}));
  peer.say(chunk(10, 0, peer.cookieOfReply()), peer.openChunk(kPeerTsn, 0, "early"),
           Scripted::data(kPeerTsn + 1, 0, 1, 51, {'h', 'i'}));
  CHECK(peer.us.opened[0].label == "early");
  REQUIRE(peer.us.messages.size() == 1);
  CHECK(peer.us.messages[0].bytes == "hi");
}

TEST_CASE("sctp peer: a refused cookie begins the handshake anew") {
  Scripted peer;
  peer.us.association->start(peer.now, peer.us);
  peer.say(chunk(2, 0, words({kPeerTag, 100'000, 0x0400'0400, kPeerTsn}) + parameter(7, {1, 2, 3, 4})));
  const auto echo = peer.reply(10);
  REQUIRE(echo.size() == 8);
  peer.replies.clear();
  peer.say(chunk(9, 0, {0, 3, 0, 8, 0, 0, 0, 9}));
  CHECK_FALSE(peer.reply(1).empty());
}

TEST_CASE("sctp peer: unknown chunks are skipped, reported or end the packet, as their upper bits say") {
  Scripted peer;
  peer.establish();
  const Chunk beat = chunk(4, 0, {0, 1, 0, 8, 9, 9, 9, 9});
  const auto beaten = [&](uint8_t type) {
    peer.replies.clear();
    peer.say(chunk(type, 0, {1, 2, 3, 4}), beat);
    return !peer.reply(5).empty();
  };
  CHECK_FALSE(beaten(0x3E));
  CHECK(peer.reply(9).empty());
  CHECK_FALSE(beaten(0x7E));
  CHECK_FALSE(peer.reply(9).empty());
  CHECK(beaten(0xBE));
  CHECK(peer.reply(9).empty());
  CHECK(beaten(0xFE));
  CHECK_FALSE(peer.reply(9).empty());
  CHECK(peer.us.association->counters().droppedUnknownChunk == 4);
}

TEST_CASE("sctp peer: HEARTBEAT comes back with its own bytes") {
  Scripted peer;
  peer.establish();
  peer.say(chunk(4, 0, {0, 1, 0, 9, 1, 2, 3, 4, 5}));
  const auto ack = peer.reply(5);
  REQUIRE(ack.size() == 13);
  CHECK(ack[12] == 5);
}

TEST_CASE("sctp peer: another association's packets change nothing") {
  Scripted peer;
  peer.establish();
  peer.sayTo(kOurTag + 1, chunk(6, 0, {}));
  peer.sayTo(kOurTag, chunk(6, 1, {}));  // reflected, but not the peer's tag
  peer.sayTo(0, chunk(6, 1, {}));
  peer.sayTo(kPeerTag, peer.openChunk(kPeerTsn, 0));
  CHECK(peer.us.timesClosed == 0);
  CHECK(peer.us.opened.empty());
  CHECK(peer.us.association->counters().droppedTag == 4);
  peer.sayTo(kPeerTag, chunk(6, 1, {}));
  CHECK(peer.us.closeReason == CloseReason::kAbortedByPeer);
}

TEST_CASE("sctp peer: DATA without user data, and a SACK of what was never sent, end the association") {
  {
    Scripted peer;
    peer.establish();
    peer.say(Scripted::data(kPeerTsn, 0, 0, 51, {}));
    CHECK(peer.us.closeReason == CloseReason::kProtocolViolation);
    CHECK_FALSE(peer.reply(6).empty());
  }
  Scripted peer;
  peer.establish();
  peer.say(chunk(3, 0, words({kOurTsn + 5, 100'000, 0})));
  CHECK(peer.us.closeReason == CloseReason::kProtocolViolation);
}

TEST_CASE("sctp peer: SACK at every second packet, at once for a gap, else after 100 ms") {
  Scripted peer;
  peer.establish();
  peer.say(peer.openChunk(kPeerTsn, 1));
  CHECK_FALSE(peer.reply(3).empty());                   // goes along with our DCEP ACK
  peer.say(chunk(3, 0, words({kOurTsn, 100'000, 0})));  // of that ACK
  peer.replies.clear();
  peer.say(Scripted::data(kPeerTsn + 1, 1, 1, 51, {'a'}));
  CHECK(peer.replies.empty());
  peer.say(chunk(3, 0, words({kOurTsn, 100'000, 0})));
  CHECK(peer.replies.empty());
  peer.say(Scripted::data(kPeerTsn + 2, 1, 2, 51, {'b'}));
  CHECK_FALSE(peer.reply(3).empty());
  peer.replies.clear();
  peer.say(Scripted::data(kPeerTsn + 3, 1, 3, 51, {'c'}));
  CHECK(peer.replies.empty());
  peer.wait(100 * kMillisecondUs);
  CHECK_FALSE(peer.reply(3).empty());
  peer.replies.clear();
  peer.say(Scripted::data(kPeerTsn + 5, 1, 5, 51, {'e'}));
  auto sack = peer.reply(3);
  REQUIRE(sack.size() == 20);
  CHECK(readU32(&sack[4]) == kPeerTsn + 3);
  CHECK(readU16(&sack[16]) == 2);
  CHECK(readU16(&sack[18]) == 2);
  peer.replies.clear();
  peer.say(Scripted::data(kPeerTsn + 5, 1, 5, 51, {'e'}));
  sack = peer.reply(3);
  REQUIRE(sack.size() == 24);
  CHECK(readU32(&sack[20]) == kPeerTsn + 5);  // told as a duplicate
  peer.replies.clear();
  peer.say(Scripted::data(kPeerTsn + 4, 1, 4, 51, {'d'}));
  sack = peer.reply(3);
  REQUIRE(sack.size() == 16);
  CHECK(readU32(&sack[4]) == kPeerTsn + 5);
  peer.replies.clear();
  peer.say(Scripted::data(kPeerTsn + 6, 1, 6, 51, {'f'}, 0x0B));  // asks for it
  CHECK_FALSE(peer.reply(3).empty());
  CHECK(peer.us.messages.size() == 6);
  CHECK(peer.us.messages[4].bytes == "e");
}

TEST_CASE("sctp peer: fragments in any order make the message, and FORWARD-TSN frees what waited") {
  Scripted peer;
  peer.establish();
  peer.say(peer.openChunk(kPeerTsn, 1));
  peer.say(Scripted::data(kPeerTsn + 3, 1, 1, 51, {'c'}, 1));
  peer.say(Scripted::data(kPeerTsn + 1, 1, 1, 51, {'a'}, 2));
  peer.say(Scripted::data(kPeerTsn + 4, 1, 2, 51, {'d'}));
  CHECK(peer.us.messages.empty());
  peer.say(Scripted::data(kPeerTsn + 2, 1, 1, 51, {'b'}, 0));
  REQUIRE(peer.us.messages.size() == 2);
  CHECK(peer.us.messages[0].bytes == "abc");
  CHECK(peer.us.messages[1].bytes == "d");

  peer.say(Scripted::data(kPeerTsn + 6, 1, 3, 51, {'e'}, 0));  // begins at + 5, which will not come
  peer.say(Scripted::data(kPeerTsn + 8, 1, 4, 51, {'f'}));
  CHECK(peer.us.messages.size() == 2);
  peer.say(chunk(192, 0, words({kPeerTsn + 7, 0x0001'0003})));
  REQUIRE(peer.us.messages.size() == 3);
  CHECK(peer.us.messages[2].bytes == "f");
  // A late part of what was skipped is a duplicate; the stream goes on.
  peer.say(Scripted::data(kPeerTsn + 5, 1, 3, 51, {'x'}, 2));
  peer.say(Scripted::data(kPeerTsn + 9, 1, 5, 51, {'g'}));
  CHECK(peer.us.messages.size() == 4);
}

TEST_CASE("sctp peer: parts of a message whose beginning was skipped are orphans, not somebody else's") {
  Scripted peer;
  peer.establish();
  peer.say(peer.openChunk(kPeerTsn, 1));
  peer.say(chunk(192, 0, words({kPeerTsn + 1})));
  peer.say(Scripted::data(kPeerTsn + 3, 1, 1, 51, {'z'}, 5));  // end of an unordered message: + 2 is its middle
  peer.say(Scripted::data(kPeerTsn + 2, 1, 1, 51, {'y'}, 4));
  peer.say(Scripted::data(kPeerTsn + 4, 1, 1, 51, {'o', 'k'}));
  REQUIRE(peer.us.messages.size() == 1);
  CHECK(peer.us.messages[0].bytes == "ok");
  CHECK(peer.us.association->counters().droppedOrphan == 1);
}

TEST_CASE("sctp peer: a message longer than we said we take ends the association") {
  AssociationConfig config;
  config.maxReceivedMessageBytes = 3'000;
  Scripted peer(config);
  peer.establish();
  peer.say(peer.openChunk(kPeerTsn, 1));
  const std::vector<uint8_t> kilo(1'000);
  peer.say(Scripted::data(kPeerTsn + 1, 1, 1, 53, kilo, 2));
  peer.say(Scripted::data(kPeerTsn + 2, 1, 1, 53, kilo, 0));
  peer.say(Scripted::data(kPeerTsn + 3, 1, 1, 53, kilo, 0));
  CHECK(peer.us.timesClosed == 0);
  peer.say(Scripted::data(kPeerTsn + 4, 1, 1, 53, {0}, 1));
  CHECK(peer.us.closeReason == CloseReason::kProtocolViolation);
}

TEST_CASE("sctp peer: what it makes us hold is bounded, whatever it sends") {
  Scripted peer;
  peer.establish();
  uint32_t tsn = kPeerTsn;
  // Ordered messages with a number missing, though no TSN is: none can ever be delivered.
  for (int i = 0; i < 20'000 && peer.us.timesClosed == 0; ++i) {
    peer.say(Scripted::data(tsn++, 1, static_cast<uint16_t>(1 + i), 53, std::vector<uint8_t>(1'000)));
  }
  CHECK(peer.us.closeReason == CloseReason::kProtocolViolation);

  Scripted other;
  other.establish();
  // The same behind a gap: refused once the window is full, and the association lives.
  for (uint32_t i = 0; i < 3'000; ++i) {
    other.say(Scripted::data(kPeerTsn + 1 + i, 1, static_cast<uint16_t>(1 + i), 53, std::vector<uint8_t>(1'000)));
  }
  CHECK(other.us.timesClosed == 0);
  CHECK(other.us.association->counters().droppedWindow > 1'500);
}

TEST_CASE("sctp peer: streams beyond the bound get no state, channels beyond it are refused by a reset") {
  AssociationConfig config;
  config.maxChannels = 10;
  Scripted peer(config);
  peer.establish();
  for (uint16_t i = 0; i < 12; ++i) {
    peer.say(peer.openChunk(kPeerTsn + i, static_cast<uint16_t>(2 * i)));
    peer.say(chunk(3, 0, words({kOurTsn + std::min<uint32_t>(i, 9), 100'000, 0})));
  }
  CHECK(peer.us.opened.size() == 10);
  CHECK(peer.us.association->counters().droppedStreamState == 2);

  Scripted another(config);
  another.establish();
  for (StreamId i = 0; i < 10; ++i) {
    ChannelSpec spec = reliable();
    spec.negotiatedStream = static_cast<StreamId>(100 + i);
    another.us.association->open(spec, another.now, another.us);
  }
  another.say(another.openChunk(kPeerTsn, 4));
  const auto request = another.reply(130);
  REQUIRE(request.size() == 4 + 16 + 2);
  CHECK(readU16(&request[4]) == 13);
  CHECK(readU16(&request[20]) == 4);
}

TEST_CASE("sctp peer: a reset ahead of its data is in progress, and performed when asked again under either number") {
  for (const uint32_t again : {0U, 1U}) {
    CAPTURE(again);
    Scripted peer;
    peer.establish();
    peer.say(peer.openChunk(kPeerTsn, 4));
    peer.say(chunk(3, 0, words({kOurTsn, 100'000, 0})));
    peer.replies.clear();
    peer.say(Scripted::resetRequest(kPeerTsn, kPeerTsn + 1, {0, 4}));
    CHECK(peer.resetResult(kPeerTsn) == 6);
    CHECK(peer.us.closedChannels.empty());
    peer.say(Scripted::data(kPeerTsn + 1, 4, 1, 51, {'x'}));
    CHECK(peer.us.messages.size() == 1);
    peer.replies.clear();
    peer.say(Scripted::resetRequest(kPeerTsn + again, kPeerTsn + 1, {0, 4}));
    CHECK(peer.resetResult(kPeerTsn + again) == 1);
    // Our own stream follows.
    const auto packet = peer.replies;
    peer.replies.clear();
    peer.say(Scripted::resetRequest(kPeerTsn + again, kPeerTsn + 1, {0, 4}));
    CHECK(peer.resetResult(kPeerTsn + again) == 1);  // the same answer to the same question
    CHECK(peer.us.closedChannels.empty());
    peer.say(chunk(130, 0, parameter(16, words({kOurTsn, 1}))));
    CHECK(peer.us.closedChannels == std::vector<StreamId>{4});
    CHECK(peer.us.association->nextDeadline() == peer.now + 100 * kMillisecondUs);  // only the delayed SACK is left
  }
}

TEST_CASE("sctp peer: our reset that is in progress over there is asked again, and done when the answer comes") {
  Scripted peer;
  peer.establish();
  peer.say(peer.openChunk(kPeerTsn, 4));
  peer.say(chunk(3, 0, words({kOurTsn, 100'000, 0})));
  peer.us.association->close(4, peer.now, peer.us);
  auto request = peer.reply(130);
  REQUIRE_FALSE(request.empty());
  CHECK(readU32(&request[8]) == kOurTsn);
  CHECK(readU32(&request[16]) == kOurTsn);  // last TSN: the DCEP ACK's
  peer.say(chunk(130, 0, parameter(16, words({kOurTsn, 6}))));
  peer.replies.clear();
  peer.wait(2 * kSecondUs);
  request = peer.reply(130);
  REQUIRE_FALSE(request.empty());
  CHECK(readU32(&request[8]) == kOurTsn);
  // Response and the peer's own request in one chunk, as dcSCTP sends them.
  peer.say(chunk(
      130, 0, parameter(16, words({kOurTsn, 1})) + parameter(13, words({kPeerTsn, kOurTsn, kPeerTsn}) + kStreamFour)));
  CHECK(peer.us.closedChannels == std::vector<StreamId>{4});
}

TEST_CASE("sctp peer: an OPEN before the answer to our reset closes the old channel and opens the new one") {
  Scripted peer;
  peer.establish();
  peer.say(peer.openChunk(kPeerTsn, 4, "old"));
  peer.say(chunk(3, 0, words({kOurTsn, 100'000, 0})));
  peer.say(Scripted::resetRequest(kPeerTsn, kPeerTsn, {0, 4}));
  CHECK(peer.us.closedChannels.empty());
  peer.say(peer.openChunk(kPeerTsn + 1, 4, "new"));
  CHECK(peer.us.closedChannels == std::vector<StreamId>{4});
  CHECK(peer.us.opened[4].label == "new");
  peer.say(chunk(130, 0, parameter(16, words({kOurTsn, 1}))));
  CHECK(peer.us.closedChannels.size() == 1);
  CHECK(peer.us.opened.size() == 1);
}

TEST_CASE(
    "sctp peer: asked for more streams, it is given them; asked to reset ours, it is told that there is nothing to "
    "do") {
  Scripted peer;
  peer.establish();
  peer.say(chunk(130, 0, parameter(17, words({kPeerTsn, 256u << 16}))));
  CHECK(peer.resetResult(kPeerTsn) == 1);
  peer.say(chunk(130, 0, parameter(14, words({kPeerTsn + 1}) + kStreamFour)));
  CHECK(peer.resetResult(kPeerTsn + 1) == 0);
  peer.say(chunk(130, 0, parameter(15, words({kPeerTsn + 2}))));
  CHECK(peer.resetResult(kPeerTsn + 2) == 2);
  peer.say(chunk(130, 0, parameter(15, words({kPeerTsn + 9}))));
  CHECK(peer.resetResult(kPeerTsn + 9) == 5);
}

TEST_CASE("sctp peer: without stream reset, closing is local; without FORWARD-TSN, nothing is given up") {
  Scripted peer;
  peer.establish({});
  const auto id = peer.us.association->open(lossy(), peer.now, peer.us);
  REQUIRE(id == 1);
  peer.say(chunk(3, 0, words({kOurTsn, 100'000, 0})));
  peer.say(Scripted::data(kPeerTsn, 1, 0, 50, {2}));
  CHECK(peer.us.opened.size() == 1);
  CHECK(peer.us.association->send({1, MessageKind::kBinary, bytesOf("x")}, peer.now, peer.us) == SendResult::kOk);
  peer.replies.clear();
  peer.wait(2 * kSecondUs);
  CHECK_FALSE(peer.reply(0).empty());
  CHECK(peer.reply(192).empty());
  peer.us.association->close(1, peer.now, peer.us);
  CHECK(peer.us.closedChannels.empty());
  peer.say(chunk(3, 0, words({kOurTsn + 1, 100'000, 0})));
  CHECK(peer.us.closedChannels == std::vector<StreamId>{1});
  CHECK(peer.reply(130).empty());
}

TEST_CASE("sctp peer: channels on streams it does not take are closed when that is known") {
  Scripted peer;
  ChannelSpec spec = reliable();
  spec.negotiatedStream = 1'024;  // the scripted peer takes 1024 streams, up to 1023
  REQUIRE(peer.us.association->open(spec, peer.now, peer.us).has_value());
  spec.negotiatedStream = 1'023;
  REQUIRE(peer.us.association->open(spec, peer.now, peer.us).has_value());
  peer.establish();
  CHECK(peer.us.closedChannels == std::vector<StreamId>{1'024});
  CHECK(peer.us.opened.size() == 1);
  spec.negotiatedStream = 1'024;
  CHECK_FALSE(peer.us.association->open(spec, peer.now, peer.us).has_value());
}

TEST_CASE("sctp peer: a peer that throws away what it had reported is sent it again") {
  Scripted peer;
  peer.establish();
  ChannelSpec spec = reliable();
  spec.negotiatedStream = 0;
  peer.us.association->open(spec, peer.now, peer.us);
  for (int i = 0; i < 2; ++i) {
    CHECK(peer.us.association->send({0, MessageKind::kBinary, bytesOf("x")}, peer.now, peer.us) == SendResult::kOk);
  }
  peer.say(chunk(3, 0, words({kOurTsn - 1, 100'000, 0x0001'0000, 0x0002'0002})));  // the second one arrived
  peer.say(chunk(3, 0, words({kOurTsn, 100'000, 0})));                             // the first too, the second is gone
  peer.replies.clear();
  for (int i = 0; i < 3 && peer.reply(0).empty(); ++i) peer.wait(3 * kSecondUs);
  const auto data = peer.reply(0);
  REQUIRE_FALSE(data.empty());
  CHECK(readU32(&data[4]) == kOurTsn + 1);
}

TEST_CASE("sctp peer: data on a stream without a channel, and unknown payload protocols, are dropped and counted") {
  Scripted peer;
  peer.establish();
  peer.say(Scripted::data(kPeerTsn, 3, 0, 51, {'x'}));
  CHECK(peer.us.association->counters().droppedNoChannel == 1);
  peer.say(peer.openChunk(kPeerTsn + 1, 3, "late", 1));
  CHECK(peer.us.opened.size() == 1);
  peer.say(Scripted::data(kPeerTsn + 2, 3, 2, 99, {'x'}));
  CHECK(peer.us.association->counters().droppedPayloadProtocol == 1);
  peer.say(Scripted::data(kPeerTsn + 3, 3, 3, 56, {0}));
  REQUIRE(peer.us.messages.size() == 1);
  CHECK(peer.us.messages[0] == Received{3, MessageKind::kString, ""});
}

TEST_CASE("sctp peer: unordered data that overtakes the ACK opens the channel") {
  Scripted peer;
  peer.establish();
  REQUIRE(peer.us.association->open(lossy(), peer.now, peer.us) == 1);
  peer.say(Scripted::data(kPeerTsn + 1, 1, 0, 53, {'x'}, 7));
  CHECK(peer.us.opened.size() == 1);
  CHECK(peer.us.messages.size() == 1);
  peer.say(Scripted::data(kPeerTsn, 1, 0, 50, {2}));
  CHECK(peer.us.opened.size() == 1);
  CHECK(peer.us.association->counters().droppedChannelControl == 0);
}
