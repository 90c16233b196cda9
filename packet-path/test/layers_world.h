// A publisher of layered video, a bad network, and subscribers whose receivers know what everything truly depends on.
// Deterministic: everything follows from the seed.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/forward/layer_selector.h"
#include "core/forward/layers.h"
#include "core/sender_clock.h"
#include "svc_encoder.h"

namespace sluice::test {

/// How a video is made and told.
struct VideoSetup {
  Codec codec = Codec::kVp8;
  std::vector<SvcMode> encodings{{SvcKind::kL, 1, 1}};
  bool described = false;  ///< with dependency descriptors
  bool flexible = true;    ///< VP9
  bool shortPictureIds = false;
  int packetsPerFrame = 4;  ///< at most
  std::string name;
  bool newStructures = false;  ///< every other key frame brings another structure
};

struct NetworkSetup {
  double loss = 0;     ///< of packets from the publisher
  double forever = 0;  ///< of the lost, those that no retransmission brings
  double reordered = 0;
  TimeUs repairUs = 60 * kMillisecondUs;
};

/// One packet as it was made, and what it truly is.
struct MadePacket {
  std::vector<uint8_t> payload;
  std::vector<uint8_t> descriptor;
  Ssrc ssrc = 0;
  SeqNo seq = 0;
  uint32_t timestamp = 0;
  bool marker = false;
  uint8_t encoding = 0;
  size_t frame = 0;  ///< of World::frames
  int index = 0;     ///< in its frame
  bool lostForever = false;
};

struct MadeFrame {
  uint8_t encoding = 0;
  uint8_t spatial = 0;
  uint8_t temporal = 0;
  bool startsSequence = false;
  std::vector<size_t> references;  ///< of World::frames
  int packets = 0;
  TimeUs capturedAtUs = 0;
  wire::TargetIndications targets;
  bool lostForever = false;  ///< one of its packets is
};

/// What a subscriber's receiver got under one number.
struct ReceivedPacket {
  std::optional<size_t> made;  ///< of World::packets; none: an empty packet
  uint32_t timestamp = 0;
  bool marker = false;
  std::vector<uint8_t> payload;
  std::vector<uint8_t> descriptor;
};

class LayersWorld;

class LayersSubscriber {
 public:
  explicit LayersSubscriber(uint64_t random) : first(static_cast<SeqNo>(random & 0x7FFF)), selector(random, first) {}

  SeqNo first;
  forward::LayerSelector selector;
  std::map<SeqNo, ReceivedPacket> received;
  std::set<size_t> refused;  ///< packets left out on purpose
  std::set<size_t> cut;      ///< frames of which packets came when their source had been left
  /// The layer that flowed when a packet of a frame was sent, and when.
  struct Seen {
    TimeUs atUs;
    forward::Layer layer;
  };
  std::vector<Seen> seen;
};

class LayersWorld {
 public:
  static constexpr TimeUs kFrameUs = 33'333;

  LayersWorld(VideoSetup v, NetworkSetup n, uint64_t seed);
  LayersSubscriber& subscribe();
  /// Pictures are made for so long, then the network empties.
  void run(
      TimeUs forUs, const std::function<void()>& everyPicture = [] {});
  void drain();

  /// Claims that hold for every subscriber at the end, whatever happened.
  void checkAll();
  void check(LayersSubscriber& s);

  VideoSetup video;
  NetworkSetup network;
  std::mt19937_64 random;
  TimeUs nowUs = 10 * kSecondUs;
  forward::Layers layers;
  std::vector<SenderClock> clocks;
  bool reports = true;        ///< the publisher sends sender reports
  std::vector<bool> paused;   ///< encodings that are not sent
  uint8_t spatialLayers = 8;  ///< how many a scalable encoder makes
  TimeUs keyFrameDelayUs = 40 * kMillisecondUs;
  std::vector<MadePacket> packets;
  std::vector<MadeFrame> frames;
  std::vector<std::unique_ptr<LayersSubscriber>> subscribers;
  std::vector<int> keyFramesMade;  ///< by encoding

  [[nodiscard]] bool lossless() const { return network.loss == 0 || network.forever == 0; }

 private:
  struct Encoding {
    std::unique_ptr<SvcEncoder> svc;
    Ssrc ssrc = 0;
    SeqNo nextSeq = 0;
    uint32_t timestampOffset = 0;
    std::map<int64_t, size_t> frameOf;  // number → frames
    int64_t picture = 0;                // picture id
    uint8_t tl0 = 0;
    TimeUs keyAtUs = 0;  // a key frame is due then
    // VP8: the newest frame of each temporal layer
    std::array<int64_t, 4> newest{-1, -1, -1, -1};
    int64_t vp8Number = 0;
    int phase = 0;
  };
  struct Arrival {
    size_t packet;
    bool repaired;
  };

  void makePictures();
  void makeVp8(size_t e, bool key);
  void makeSvc(size_t e, bool key);
  void emit(size_t e, MadeFrame frame, const std::function<std::vector<uint8_t>(bool first, bool last)>& front,
            const SvcFrame* svc, bool lastOfPicture);
  void transmit(size_t packet);
  void arrive(const Arrival& a);
  void offer(LayersSubscriber& s, const PacketRef& p, const forward::FrameInfo& info, bool late);
  void deliver(LayersSubscriber& s, const PacketRef& p, const forward::Rewritten& out);
  void nack(LayersSubscriber& s);
  void wantKeyFrames();
  [[nodiscard]] std::vector<uint8_t> vp9Front(const Encoding& e, const SvcFrame& f, bool first, bool last) const;

  struct WholeFrame {
    size_t frame;
    SeqNo firstSeq;
    SeqNo lastSeq;
  };
  std::vector<WholeFrame> wholeFrames(LayersSubscriber& s);
  void checkDecodable(LayersSubscriber& s, const std::vector<WholeFrame>& whole);
  void checkFound(const LayersSubscriber& s, const WholeFrame& w, const std::set<size_t>& found);
  void checkMarkersAndTime(LayersSubscriber& s);
  void checkDescriptors(LayersSubscriber& s, const std::vector<WholeFrame>& whole);
  void checkVp8(LayersSubscriber& s, const std::vector<WholeFrame>& whole);
  void checkVp9(LayersSubscriber& s, const std::vector<WholeFrame>& whole);

  std::vector<Encoding> encodings_;
  TimeUs lastSentAtUs_ = 0;
  std::multimap<TimeUs, Arrival> flying_;
  PacketPool pool_{1 << 20};
  std::map<std::pair<Ssrc, SeqNo>, PacketRef> history_;
  std::map<std::pair<Ssrc, SeqNo>, size_t> madeBy_;
  std::map<Ssrc, SeqNo> newest_;
};

}  // namespace sluice::test
