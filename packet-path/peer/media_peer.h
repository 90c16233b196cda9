// A peer with media: what arrives goes to its sinks, what its sources make goes out. Everything else is its owner's.
#pragma once

#include <optional>

#include "media.h"
#include "peer.h"

namespace sluice::peer {

class MediaPeer final : private PeerSink, private MediaOut {
 public:
  /// `context` and `owner` outlive it. Without media (see `apply`) the owner hears of packets, as a plain peer's does.
  MediaPeer(PeerConfig config, const dtls::Context& context, Media::Options media, PeerSink& owner)
      : owner_(owner), options_(media), peer_(std::move(config), context, *this) {}

  void start(TimeUs nowUs);
  void receive(Bytes datagram, const Address& from, TimeUs nowUs);
  void apply(const MediaSpec& spec, TimeUs nowUs);
  void setTarget(uint64_t bitsPerSecond);
  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);
  /// Empty without media.
  [[nodiscard]] std::optional<MediaReport> report(TimeUs nowUs);

  /// For everything that media does not change.
  [[nodiscard]] Peer& peer() { return peer_; }
  [[nodiscard]] const Peer& peer() const { return peer_; }

 private:
  // PeerSink
  [[nodiscard]] DatagramSink& datagrams() override { return owner_.datagrams(); }
  void random(MutableBytes out) override { owner_.random(out); }
  void connected(bool media) override;
  void rtp(Bytes packet) override;
  void rtcp(Bytes compound) override;
  void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) override {
    owner_.channelOpened(stream, spec);
  }
  void channelClosed(sctp::StreamId stream) override { owner_.channelClosed(stream); }
  void message(const sctp::Message& message) override { owner_.message(message); }
  void writable() override { owner_.writable(); }
  void ended(EndReason reason) override;

  // MediaOut
  void sendRtp(std::span<const Bytes> packets) override { peer_.sendRtp(packets); }
  void sendRtcp(Bytes compound) override { peer_.sendRtcp(compound); }

  PeerSink& owner_;
  Media::Options options_;
  std::optional<Media> media_;
  TimeUs nowUs_ = 0;  // of the call under way
  bool connected_ = false;
  bool ended_ = false;
  Peer peer_;  // last: it speaks to the sink above
};

}  // namespace sluice::peer
