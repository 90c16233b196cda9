// One client of a swarm: a peer with its media, its socket, and the network before it.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "../core/deadlines.h"
#include "../io/socket.h"
#include "outbox.h"
#include "swarm.h"

namespace sluice::swarm {

/// What the clients of one thread share.
struct ThreadContext {
  ThreadContext(const dtls::Context& itsDtls, Outbox& itsOutbox) : dtls(itsDtls), outbox(itsOutbox) {}
  const dtls::Context& dtls;
  Outbox& outbox;
  std::vector<uint8_t> slab = std::vector<uint8_t>(DatagramSink::kMaxBurstBytes);
  io::SendPatience patience;
  io::IoCounters counters;
};

class Client final : public Sleeper, private peer::PeerSink, private DatagramSink {
 public:
  Client(ClientId id, const ClientConfig& config, std::unique_ptr<io::Socket> socket, uint64_t seed,
         ThreadContext& thread);

  void start(TimeUs nowUs) {
    at(nowUs);
    peer_.start(nowUs);
  }
  /// Before anything is asked of its peer.
  void at(TimeUs nowUs) { nowUs_ = std::max(nowUs_, nowUs); }
  /// A datagram that the kernel had at `nowUs`.
  void receive(Bytes datagram, const Address& from, TimeUs nowUs);
  void onDeadline(TimeUs nowUs);
  [[nodiscard]] TimeUs nextDeadline() const;

  [[nodiscard]] peer::MediaPeer& peer() { return peer_; }
  [[nodiscard]] io::Socket& socket() { return *socket_; }
  [[nodiscard]] ClientReport report(TimeUs nowUs);

 private:
  struct Flight {
    TimeUs atUs = 0;
    Address address;
    std::vector<uint8_t> bytes;
  };

  // PeerSink
  [[nodiscard]] DatagramSink& datagrams() override { return *this; }
  void random(MutableBytes out) override;
  void connected(bool media) override { tell(peer::Connected{media}); }
  void rtp(Bytes packet) override { tell(peer::RtpArrived{{packet.begin(), packet.end()}}); }
  void rtcp(Bytes compound) override { tell(peer::RtcpArrived{{compound.begin(), compound.end()}}); }
  void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) override {
    tell(peer::ChannelOpened{stream, spec});
  }
  void channelClosed(sctp::StreamId stream) override { tell(peer::ChannelClosed{stream}); }
  void message(const sctp::Message& m) override {
    tell(peer::MessageArrived{m.stream, m.kind, {m.bytes.begin(), m.bytes.end()}});
  }
  void writable() override { tell(peer::Writable{}); }
  void ended(peer::EndReason reason) override { tell(peer::Ended{reason}); }

  // DatagramSink
  [[nodiscard]] MutableBytes reserve(size_t bytes) override {
    return bytes <= thread_.slab.size() ? MutableBytes{thread_.slab.data(), bytes} : MutableBytes{};
  }
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override;

  void tell(peer::PeerEvent&& what) { thread_.outbox.put(id_, std::move(what)); }
  void send(const Address& to, MutableBytes burst, size_t segmentBytes);

  ClientId id_;
  ThreadContext& thread_;
  std::unique_ptr<io::Socket> socket_;
  peer::Impairment up_;
  peer::Impairment down_;
  // Each in order of arrival: an impairment never makes one datagram overtake another.
  std::deque<Flight> upward_;
  std::deque<Flight> downward_;
  uint64_t impaired_ = 0;
  TimeUs nowUs_ = 0;      // never goes back, whatever the kernel's timestamps say
  peer::MediaPeer peer_;  // last: it may speak to the sink when it goes
};

}  // namespace sluice::swarm
