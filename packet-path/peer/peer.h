// The client's end of a session, made of the core's own parts: initiating ICE, DTLS in either role, SRTP, SCTP. What
// the simulator, the load tester and the bench call with. Given time and datagrams; gives datagrams, media, messages.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "../core/dtls/endpoint.h"
#include "../core/ports.h"
#include "../core/sctp/association.h"
#include "../core/spec.h"
#include "../core/srtp/srtp.h"
#include "checker.h"

namespace sluice::peer {

enum class EndReason : uint8_t {
  kClosedHere,   ///< close() was called
  kUnreachable,  ///< no check was ever answered
  kConsentLost,  ///< answers stopped
  kDtlsFailed,   ///< handshake or fingerprint
  kDtlsClosed,   ///< close_notify
  kSctpFailed,   ///< association failed or aborted
};

struct PeerConfig {
  Address server;
  CheckerConfig ice;
  bool dtlsClient = true;
  std::vector<Fingerprint> remoteFingerprints;
  /// None: media alone. `dtlsClient` in it is set from the above.
  std::optional<sctp::AssociationConfig> data;
  std::vector<sctp::ChannelSpec> channels;  ///< opened as soon as there is an association
};

/// What a peer needs and where all it makes goes. During a call the sink may use the peer's sending methods and
/// close(), but not receive(), start() or onDeadline(), and must not destroy it. Spans are valid during the call.
class PeerSink {
 public:
  virtual ~PeerSink() = default;
  [[nodiscard]] virtual DatagramSink& datagrams() = 0;
  virtual void random(MutableBytes out) = 0;

  /// ICE and DTLS are done. `media`: SRTP keys are in place.
  virtual void connected(bool media) = 0;
  /// Opened packets.
  virtual void rtp(Bytes packet) = 0;
  virtual void rtcp(Bytes compound) = 0;
  virtual void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) = 0;
  virtual void channelClosed(sctp::StreamId stream) = 0;
  virtual void message(const sctp::Message& message) = 0;
  /// A message was refused for want of room, and now there is some.
  virtual void writable() = 0;
  /// Told once; nothing follows.
  virtual void ended(EndReason reason) = 0;
};

/// Grows only.
struct PeerCounters {
  uint64_t rtpSent = 0;
  uint64_t rtpReceived = 0;
  uint64_t rtcpSent = 0;
  uint64_t rtcpReceived = 0;
  uint64_t bytesSent = 0;      ///< UDP payload
  uint64_t bytesReceived = 0;  ///< UDP payload
  uint64_t droppedReplayed = 0;
  uint64_t droppedUnauthentic = 0;
  uint64_t droppedMalformed = 0;  ///< of no known kind, or not readable
  uint64_t droppedEarly = 0;      ///< media before keys, either way
  uint64_t droppedTooLarge = 0;   ///< handed over for sending, fits no datagram
};

class Peer final : private dtls::EndpointSink, private sctp::Sink {
 public:
  /// `context` and `sink` outlive the peer.
  Peer(PeerConfig config, const dtls::Context& context, PeerSink& sink);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void start(TimeUs nowUs);
  void receive(Bytes datagram, const Address& from, TimeUs nowUs);

  /// New credentials, and perhaps another machine (RFC 8445 §9). DTLS goes on.
  void restart(const IceCredentials& local, const IceCredentials& remote, const Address& server, TimeUs nowUs);

  /// Whole RTP packets; sealed, and sent as one burst where they are of one size. Numbers of an SSRC may jump by less
  /// than 2^15, and one number must not be used for two contents.
  void sendRtp(std::span<const Bytes> packets);
  void sendRtp(Bytes packet) { sendRtp(std::span(&packet, 1)); }
  void sendRtcp(Bytes compound);

  [[nodiscard]] sctp::SendResult send(const sctp::Message& message, TimeUs nowUs);
  std::optional<sctp::StreamId> openChannel(const sctp::ChannelSpec& spec, TimeUs nowUs);
  void closeChannel(sctp::StreamId stream, TimeUs nowUs);
  [[nodiscard]] size_t bufferedBytes(sctp::StreamId stream) const;

  /// As a browser does: a close_notify, then nothing. To vanish without a word, destroy the peer.
  void close();

  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);

  [[nodiscard]] bool connected() const { return endpoint_.connected(); }
  [[nodiscard]] const PeerCounters& counters() const { return counters_; }
  /// Our address as the server sees it; not set before the first answer.
  [[nodiscard]] const Address& mappedAddress() const { return checker_.mapped(); }

 private:
  struct OutgoingStream {
    Ssrc ssrc;
    SeqNo highest;
  };

  void dtlsDatagram(Bytes datagram) override;
  void dtlsConnected(const std::optional<wire::SrtpKeyPair>& keys) override;
  void dtlsData(Bytes message) override;
  void dtlsClosed(dtls::EndReason reason) override;

  void packet(Bytes packet) override;
  void established() override {}
  void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) override;
  void message(const sctp::Message& message) override;
  void channelClosed(sctp::StreamId stream) override;
  void writable() override;
  void closed(sctp::CloseReason reason) override;

  void receiveStun(Bytes datagram, const Address& from);
  void receiveMedia(Bytes datagram, bool rtcp);
  void checkIce();
  void transmit(const Address& to, Bytes datagram);
  void startData();
  [[nodiscard]] SeqNo extend(Ssrc ssrc, uint16_t seq);
  [[nodiscard]] size_t sealBurst(std::span<const Bytes> packets, MutableBytes out);
  void end(EndReason reason);

  PeerConfig config_;
  PeerSink& sink_;
  Checker checker_;
  dtls::Endpoint endpoint_;
  std::optional<srtp::SealContext> seal_;
  std::optional<srtp::OpenContext> open_;
  std::optional<sctp::Association> association_;
  std::vector<OutgoingStream> outgoing_;
  PeerCounters counters_;
  TimeUs nowUs_ = 0;  // of the call under way
  bool ended_ = false;
};

}  // namespace sluice::peer
