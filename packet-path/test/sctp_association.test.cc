#include <doctest/doctest.h>

#include "sctp_pair.h"

using namespace sluice;
using namespace sluice::sctp;
using namespace sluice::sctp::test;

TEST_CASE("sctp handshake: one side starting is enough") {
  Pair pair;
  pair.a.association->start(pair.now, pair.a);
  CHECK(pair.runUntil([&] { return pair.b.timesEstablished == 1 && pair.a.timesEstablished == 1; }));
  CHECK(pair.now == kSecondUs + 4 * 5 * kMillisecondUs);  // two round trips
}

TEST_CASE("sctp handshake: both sides starting at once end in one association") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.2, .duplication = 0.1, .jitterUs = 30 * kMillisecondUs}, seed);
    const StreamId id = pair.open(pair.a, reliable());
    pair.establish();
    REQUIRE(pair.send(pair.a, id, "hello") == SendResult::kOk);
    REQUIRE(pair.runUntil([&] { return pair.b.messages.size() == 1; }));
    pair.run(10 * kSecondUs);
    CHECK(pair.a.timesEstablished == 1);
    CHECK(pair.b.timesEstablished == 1);
    CHECK(pair.a.timesClosed + pair.b.timesClosed == 0);
    CHECK(pair.b.messages.size() == 1);
  }
}

TEST_CASE("sctp handshake: gives up after eight unanswered INITs, within half a minute") {
  Pair pair({.loss = 1});
  pair.a.association->start(pair.now, pair.a);
  CHECK(pair.runUntil([&] { return pair.a.timesClosed == 1; }));
  CHECK(pair.a.closeReason == CloseReason::kSetupFailed);
  CHECK(pair.now < 30 * kSecondUs);
  CHECK(pair.packetsOnLink == 9);
  CHECK(pair.a.association->nextDeadline() == kNever);
}

TEST_CASE("sctp handshake: an idle association needs no timer and sends nothing") {
  Pair pair;
  pair.establish();
  pair.run(kSecondUs);
  CHECK(pair.idle());
}

