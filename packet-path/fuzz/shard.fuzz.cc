// Two whole shards with two connected clients, fed anything: from strangers, from the clients' own addresses, and
// sealed with the clients' own keys; while specs change, sessions come and go, and time passes.
#define DOCTEST_CONFIG_DISABLE
#include "fuzz/input.h"
#include "test/world.cc"

using namespace sluice;
using namespace sluice::test;

namespace {

struct Run {
  explicit Run(fuzz::Input& in) : input(in), world(2) {
    world.random.seed(input.u8());
    const uint8_t spread = input.u8();
    world.shardOf = [spread](const Address& a) { return (spread >> (a.port % 8) & 1U); };
    for (uint64_t i = 0; i < 2; ++i) {
      SessionSpec s = sessionSpec(i + 1);
      s.incoming = {videoIn(10 + i, static_cast<Ssrc>(100 + i), static_cast<Ssrc>(200 + i)),
                    audioIn(20 + i, static_cast<Ssrc>(300 + i))};
      s.outgoing = {videoOut(11 - i, 1, 2), audioOut(21 - i, 3)};
      addData(s, 1);
      clients.push_back(&world.add(s));
      clients.back()->address.port = static_cast<uint16_t>(5'000 + i);
      clients.back()->keepPackets = false;
      clients.back()->connect();
    }
    world.run(kSecondUs);
  }

  Client& client() { return *clients[input.u8() % clients.size()]; }

  void sealedRtp() {
    Client& c = client();
    if (!c.peer || !c.peer->connected()) return;
    Rtp r;
    const uint8_t flags = input.u8();
    r.payloadType = std::array<uint8_t, 4>{96, 97, 111, 5}[flags % 4];
    r.marker = (flags & 4) != 0;
    r.ssrc = std::array<Ssrc, 8>{100, 101, 200, 201, 300, 301, 7, 8}[flags >> 3 & 7];
    seq = static_cast<uint16_t>(seq + input.u8() % 8);
    r.seq = seq;
    r.timestamp = seq * 1'000U;
    if ((flags & 64) != 0) r.extensions.emplace_back(1 + input.u8() % 14, Datagram(1 + input.u8() % 16, input.u8()));
    const Bytes payload = input.bytes(input.u8() % 32);
    r.payload.assign(payload.begin(), payload.end());
    c.send(r);
  }
  void sealedRtcp() {
    Client& c = client();
    if (!c.peer || !c.peer->connected()) return;
    const Bytes raw = input.bytes(input.u8() % 64);
    Datagram compound{0x80, 201, 0, 1, 0, 0, 0, 1};
    compound.insert(compound.end(), raw.begin(), raw.end());
    c.peer->sendRtcp(compound);
  }
  void nack() {
    Client& c = client();
    if (!c.peer || !c.peer->connected()) return;
    const uint16_t first = input.u16();
    c.sendRtcp([first](wire::RtcpWriter& w) {
      std::array<uint16_t, 40> seqs{};
      for (size_t i = 0; i < seqs.size(); ++i) seqs[i] = static_cast<uint16_t>(first + i);
      w.nack(1, 1, seqs);
      w.pli(1, 1);
    });
  }
  void data() {
    Client& c = client();
    const std::string label = input.u8() % 2 == 0 ? "_reliable" : "_lossy";
    if (!c.peer || !c.channels.contains(label)) return;
    (void)c.sendData(label, input.bytes(input.u8()));
  }
  void raw() {
    const uint8_t who = input.u8();
    const Address from = who % 3 == 2 ? addressOf(who, who) : clients[who % 2]->address;
    const Bytes bytes = input.bytes(input.u8());
    world.inject(from, {Datagram(bytes.begin(), bytes.end())});
  }
  void spec() {
    Client& c = client();
    const uint8_t what = input.u8();
    switch (what % 6) {
      case 0:
        if (!c.spec.outgoing.empty()) c.spec.outgoing.pop_back();
        break;
      case 1:
        c.spec.outgoing.push_back(videoOut(10 + input.u8() % 3, input.u8(), input.u8()));
        break;
      case 2:
        if (!c.spec.incoming.empty()) c.spec.incoming.pop_back();
        break;
      case 3:
        for (OutgoingTrackSpec& o : c.spec.outgoing) o.paused = !o.paused;
        break;
      case 4:
        if (c.spec.data) c.spec.data->receive = !c.spec.data->receive;
        break;
      case 5:
        c.spec.extensions.set(static_cast<wire::ExtensionKind>(1 + input.u8() % 15), input.u8());
        break;
    }
    world.update(c);
  }

  fuzz::Input& input;
  World world;
  std::vector<Client*> clients;
  uint16_t seq = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  Run run(input);
  while (!input.empty()) {
    switch (input.u8() % 16) {
      case 0:
        run.world.run(input.u16() * TimeUs{100});
        break;
      case 1:
        run.raw();
        break;
      case 2:
        run.sealedRtcp();
        break;
      case 3:
        run.nack();
        break;
      case 4:
        run.data();
        break;
      case 5:
        run.spec();
        break;
      case 6:
        if (input.u8() % 8 == 0)
          run.client().moveTo(addressOf(input.u8(), static_cast<uint16_t>(5'000 + input.u8() % 8)));
        break;
      case 7:
        run.world.mailboxLimit = input.u8() % 4 == 0 ? 0 : 1'000;
        run.world.refuseBursts = input.u8() % 8 == 0;
        break;
      case 8:
        if (input.u8() % 16 == 0) run.world.drop(run.client().spec.session);
        break;
      case 9:
        run.world.settle();
        break;
      default:
        run.sealedRtp();
    }
  }
  run.world.mailboxLimit = 1'000;
  run.world.run(2 * kSecondUs);
  return 0;
}
