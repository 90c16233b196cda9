// The client's end of a session, as a JavaScript class for simulations.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/dtls/context.h"
#include "../io/manual_engine.h"
#include "../io/seeded_random.h"
#include "../peer/media_peer.h"
#include "peer_writer.h"

namespace sluice::binding {

/// Every method that makes the peer do something returns what came of it, as ManualPath's do:
/// `{ datagrams: [to, bytes, …], events: […] }`.
class ManualPeer final : public Napi::ObjectWrap<ManualPeer>, private peer::PeerSink {
 public:
  [[nodiscard]] static Napi::Function define(Napi::Env env);
  /// `new ManualPeer(options)`
  explicit ManualPeer(const Napi::CallbackInfo& info);
  ~ManualPeer() override;

 private:
  // The class's methods; where a moment matters, it is the last parameter.
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value receive(const Napi::CallbackInfo& info);       // (from, bytes, nowUs)
  Napi::Value restart(const Napi::CallbackInfo& info);       // ({ local, remote, server }, nowUs)
  Napi::Value sendRtp(const Napi::CallbackInfo& info);       // ([bytes, …])
  Napi::Value sendRtcp(const Napi::CallbackInfo& info);      // (bytes)
  Napi::Value send(const Napi::CallbackInfo& info);          // (streamId, kind, bytes, nowUs); adds `result`
  Napi::Value openChannel(const Napi::CallbackInfo& info);   // (channel, nowUs); adds `streamId`
  Napi::Value closeChannel(const Napi::CallbackInfo& info);  // (streamId, nowUs)
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value setMedia(const Napi::CallbackInfo& info);     // (media, nowUs)
  Napi::Value setTarget(const Napi::CallbackInfo& info);    // (targetBps)
  Napi::Value mediaReport(const Napi::CallbackInfo& info);  // (nowUs); undefined without media
  Napi::Value advance(const Napi::CallbackInfo& info);      // (nowUs)
  Napi::Value nextDeadline(const Napi::CallbackInfo& info);
  Napi::Value status(const Napi::CallbackInfo& info);

  // PeerSink
  [[nodiscard]] DatagramSink& datagrams() override { return sent_; }
  void random(MutableBytes out) override { random_.fill(out); }
  void connected(bool media) override;
  void rtp(Bytes packet) override;
  void rtcp(Bytes compound) override;
  void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) override;
  void channelClosed(sctp::StreamId stream) override;
  void message(const sctp::Message& message) override;
  void writable() override;
  void ended(peer::EndReason reason) override;

  void happened(const peer::PeerEvent& event) {
    napi_set_element(env_, events_, eventCount_++, toPeerEvent(env_, event));
  }
  /// Makes a place for what a call causes; `outcome` ends the call.
  void begin(napi_env env);
  [[nodiscard]] Napi::Value outcome(const char* name = nullptr, napi_value extra = nullptr);

  io::SeededRandom random_{0};
  io::SentDatagrams sent_;
  std::unique_ptr<dtls::Context> dtls_;
  std::unique_ptr<peer::MediaPeer> peer_;
  // Of the call under way.
  napi_env env_ = nullptr;
  napi_value events_ = nullptr;
  uint32_t eventCount_ = 0;
};

}  // namespace sluice::binding
