// The way to one client: ICE finds it, DTLS proves who it is, SRTP keys come of it.
#pragma once

#include <optional>

#include "counters.h"
#include "dtls/endpoint.h"
#include "events.h"
#include "ice/lite_agent.h"
#include "ports.h"
#include "send/transport.h"
#include "spec.h"
#include "srtp/srtp.h"
#include "wire/stun.h"

namespace sluice {

/// What a connection tells the session that has it. Called in the middle of a connection's call; the session must not
/// destroy the connection from within.
class ConnectionOwner {
 public:
  virtual void landed(const Address& remote) = 0;
  virtual void moved(const Address& remote) = 0;
  virtual void addressAdded(const Address& remote) = 0;
  virtual void addressGone(const Address& remote) = 0;
  /// Keys are in place; `transport()` is there if media was negotiated.
  virtual void connected() = 0;
  virtual void applicationData(Bytes data) = 0;
  /// Told once.
  virtual void ended(CloseReason reason) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : private dtls::EndpointSink {
 public:
  /// `context` is null when the site's certificate could not be read: then nothing ever connects.
  Connection(const SessionSpec& spec, const dtls::Context* context, TimeUs consentTimeoutUs, DatagramSink& datagrams,
             ShardCounters& counters, ConnectionOwner& owner);

  void apply(const SessionSpec& spec);

  /// A STUN message whose receiver's fragment named this session.
  void receiveStun(const wire::StunMessage& message, const Address& from, TimeUs nowUs);
  void receiveDtls(Bytes datagram, TimeUs nowUs);
  /// Opens RTP or RTCP into `out`; counts and returns nothing when it is not authentic.
  enum class Kind : uint8_t { kRtp, kRtcp };
  [[nodiscard]] std::optional<size_t> open(Kind kind, Bytes sealed, MutableBytes out);

  /// Sends one RTCP compound, one application datagram.
  void sendRtcp(Bytes compound);
  void sendData(Bytes data);
  /// Says goodbye, if there is anyone to say it to.
  void close();

  [[nodiscard]] const Address& remote() const { return agent_.selected(); }
  template <typename F>
  void forEachRemote(F&& f) const {
    agent_.forEachRemote(f);
  }
  /// Null until SRTP keys are in place.
  [[nodiscard]] send::Transport* transport() { return transport_ ? &*transport_ : nullptr; }
  [[nodiscard]] bool isDtlsClient() const { return endpoint_ && endpoint_->role() == dtls::Role::kClient; }

  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);

  /// Everything that was sent to this client, media included.
  [[nodiscard]] uint64_t datagramsOut() const { return datagramsOut_ + (transport_ ? transport_->datagramsOut : 0); }
  [[nodiscard]] uint64_t bytesOut() const { return bytesOut_ + (transport_ ? transport_->bytesOut : 0); }

 private:
  void dtlsDatagram(Bytes datagram) override;
  void dtlsConnected(const std::optional<wire::SrtpKeyPair>& keys) override;
  void dtlsData(Bytes message) override;
  void dtlsClosed(dtls::EndReason reason) override;

  void send(const Address& to, Bytes datagram);
  void end(CloseReason reason);
  void commit(const Address& to, size_t bytes);
  void countDtlsDrops();

  DatagramSink& datagrams_;
  ShardCounters& counters_;
  ConnectionOwner& owner_;
  ice::LiteAgent agent_;
  std::optional<dtls::Endpoint> endpoint_;
  std::optional<send::Transport> transport_;
  std::optional<srtp::OpenContext> open_;
  wire::ExtensionMap extensions_;
  uint64_t dtlsDrops_ = 0;     // of the endpoint, as far as counted
  uint64_t datagramsOut_ = 0;  // that this class sent itself
  uint64_t bytesOut_ = 0;
  bool ended_ = false;
};

}  // namespace sluice
