// One association against a peer that says anything, with the right tag and checksum, in any order, through time.
#include <array>
#include <vector>

#include "core/sctp/association.h"
#include "core/sctp/chunks.h"
#include "core/sctp/crc32c.h"
#include "input.h"

using namespace sluice;
using namespace sluice::sctp;
using fuzz::require;

namespace {

constexpr uint32_t kOurTag = 0x01010101;
constexpr uint32_t kPeerTag = 0x02020202;
constexpr uint32_t kFirstTsn = 0;

class World : public Sink {
 public:
  explicit World(bool established) : association_(config(), seed()) {
    if (!established) return;
    const std::vector<uint8_t> init = {1, 0, 0, 32, 2,    2, 2, 2, 0,    1, 0, 0, 4,   0,   4, 0,
                                       0, 0, 0, 0,  0xC0, 0, 0, 4, 0x80, 8, 0, 6, 192, 130, 0, 0};
    receive(init, 0);
    ChunkReader chunks(parsePacket(last_)->chunks);
    const auto ack = chunks.next();
    ParameterReader parameters(ack->value.subspan(16));
    while (const auto parameter = parameters.next()) {
      if (parameter->type != static_cast<uint16_t>(ParameterType::kStateCookie)) continue;
      std::vector<uint8_t> echo = {10, 0, 0, static_cast<uint8_t>(4 + parameter->value.size())};
      echo.insert(echo.end(), parameter->value.begin(), parameter->value.end());
      receive(echo, kOurTag);
    }
    require(association_.isEstablished(), "the handshake works");
  }

  void receive(Bytes chunks, uint32_t tag) {
    std::vector<uint8_t> packet(kCommonHeaderBytes + chunks.size());
    writeU16(&packet[0], 5'000);
    writeU16(&packet[2], 5'000);
    writeU32(&packet[4], tag);
    std::copy(chunks.begin(), chunks.end(), packet.begin() + kCommonHeaderBytes);
    writeU32(&packet[8], packetChecksum(packet));
    association_.receive(packet, now_, *this);
  }

  void step(fuzz::Input& in) {
    const uint8_t op = in.u8();
    switch (op % 8) {
      case 0:
      case 1:
      case 2:
      case 3: {
        static constexpr std::array<uint32_t, 4> kTags = {kOurTag, kOurTag, 0, kPeerTag};
        receive(in.bytes(in.u16() % 1'400), kTags[op / 8 % 4]);
        break;
      }
      case 4:
        now_ += in.u8() * 20 * kMillisecondUs;
        if (association_.nextDeadline() <= now_) association_.onDeadline(now_, *this);
        break;
      case 5: {
        const StreamId stream = in.u8();
        const std::vector<uint8_t> bytes(in.u16() % 20'000);
        (void)association_.send({stream, MessageKind::kBinary, bytes}, now_, *this);
        break;
      }
      case 6: {
        ChannelSpec spec{.ordered = (op & 8) != 0};
        if ((op & 16) != 0) spec.maxRetransmits = in.u8() % 4;
        if ((op & 32) != 0) spec.negotiatedStream = in.u8();
        (void)association_.open(spec, now_, *this);
        break;
      }
      default:
        rare(op / 8, in);
        break;
    }
    require(ended_ == 0 || association_.nextDeadline() == kNever, "nothing is waited for after the end");
  }

  // Sink
  void packet(Bytes bytes) override {
    require(bytes.size() <= config().maxPacketBytes, "packets fit");
    const auto view = parsePacket(bytes);
    require(view.has_value(), "packets are well-formed");
    ChunkReader reader(view->chunks);
    while (reader.next()) {
    }
    require(!reader.malformed(), "chunks are well-formed");
    last_.assign(bytes.begin(), bytes.end());
  }
  void established() override { require(ended_ == 0, "no event after the end"); }
  void channelOpened(StreamId, const ChannelSpec&) override { require(ended_ == 0, "no event after the end"); }
  void message(const Message& m) override {
    require(ended_ == 0, "no event after the end");
    require(m.bytes.size() <= config().maxReceivedMessageBytes, "messages are bounded");
    if (m.bytes.size() % 7 == 3) (void)association_.send(m, now_, *this);
    if (m.bytes.size() == 11) association_.close(m.stream, now_, *this);
    if (m.bytes.size() == 13) association_.abort(now_, *this);
  }
  void channelClosed(StreamId) override { require(ended_ == 0, "no event after the end"); }
  void writable() override {}
  void closed(CloseReason) override { require(++ended_ == 1, "the end is told once"); }

 private:
  static AssociationConfig config() {
    AssociationConfig c;
    c.receiveWindowBytes = 40'000;
    c.maxReceivedMessageBytes = 20'000;
    c.sendBufferBytes = 100'000;
    c.maxChannels = 20;
    return c;
  }
  static Seed seed() {
    Seed s{};
    writeU32(&s[0], kOurTag);
    writeU32(&s[4], kFirstTsn);
    return s;
  }

  void rare(uint8_t which, fuzz::Input& in) {
    switch (which % 8) {
      case 0:
        association_.start(now_, *this);
        break;
      case 1:
        association_.pauseReceiving(true, now_, *this);
        break;
      case 2:
        association_.pauseReceiving(false, now_, *this);
        break;
      case 3:
        association_.shutdown(now_, *this);
        break;
      case 4:
        if (in.u8() == 0xAB) association_.abort(now_, *this);
        break;
      default:
        association_.close(in.u8(), now_, *this);
        break;
    }
  }

  Association association_;
  TimeUs now_ = kSecondUs;
  std::vector<uint8_t> last_;
  int ended_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  World world(in.u8() % 8 != 0);
  while (!in.empty()) world.step(in);
  return 0;
}