TEST_CASE("sctp memory: an association that nobody uses is small") {
  CHECK(sizeof(Association) < 2'048);  // with two channels and their streams another kilobyte on the heap
}

TEST_CASE("sctp channels: opened in band, both ways, with the parity of their DTLS role") {
  Pair pair;
  pair.establish();
  CHECK(pair.open(pair.a, reliable("one")) == 0);
  CHECK(pair.open(pair.a, lossy(3, "two")) == 2);
  CHECK(pair.open(pair.b, reliable("three")) == 1);
  pair.run(kSecondUs);
  REQUIRE(pair.a.opened.size() == 3);
  REQUIRE(pair.b.opened.size() == 3);
  CHECK(pair.b.opened[0].label == "one");
  CHECK(pair.b.opened[0].ordered);
  CHECK_FALSE(pair.b.opened[0].maxRetransmits.has_value());
  CHECK(pair.b.opened[2].label == "two");
  CHECK_FALSE(pair.b.opened[2].ordered);
  CHECK(pair.b.opened[2].maxRetransmits == 3);
  CHECK(pair.a.opened[1].label == "three");
}

TEST_CASE("sctp channels: opened and used before the association is up") {
  Pair pair;
  const StreamId id = pair.open(pair.a, lossy());
  CHECK(pair.send(pair.a, id, "early") == SendResult::kOk);
  CHECK(pair.a.association->bufferedBytes(id) > 0);
  pair.establish();
  pair.run(kSecondUs);
  REQUIRE(pair.b.messages.size() == 1);
  CHECK(pair.b.messages[0].bytes == "early");
  CHECK(pair.a.association->bufferedBytes(id) == 0);
}

TEST_CASE("sctp channels: negotiated ones need no word on the wire") {
  Pair pair;
  ChannelSpec spec = lossy();
  spec.negotiatedStream = 7;
  CHECK(pair.open(pair.a, spec) == 7);
  CHECK(pair.open(pair.b, spec) == 7);
  CHECK_FALSE(pair.a.association->open(spec, pair.now, pair.a).has_value());
  pair.a.association->start(pair.now, pair.a);
  pair.run(kSecondUs);
  CHECK(pair.a.opened.size() == 1);
  CHECK(pair.b.opened.size() == 1);
  CHECK(pair.b.association->counters().messagesReceived == 0);
  CHECK(pair.send(pair.b, 7, "down") == SendResult::kOk);
  pair.run(kSecondUs);
  REQUIRE(pair.a.messages.size() == 1);
  CHECK(pair.a.messages[0].stream == 7);
}

TEST_CASE("sctp channels: a negotiated channel answers a peer that opens it in band all the same") {
  Pair pair;
  ChannelSpec spec = reliable();
  spec.negotiatedStream = 0;
  pair.open(pair.b, spec);
  CHECK(pair.open(pair.a, reliable()) == 0);
  pair.establish();
  pair.run(kSecondUs);
  CHECK(pair.a.opened.size() == 1);
  CHECK(pair.send(pair.a, 0, "x") == SendResult::kOk);
  pair.run(kSecondUs);
  CHECK(pair.b.messages.size() == 1);
}

TEST_CASE("sctp messages: kinds and emptiness survive, from one byte to 256 KiB") {
  AssociationConfig config;
  config.maxSentMessageBytes = 262'144;
  Pair pair({}, 1, config, config);
  pair.establish();
  const StreamId id = pair.open(pair.a, reliable());
  std::vector<Received> sent;
  for (const size_t size : {0U, 1U, 2U, 3U, 4U, 1119U, 1120U, 1121U, 2240U, 15'000U, 64'000U, 65'536U, 262'144U}) {
    for (const MessageKind kind : {MessageKind::kString, MessageKind::kBinary}) {
      const std::string text = size == 0 ? "" : numbered(size, size).substr(0, size);
      REQUIRE(pair.send(pair.a, id, text, kind) == SendResult::kOk);
      sent.push_back({id, kind, text});
    }
  }
  pair.run(60 * kSecondUs);
  CHECK(pair.b.messages == sent);
  CHECK(pair.a.largestPacket <= 1'150);
  CHECK(pair.a.largestPacket > 1'140);
}

TEST_CASE("sctp send: says why a message was not taken") {
  AssociationConfig config;
  config.sendBufferBytes = 100'000;
  config.maxSentMessageBytes = 50'000;
  Pair pair({}, 1, config);
  pair.establish();
  CHECK(pair.send(pair.a, 0, "x") == SendResult::kNoSuchChannel);
  const StreamId id = pair.open(pair.a, reliable());
  CHECK(pair.send(pair.a, id, std::string(50'001, 'x')) == SendResult::kTooLarge);
  pair.setLink({.loss = 1});
  size_t taken = 0;
  while (pair.send(pair.a, id, std::string(1'000, 'x')) == SendResult::kOk) ++taken;
  CHECK(pair.send(pair.a, id, std::string(1'000, 'x')) == SendResult::kBufferFull);
  CHECK(taken > 80);
  CHECK(taken <= 100);
  CHECK(pair.a.timesWritable == 0);
  pair.setLink({});
  pair.run(60 * kSecondUs);
  CHECK(pair.a.timesWritable == 1);
  CHECK(pair.b.messages.size() == taken);
  CHECK(pair.a.association->bufferedBytes(id) == 0);
}

TEST_CASE("sctp close: what is queued arrives first, then both ends hear of it, and the stream is free again") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.15, .duplication = 0.05, .jitterUs = 20 * kMillisecondUs}, seed);
    pair.establish();
    for (int round = 0; round < 5; ++round) {
      const StreamId id = pair.open(pair.a, reliable("round " + std::to_string(round)));
      REQUIRE(id == 0);
      const std::string label = "round " + std::to_string(round);
      REQUIRE(pair.runUntil([&] { return pair.b.opened.contains(0) && pair.b.opened[0].label == label; }));
      for (size_t i = 0; i < 20; ++i) REQUIRE(pair.send(pair.a, id, numbered(i, 3'000)) == SendResult::kOk);
      pair.a.association->close(id, pair.now, pair.a);
      CHECK(pair.send(pair.a, id, "late") == SendResult::kNoSuchChannel);
      REQUIRE(pair.runUntil(
          [&] { return !pair.a.opened.contains(0) && pair.a.closedChannels.size() == size_t(round) + 1; }));
      CHECK(pair.b.messages.size() == 20 * (size_t(round) + 1));
    }
    REQUIRE(pair.runUntil([&] { return pair.b.closedChannels.size() == 5; }));
    pair.run(20 * kSecondUs);
    CHECK(pair.idle());
    CHECK(pair.a.closedChannels.size() == 5);
  }
}

TEST_CASE("sctp close: both ends at once") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.2}, seed);
    pair.establish();
    for (int i = 0; i < 10; ++i) pair.open(pair.a, reliable());
    REQUIRE(pair.runUntil([&] { return pair.a.opened.size() == 10 && pair.b.opened.size() == 10; }));
    for (StreamId id = 0; id < 20; id += 2) {
      pair.a.association->close(id, pair.now, pair.a);
      pair.b.association->close(id, pair.now, pair.b);
    }
    pair.run(60 * kSecondUs);
    CHECK(pair.a.closedChannels.size() == 10);
    CHECK(pair.b.closedChannels.size() == 10);
    CHECK(pair.idle());
  }
}

TEST_CASE("sctp close: before the association is up, the channel is simply gone") {
  Pair pair;
  const StreamId id = pair.open(pair.a, reliable());
  CHECK(pair.send(pair.a, id, "x") == SendResult::kOk);
  pair.a.association->close(id, pair.now, pair.a);
  CHECK(pair.a.closedChannels.size() == 1);
  pair.establish();
  pair.run(kSecondUs);
  CHECK(pair.b.opened.empty());
  CHECK(pair.open(pair.a, reliable()) == id);
  pair.run(kSecondUs);
  CHECK(pair.b.opened.size() == 1);
}

TEST_CASE("sctp end: an abort reaches the peer, and again when it was lost") {
  Pair pair;
  pair.establish();
  const StreamId id = pair.open(pair.b, reliable());
  pair.run(kSecondUs);
  pair.setLink({.loss = 1});
  pair.a.association->abort(pair.now, pair.a);
  CHECK(pair.a.closeReason == CloseReason::kAborted);
  pair.run(kSecondUs);
  CHECK(pair.b.timesClosed == 0);
  pair.setLink({});
  CHECK(pair.send(pair.b, id, "are you there?") == SendResult::kOk);
  pair.run(kSecondUs);
  CHECK(pair.b.timesClosed == 1);
  CHECK(pair.b.closeReason == CloseReason::kAbortedByPeer);
  CHECK(pair.idle());
}

TEST_CASE("sctp end: a shutdown delivers what is queued, under loss, from either side or both") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.2}, seed);
    pair.establish();
    const StreamId id = pair.open(pair.a, reliable());
    for (size_t i = 0; i < 50; ++i) REQUIRE(pair.send(pair.a, id, numbered(i, 2'000)) == SendResult::kOk);
    pair.a.association->shutdown(pair.now, pair.a);
    if (seed % 2 == 0) pair.b.association->shutdown(pair.now, pair.b);
    CHECK(pair.send(pair.a, id, "late") == SendResult::kNoSuchChannel);
    pair.run(200 * kSecondUs);
    CHECK(pair.b.messages.size() == 50);
    CHECK(pair.a.timesClosed == 1);
    CHECK(pair.b.timesClosed == 1);
    CHECK(pair.a.closeReason == CloseReason::kShutdown);
    CHECK(pair.b.closeReason == CloseReason::kShutdown);
    CHECK(pair.idle());
  }
}

TEST_CASE("sctp end: a silent peer is given up, but not before consent would have expired") {
  Pair pair;
  pair.establish();
  const StreamId id = pair.open(pair.a, reliable());
  pair.run(kSecondUs);
  pair.setLink({.loss = 1});
  const TimeUs since = pair.now;
  CHECK(pair.send(pair.a, id, "x") == SendResult::kOk);
  CHECK(pair.runUntil([&] { return pair.a.timesClosed == 1; }));
  CHECK(pair.a.closeReason == CloseReason::kUnresponsive);
  CHECK(pair.now - since > 15 * kSecondUs);
  CHECK(pair.now - since < 40 * kSecondUs);
}

TEST_CASE("sctp restart: a peer without memory sets up anew; negotiated channels go on, in-band ones are closed") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.1}, seed);
    ChannelSpec negotiated = reliable("kept");
    negotiated.negotiatedStream = 10;
    pair.open(pair.a, negotiated);
    pair.open(pair.b, negotiated);
    pair.establish();
    pair.open(pair.b, reliable("in band"));
    for (size_t i = 0; i < 10; ++i) REQUIRE(pair.send(pair.a, 10, numbered(i, 100)) == SendResult::kOk);
    REQUIRE(pair.runUntil([&] { return pair.b.opened.size() == 2 && pair.b.messages.size() == 10; }));

    pair.restart(pair.a, seedOf(1'000 + seed));
    pair.open(pair.a, negotiated);
    pair.a.association->start(pair.now, pair.a);
    REQUIRE(pair.runUntil([&] { return pair.a.timesEstablished == 2 && pair.b.timesEstablished == 2; }));
    CHECK(pair.b.closedChannels == std::vector<StreamId>{1});
    CHECK(pair.b.opened.size() == 1);
    CHECK(pair.send(pair.a, 10, "from the new one") == SendResult::kOk);
    CHECK(pair.send(pair.b, 10, "to the new one") == SendResult::kOk);
    REQUIRE(pair.runUntil([&] { return pair.b.messages.size() == 11 && pair.a.messages.size() == 1; }));
    CHECK(pair.b.timesClosed == 0);
  }
}

TEST_CASE("sctp sink: may send, open, close and abort from within") {
  Pair pair;
  pair.establish();
  const StreamId id = pair.open(pair.a, reliable());
  pair.b.onMessage = [&](const Received& m) {
    if (m.bytes == "echo") CHECK(pair.send(pair.b, m.stream, "back") == SendResult::kOk);
    if (m.bytes == "open") pair.open(pair.b, reliable("nested"));
    if (m.bytes == "close") pair.b.association->close(m.stream, pair.now, pair.b);
    if (m.bytes == "abort") pair.b.association->abort(pair.now, pair.b);
  };
  for (const char* word : {"echo", "open", "close"}) CHECK(pair.send(pair.a, id, word) == SendResult::kOk);
  pair.run(kSecondUs);
  REQUIRE(pair.a.messages.size() == 1);
  CHECK(pair.a.messages[0].bytes == "back");
  CHECK(pair.a.opened.contains(1));
  CHECK_FALSE(pair.a.opened.contains(id));
  CHECK(pair.send(pair.a, 1, "abort") == SendResult::kOk);
  CHECK(pair.send(pair.a, 1, "lost") == SendResult::kOk);
  pair.run(kSecondUs);
  CHECK(pair.b.closeReason == CloseReason::kAborted);
  CHECK(pair.a.closeReason == CloseReason::kAbortedByPeer);
  CHECK(pair.b.messages.back().bytes == "abort");
}

TEST_CASE("sctp receive: paused, it closes the window; resumed, nothing is lost and the peer goes on at once") {
  Pair pair;
  pair.establish();
  const StreamId id = pair.open(pair.a, reliable());
  pair.run(kSecondUs);
  pair.b.association->pauseReceiving(true, pair.now, pair.b);
  size_t sent = 0;
  while (pair.send(pair.a, id, numbered(sent, 1'000)) == SendResult::kOk) ++sent;
  pair.run(60 * kSecondUs);
  CHECK(pair.b.messages.empty());
  CHECK(pair.a.timesClosed == 0);
  CHECK(pair.a.association->bufferedBytes(id) > 500'000);
  const size_t quiet = pair.packetsOnLink;
  pair.run(60 * kSecondUs);
  CHECK(pair.packetsOnLink - quiet < 100);  // only probes
  pair.b.association->pauseReceiving(false, pair.now, pair.b);
  const TimeUs resumed = pair.now;
  REQUIRE(pair.runUntil([&] { return pair.b.messages.size() == sent; }));
  CHECK(pair.now - resumed < 10 * kSecondUs);
  for (size_t i = 0; i < sent; ++i) REQUIRE(pair.b.messages[i].bytes == numbered(i, 1'000));
}

TEST_CASE("sctp close: what a paused receiver holds is delivered before the channel is closed, not to the next one") {
  Pair pair;
  pair.establish();
  const StreamId id = pair.open(pair.a, reliable("old"));
  pair.run(kSecondUs);
  pair.b.association->pauseReceiving(true, pair.now, pair.b);
  CHECK(pair.send(pair.a, id, "for the old one") == SendResult::kOk);
  pair.a.association->close(id, pair.now, pair.a);
  pair.run(100 * kSecondUs);
  CHECK(pair.a.closedChannels.empty());
  pair.b.association->pauseReceiving(false, pair.now, pair.b);
  REQUIRE(pair.b.messages.size() == 1);
  REQUIRE(pair.runUntil([&] { return pair.a.closedChannels.size() == 1 && pair.b.closedChannels.size() == 1; }));
  CHECK(pair.open(pair.a, reliable("new")) == id);
  pair.run(kSecondUs);
  CHECK(pair.b.opened[id].label == "new");
  CHECK(pair.b.messages.size() == 1);
}
