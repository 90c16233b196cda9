// Two associations under any order of operations, over links that lose, repeat and reorder as the input says. Whatever
// happens, reliable messages arrive once and in order, and once the links heal everything comes to rest.
#include <deque>
#include <map>
#include <vector>

#include "core/sctp/association.h"
#include "input.h"

using namespace sluice;
using namespace sluice::sctp;
using fuzz::require;

namespace {

class Side : public Sink {
 public:
  Side(bool client, uint8_t seedByte) : association(config(client), seedOf(seedByte)) {}

  void packet(Bytes bytes) override { onTheWay.emplace_back(bytes.begin(), bytes.end()); }
  void established() override {}
  void channelOpened(StreamId stream, const ChannelSpec& spec) override {
    reliable[stream] = !spec.maxRetransmits && spec.ordered;
    received[stream] = 0;
  }
  void message(const Message& m) override {
    require(m.bytes.size() >= 4, "a message keeps its size");
    const uint32_t number = readU32(m.bytes.data());
    for (const uint8_t b : m.bytes.subspan(4)) require(b == static_cast<uint8_t>(number), "a message keeps its bytes");
    if (reliable[m.stream]) require(number == received[m.stream], "reliable messages arrive once and in order");
    ++received[m.stream];
  }
  void channelClosed(StreamId stream) override {
    sent[stream] = 0;
    reliable.erase(stream);
  }
  void writable() override {}
  void closed(CloseReason) override { over = true; }

  void send(StreamId stream, size_t size, TimeUs now) {
    std::vector<uint8_t> bytes(4 + size, static_cast<uint8_t>(sent[stream]));
    writeU32(bytes.data(), sent[stream]);
    if (association.send({stream, MessageKind::kBinary, bytes}, now, *this) == SendResult::kOk) ++sent[stream];
  }

  Association association;
  std::deque<std::vector<uint8_t>> onTheWay;
  std::map<StreamId, bool> reliable;
  std::map<StreamId, uint32_t> sent;
  std::map<StreamId, uint32_t> received;
  bool over = false;

 private:
  static AssociationConfig config(bool client) {
    AssociationConfig c;
    c.dtlsClient = client;
    c.receiveWindowBytes = 50'000;
    c.sendBufferBytes = 200'000;
    c.maxSentMessageBytes = 40'000;
    c.maxChannels = 20;
    return c;
  }
  static Seed seedOf(uint8_t n) {
    Seed s{};
    s.fill(n);
    if (n % 2 == 0) writeU32(&s[4], UINT32_MAX - n);  // wraps soon
    return s;
  }
};

class World {
 public:
  explicit World(uint8_t seed) : a_(true, seed), b_(false, static_cast<uint8_t>(seed + 101)) {}

  void step(fuzz::Input& in) {
    const uint8_t op = in.u8();
    Side& side = (op & 0x80) != 0 ? a_ : b_;
    Side& other = (op & 0x80) != 0 ? b_ : a_;
    switch (op & 0x0F) {
      case 0:
        side.association.start(now_, side);
        break;
      case 1: {
        ChannelSpec spec{.ordered = (op & 0x10) != 0};
        if ((op & 0x20) != 0) spec.maxRetransmits = (op & 0x40) != 0 ? 0 : 2;
        if (const auto stream = side.association.open(spec, now_, side)) side.sent[*stream] = 0;
        break;
      }
      case 2:
      case 3:
      case 4:
        side.send(in.u8() % 12, in.u16() % 30'000, now_);
        break;
      case 5:
        side.association.close(in.u8() % 12, now_, side);
        break;
      case 6:
        side.association.pauseReceiving((op & 0x10) != 0, now_, side);
        break;
      case 7:
        advance(in.u8() * 10 * kMillisecondUs);
        break;
      case 8:  // lost
        if (!side.onTheWay.empty()) side.onTheWay.pop_front();
        break;
      case 9:  // overtaken
        if (side.onTheWay.size() > 1) {
          side.onTheWay.push_back(std::move(side.onTheWay.front()));
          side.onTheWay.pop_front();
        }
        break;
      case 10:  // twice
        if (!side.onTheWay.empty()) side.onTheWay.push_back(side.onTheWay.front());
        break;
      default:
        for (int i = 0; i < 4; ++i) deliver(side, other);
        break;
    }
  }

  /// The links are whole again: everything that must arrive does.
  void settle() {
    a_.association.start(now_, a_);
    for (Side* side : {&a_, &b_}) side->association.pauseReceiving(false, now_, *side);
    for (int i = 0; i < 200'000 && !atRest(); ++i) {
      deliver(a_, b_);
      deliver(b_, a_);
      if (a_.onTheWay.empty() && b_.onTheWay.empty()) {
        const TimeUs next = std::min(a_.association.nextDeadline(), b_.association.nextDeadline());
        if (next != kNever) advance(std::max<TimeUs>(next - now_, 0));
      }
    }
    if (a_.over || b_.over) return;  // only a link that was dead for long ends an association here
    require(atRest(), "everything comes to rest");
    for (const auto& [from, to] : {std::pair{&a_, &b_}, std::pair{&b_, &a_}}) {
      for (const auto& [stream, reliable] : to->reliable) {
        require(!reliable || !from->reliable.contains(stream) || to->received[stream] == from->sent[stream],
                "every reliable message arrives");
      }
    }
  }

 private:
  bool atRest() const {
    return a_.onTheWay.empty() && b_.onTheWay.empty() && a_.association.nextDeadline() == kNever &&
           b_.association.nextDeadline() == kNever;
  }
  void deliver(Side& from, Side& to) {
    if (from.onTheWay.empty()) return;
    const std::vector<uint8_t> packet = std::move(from.onTheWay.front());
    from.onTheWay.pop_front();
    to.association.receive(packet, now_, to);
  }
  void advance(TimeUs by) {
    now_ += by;
    for (Side* side : {&a_, &b_}) {
      if (side->association.nextDeadline() <= now_) side->association.onDeadline(now_, *side);
    }
  }

  Side a_;
  Side b_;
  TimeUs now_ = kSecondUs;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  World world(in.u8());
  while (!in.empty()) world.step(in);
  world.settle();
  return 0;
}
