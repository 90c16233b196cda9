#include "peer.h"

#include <algorithm>
#include <array>

#include "../core/wire/demux.h"

namespace sluice::peer {

namespace {

// As large as a datagram of the server gets (packet.h).
constexpr size_t kDatagramBytes = 2'048;

uint64_t randomU64(PeerSink& sink) {
  std::array<uint8_t, 8> bytes;
  sink.random(bytes);
  return readU64(bytes.data());
}

}  // namespace

Peer::Peer(PeerConfig config, const dtls::Context& context, PeerSink& sink)
    : config_(std::move(config)),
      sink_(sink),
      checker_(config_.ice, randomU64(sink)),
      endpoint_(context, config_.dtlsClient ? dtls::Role::kClient : dtls::Role::kServer) {}

void Peer::start(TimeUs nowUs) {
  nowUs_ = nowUs;
  endpoint_.setRemoteFingerprints(config_.remoteFingerprints, *this);
  checker_.start(nowUs);
  checkIce();
}

void Peer::receive(Bytes datagram, const Address& from, TimeUs nowUs) {
  nowUs_ = nowUs;
  if (ended_) return;
  counters_.bytesReceived += datagram.size();
  switch (wire::classify(datagram)) {
    case wire::DatagramClass::kStun:
      return receiveStun(datagram, from);
    case wire::DatagramClass::kDtls:
      return endpoint_.receive(datagram, nowUs, *this);
    case wire::DatagramClass::kRtp:
      return receiveMedia(datagram, false);
    case wire::DatagramClass::kRtcp:
      return receiveMedia(datagram, true);
    case wire::DatagramClass::kOther:
      ++counters_.droppedMalformed;
      return;
  }
}

void Peer::receiveStun(Bytes datagram, const Address& from) {
  const auto message = wire::StunMessage::parse(datagram);
  if (!message) {
    ++counters_.droppedMalformed;
    return;
  }
  std::array<uint8_t, wire::kMaxStunBytes> answer;
  const Checker::Heard heard = checker_.receive(*message, from, nowUs_, answer);
  if (!heard.accepted) ++counters_.droppedUnauthentic;
  if (heard.answerBytes > 0) transmit(from, Bytes(answer).first(heard.answerBytes));
  if (heard.connected) endpoint_.start(nowUs_, *this);
}

void Peer::receiveMedia(Bytes datagram, bool rtcp) {
  std::array<uint8_t, kDatagramBytes> plain;
  if (!open_) {
    ++counters_.droppedEarly;
    return;
  }
  const srtp::Opened opened = rtcp ? open_->openRtcp(datagram, plain) : open_->openRtp(datagram, plain);
  const Bytes packet = Bytes(plain).first(opened.size);
  switch (opened.verdict) {
    case srtp::OpenVerdict::kOpened:
      ++(rtcp ? counters_.rtcpReceived : counters_.rtpReceived);
      return rtcp ? sink_.rtcp(packet) : sink_.rtp(packet);
    case srtp::OpenVerdict::kReplayed:
      ++counters_.droppedReplayed;
      return;
    case srtp::OpenVerdict::kUnauthentic:
      ++counters_.droppedUnauthentic;
      return;
    case srtp::OpenVerdict::kMalformed:
    case srtp::OpenVerdict::kTooManySsrcs:
    case srtp::OpenVerdict::kCount:
      ++counters_.droppedMalformed;
      return;
  }
}

void Peer::restart(const IceCredentials& local, const IceCredentials& remote, const Address& server, TimeUs nowUs) {
  nowUs_ = nowUs;
  config_.server = server;
  checker_.restart(local, remote, nowUs);
  checkIce();
}

void Peer::checkIce() {
  if (ended_) return;
  if (checker_.expired(nowUs_)) return end(checker_.connected() ? EndReason::kConsentLost : EndReason::kUnreachable);
  if (nowUs_ < checker_.nextDeadline()) return;
  std::array<uint8_t, 16> random;
  sink_.random(random);
  std::array<uint8_t, wire::kMaxStunBytes> question;
  const size_t size = checker_.ask(nowUs_, random, question);
  if (size > 0) transmit(config_.server, Bytes(question).first(size));
}

void Peer::transmit(const Address& to, Bytes datagram) {
  const MutableBytes out = sink_.datagrams().reserve(datagram.size());
  if (out.size() < datagram.size()) {
    ++counters_.droppedTooLarge;
    return;
  }
  std::copy(datagram.begin(), datagram.end(), out.begin());
  counters_.bytesSent += datagram.size();
  sink_.datagrams().commit(to, datagram.size(), datagram.size());
}

SeqNo Peer::extend(Ssrc ssrc, uint16_t seq) {
  const auto it =
      std::find_if(outgoing_.begin(), outgoing_.end(), [ssrc](const OutgoingStream& s) { return s.ssrc == ssrc; });
  if (it == outgoing_.end()) {
    outgoing_.push_back({ssrc, seq});
    return seq;
  }
  const SeqNo extended = extendSeq(seq, it->highest);
  it->highest = std::max(it->highest, extended);
  return extended;
}

size_t Peer::sealBurst(std::span<const Bytes> packets, MutableBytes out) {
  size_t used = 0;
  for (const Bytes packet : packets) {
    const SeqNo seq = extend(readU32(packet.data() + 8), readU16(packet.data() + 2));
    // The cut between header and payload is the transform's: it needs CSRCs and extensions in the clear.
    const size_t header = srtp::rtpHeaderBytes(packet);
    const size_t size =
        header == 0 ? 0 : seal_->sealRtp(packet.first(header), packet.subspan(header), seq, out.subspan(used));
    if (size == 0) {
      ++counters_.droppedMalformed;
      continue;
    }
    used += size;
    ++counters_.rtpSent;
  }
  return used;
}

void Peer::sendRtp(std::span<const Bytes> packets) {
  if (ended_ || !seal_) {
    counters_.droppedEarly += packets.size();
    return;
  }
  while (!packets.empty()) {
    const size_t plain = packets.front().size();
    const size_t sealed = plain + seal_->rtpOverhead();
    if (plain < wire::kRtpHeaderBytes || sealed > kDatagramBytes) {
      ++(sealed > kDatagramBytes ? counters_.droppedTooLarge : counters_.droppedMalformed);
      packets = packets.subspan(1);
      continue;
    }
    // One burst: as many as are of this size, and bursts allow.
    const size_t most =
        std::min({packets.size(), DatagramSink::kMaxBurstSegments, DatagramSink::kMaxBurstBytes / sealed});
    const auto end = std::find_if(packets.begin(), packets.begin() + static_cast<std::ptrdiff_t>(most),
                                  [plain](const Bytes& p) { return p.size() != plain; });
    const auto burst = packets.first(static_cast<size_t>(end - packets.begin()));
    const MutableBytes out = sink_.datagrams().reserve(sealed * burst.size());
    const size_t used = sealBurst(burst, out);
    counters_.bytesSent += used;
    if (used > 0) sink_.datagrams().commit(config_.server, used, sealed);
    packets = packets.subspan(burst.size());
  }
}

void Peer::sendRtcp(Bytes compound) {
  if (ended_ || !seal_) {
    ++counters_.droppedEarly;
    return;
  }
  const MutableBytes out = sink_.datagrams().reserve(compound.size() + srtp::kMaxOverheadBytes);
  const size_t size = seal_->sealRtcp(compound, out);
  if (size == 0) {
    ++counters_.droppedMalformed;
    return;
  }
  ++counters_.rtcpSent;
  counters_.bytesSent += size;
  sink_.datagrams().commit(config_.server, size, size);
}

sctp::SendResult Peer::send(const sctp::Message& message, TimeUs nowUs) {
  if (ended_ || !association_) return sctp::SendResult::kNoSuchChannel;
  nowUs_ = nowUs;
  return association_->send(message, nowUs, *this);
}

std::optional<sctp::StreamId> Peer::openChannel(const sctp::ChannelSpec& spec, TimeUs nowUs) {
  if (ended_ || !association_) return std::nullopt;
  nowUs_ = nowUs;
  return association_->open(spec, nowUs, *this);
}

void Peer::closeChannel(sctp::StreamId stream, TimeUs nowUs) {
  if (ended_ || !association_) return;
  nowUs_ = nowUs;
  association_->close(stream, nowUs, *this);
}

size_t Peer::bufferedBytes(sctp::StreamId stream) const {
  return association_ ? association_->bufferedBytes(stream) : 0;
}

void Peer::close() {
  if (ended_) return;
  ended_ = true;
  endpoint_.close(*this);
  sink_.ended(EndReason::kClosedHere);
}

TimeUs Peer::nextDeadline() const {
  if (ended_) return kNever;
  const TimeUs data = association_ ? association_->nextDeadline() : kNever;
  return std::min({checker_.nextDeadline(), endpoint_.nextDeadline(), data});
}

void Peer::onDeadline(TimeUs nowUs) {
  nowUs_ = nowUs;
  checkIce();
  if (!ended_ && endpoint_.nextDeadline() <= nowUs) endpoint_.onDeadline(nowUs, *this);
  if (!ended_ && association_ && association_->nextDeadline() <= nowUs) association_->onDeadline(nowUs, *this);
}

void Peer::dtlsDatagram(Bytes datagram) {
  transmit(config_.server, datagram);
}

void Peer::dtlsConnected(const std::optional<wire::SrtpKeyPair>& keys) {
  if (keys) {
    seal_ = srtp::SealContext::create(keys->local);
    open_ = srtp::OpenContext::create(keys->remote);
    if (!seal_ || !open_) return end(EndReason::kDtlsFailed);
  }
  sink_.connected(keys.has_value());
  if (!ended_ && config_.data) startData();
}

void Peer::startData() {
  sctp::AssociationConfig config = *config_.data;
  config.dtlsClient = config_.dtlsClient;
  sctp::Seed seed;
  sink_.random(seed);
  association_.emplace(config, seed);
  for (const sctp::ChannelSpec& spec : config_.channels) association_->open(spec, nowUs_, *this);
  association_->start(nowUs_, *this);
}

void Peer::dtlsData(Bytes message) {
  if (association_ && !ended_) association_->receive(message, nowUs_, *this);
}

void Peer::dtlsClosed(dtls::EndReason reason) {
  end(reason == dtls::EndReason::kClosedByPeer ? EndReason::kDtlsClosed : EndReason::kDtlsFailed);
}

void Peer::packet(Bytes packet) {
  const MutableBytes out = sink_.datagrams().reserve(packet.size() + dtls::Endpoint::kOverheadBytes);
  const size_t size = endpoint_.seal(packet, out);
  if (size == 0) return;  // DTLS was closed meanwhile, and says so itself
  counters_.bytesSent += size;
  sink_.datagrams().commit(config_.server, size, size);
}

void Peer::channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) {
  if (!ended_) sink_.channelOpened(stream, spec);
}

void Peer::message(const sctp::Message& message) {
  if (!ended_) sink_.message(message);
}

void Peer::channelClosed(sctp::StreamId stream) {
  if (!ended_) sink_.channelClosed(stream);
}

void Peer::writable() {
  if (!ended_) sink_.writable();
}

void Peer::closed(sctp::CloseReason) {
  end(EndReason::kSctpFailed);
}

void Peer::end(EndReason reason) {
  if (ended_) return;
  ended_ = true;
  sink_.ended(reason);
}

}  // namespace sluice::peer
