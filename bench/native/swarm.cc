#include "swarm.h"

#include <netinet/udp.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "../../packet-path/core/receive/transport_recorder.h"
#include "../../packet-path/core/wire/rtcp.h"
#include "../../packet-path/io/address.h"
#include "../../packet-path/io/clock.h"
#include "../../packet-path/peer/peer.h"
#include "bare_limit.h"

namespace sluice::bench {

namespace {

constexpr TimeUs kFrameIntervalUs = kSecondUs / 30;
/// Deadlines of clients (checks, handshakes) are looked at this often: cheaper than asking hundreds after each packet.
constexpr TimeUs kTickUs = 5 * kMillisecondUs;
constexpr TimeUs kReportIntervalUs = kSecondUs;
/// Gaps longer than this are another stream, not loss.
constexpr int64_t kMaxGap = 10'000;

uint64_t unixNs() {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

/// Receives with the moment at which the kernel had each datagram: what this thread takes to come to it is not the
/// server's doing.
class TimedReceiver {
 public:
  struct Datagram {
    Bytes bytes;
    Address from;
    uint64_t unixNs = 0;
  };

  static void enable(int fd) {
    const int on = 1;
    (void)::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  }

  /// Calls `take` for each datagram that has arrived; false when no more waits.
  template <typename Take>
  bool receive(int fd, io::ReceiveBuffer& buffer, const Take& take) {
    for (size_t i = 0; i < kBatch; ++i) {
      vectors_[i] = {buffer.slot(i).data(), io::ReceiveBuffer::kSlotBytes};
      headers_[i].msg_hdr = {&names_[i], sizeof names_[i], &vectors_[i], 1, controls_[i], sizeof controls_[i], 0};
    }
    const int got = ::recvmmsg(fd, headers_, kBatch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < got; ++i) split(headers_[i], take);
    return got == static_cast<int>(kBatch);
  }

 private:
  static constexpr size_t kBatch = 16;
  static constexpr int kUdpGro = 104;

  template <typename Take>
  void split(mmsghdr& header, const Take& take) {
    size_t segment = header.msg_len;
    Datagram datagram;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header.msg_hdr); c != nullptr; c = CMSG_NXTHDR(&header.msg_hdr, c)) {
      if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == kUdpGro) {
        int size = 0;
        std::memcpy(&size, CMSG_DATA(c), sizeof size);
        if (size > 0) segment = static_cast<size_t>(size);
      } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        timespec t{};
        std::memcpy(&t, CMSG_DATA(c), sizeof t);
        datagram.unixNs = static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
      }
    }
    sockaddr_storage name{};
    std::memcpy(&name, header.msg_hdr.msg_name, header.msg_hdr.msg_namelen);
    datagram.from = io::fromSockaddr(name);
    const auto* data = static_cast<const uint8_t*>(header.msg_hdr.msg_iov->iov_base);
    for (size_t at = 0; at < header.msg_len; at += segment) {
      datagram.bytes = {data + at, std::min(segment, header.msg_len - at)};
      take(datagram);
    }
  }

  mmsghdr headers_[kBatch]{};
  iovec vectors_[kBatch]{};
  sockaddr_storage names_[kBatch]{};
  alignas(cmsghdr) uint8_t controls_[kBatch][128]{};
};

}  // namespace

class Swarm::Client final : public peer::PeerSink, private DatagramSink {
 public:
  Client(Swarm& swarm, const ClientConfig& config, std::unique_ptr<io::Socket> socket)
      : swarm_(swarm),
        socket_(std::move(socket)),
        slab_(kMaxBurstBytes),
        peer_(peerConfig(config), *swarm.dtls_, *this) {
    if (config.video.has_value()) video_.emplace(*config.video);
    feedbackExtension_ = config.feedbackExtension;
  }

  void start(TimeUs nowUs) { peer_.start(nowUs); }
  [[nodiscard]] int fd() const { return socket_->fd(); }
  [[nodiscard]] bool isConnected() const { return connected_; }
  [[nodiscard]] bool hasEnded() const { return ended_; }
  [[nodiscard]] uint64_t packetsReceived() const { return received_; }
  [[nodiscard]] uint64_t packetsLost() const { return lost_; }
  [[nodiscard]] uint64_t packetsSent() const { return sent_; }
  [[nodiscard]] uint64_t unauthentic() const { return peer_.counters().droppedUnauthentic; }
  void beginMeasurement() { received_ = lost_ = sent_ = 0; }

  void receive(Bytes datagram, const Address& from, uint64_t atUnixNs, TimeUs nowUs) {
    arrivedUnixNs_ = atUnixNs;
    Address plain = from;
    plain.via = 0;
    peer_.receive(datagram, plain, nowUs);
  }

  void onDeadline(TimeUs nowUs) {
    if (ended_) return;
    if (peer_.nextDeadline() <= nowUs) peer_.onDeadline(nowUs);
    if (!connected_ || highest_ < 0) return;
    if (nowUs >= nextReportUs_) reportReception(nowUs);
    if (nowUs >= arrivals_.nextDeadline()) reportArrivals();
  }

  void sendFrame() {
    if (!video_.has_value() || !connected_ || ended_) return;
    // One by one, as browsers send them.
    for (const Bytes packet : video_->nextFrame(unixNs())) {
      peer_.sendRtp(packet);
      ++sent_;
    }
  }

 private:
  static peer::PeerConfig peerConfig(const ClientConfig& config) {
    peer::PeerConfig out;
    out.server = config.server;
    out.ice.local = config.local;
    out.ice.remote = config.remote;
    out.remoteFingerprints = config.serverFingerprints;
    return out;
  }

  // PeerSink
  [[nodiscard]] DatagramSink& datagrams() override { return *this; }
  void random(MutableBytes out) override { (void)!::getrandom(out.data(), out.size(), 0); }
  void connected(bool media) override { connected_ = media; }
  void rtp(Bytes packet) override {
    if (packet.size() < 16) return;
    const uint16_t wire = readU16(packet.data() + 2);
    ssrc_ = readU32(packet.data() + 8);
    const SeqNo seq = highest_ < 0 ? wire : extendSeq(wire, highest_);
    if (highest_ >= 0 && seq > highest_ + 1 && seq - highest_ < kMaxGap)
      lost_ += static_cast<uint64_t>(seq - highest_ - 1);
    highest_ = std::max(highest_, seq);
    ++received_;
    const bool extended = (packet[0] & 0x10) != 0;
    if (extended && feedbackExtension_ != 0) noteArrival(packet);
    const size_t payload = extended ? 16 + size_t{readU16(packet.data() + 14)} * 4 : 12;
    if (packet.size() < payload + VideoSource::kSentAtInPayload + 8) return;
    const uint64_t sentAt = readU64(packet.data() + payload + VideoSource::kSentAtInPayload);
    swarm_.delays_.add(static_cast<int64_t>(arrivedUnixNs_ - sentAt) / 1'000);
  }
  void rtcp(Bytes) override {}
  void channelOpened(sctp::StreamId, const sctp::ChannelSpec&) override {}
  void channelClosed(sctp::StreamId) override {}
  void message(const sctp::Message&) override {}
  void writable() override {}
  void ended(peer::EndReason) override { ended_ = true; }

  // DatagramSink
  [[nodiscard]] MutableBytes reserve(size_t bytes) override {
    return bytes <= slab_.size() ? MutableBytes{slab_.data(), bytes} : MutableBytes{};
  }
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override {
    patience_.renew();
    socket_->send(to, nullptr, {slab_.data(), bytes}, segmentBytes, patience_, swarm_.counters_);
  }

  /// RFC 8285 §4.2: one-byte elements.
  void noteArrival(Bytes packet) {
    const size_t end = std::min<size_t>(packet.size(), 16 + size_t{readU16(packet.data() + 14)} * 4);
    for (size_t at = 16; at + 2 < end;) {
      const uint8_t id = packet[at] >> 4;
      if (id == feedbackExtension_) {
        return arrivals_.note(readU16(packet.data() + at + 1), io::monotonicUs());
      }
      at += id == 0 ? 1 : 2 + size_t{packet[at] & 0x0FU};
    }
  }

  void reportArrivals() {
    for (bool more = true; more;) {
      uint8_t bytes[1'200];
      wire::RtcpWriter writer(bytes);
      more = arrivals_.write(writer, ssrc_ ^ 1, ssrc_);
      if (writer.size() > 0) peer_.sendRtcp(writer.written());
    }
  }

  void reportReception(TimeUs nowUs) {
    nextReportUs_ = nowUs + kReportIntervalUs;
    wire::ReportBlock block{};
    block.ssrc = ssrc_;
    block.highestSeq = static_cast<uint32_t>(highest_);
    uint8_t bytes[128];
    wire::RtcpWriter writer(bytes);
    if (writer.receiverReport(ssrc_ ^ 1, std::span(&block, 1))) peer_.sendRtcp(writer.written());
  }

  Swarm& swarm_;
  std::unique_ptr<io::Socket> socket_;
  io::SendPatience patience_;
  std::vector<uint8_t> slab_;
  std::optional<VideoSource> video_;
  bool connected_ = false;
  bool ended_ = false;
  uint64_t arrivedUnixNs_ = 0;
  Ssrc ssrc_ = 0;
  SeqNo highest_ = -1;
  uint64_t received_ = 0;
  uint64_t lost_ = 0;
  uint64_t sent_ = 0;
  TimeUs nextReportUs_ = 0;
  uint8_t feedbackExtension_ = 0;
  receive::TransportRecorder arrivals_;
  peer::Peer peer_;  // last: it may speak to the sink when it goes
};

namespace {

std::unique_ptr<io::Socket> openClientSocket(io::LocalEnds& ends) {
  io::SocketOptions options;
  options.bind = *io::parseAddress("127.0.0.1", 0);
  options.receiveBufferBytes = 1 << 20;
  auto opened = io::openSocket(io::kDefaultBackend, options, ends);
  auto* socket = std::get_if<std::unique_ptr<io::Socket>>(&opened);
  return socket == nullptr ? nullptr : std::move(*socket);
}

/// Lets the swarm's thread know that somebody wants the lock: it is otherwise taken again before anyone wakes.
class Turn {
 public:
  Turn(std::mutex& working, std::atomic<int>& wanted) : wanted_(wanted) {
    wanted_.fetch_add(1);
    lock_ = std::unique_lock(working);
    wanted_.fetch_sub(1);
  }

 private:
  std::atomic<int>& wanted_;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace

struct Swarm::Receiving {
  io::ReceiveBuffer buffer;
  TimedReceiver receiver;
};

Swarm::Swarm(std::optional<int> cpu) : receiving_(std::make_unique<Receiving>()) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto identity = dtls::generateIdentity(now.tv_sec - 3'600);
  if (identity.has_value()) dtls_ = dtls::Context::create(identity->certificate, identity->privateKey);
  thread_ = std::thread([this, cpu] { run(cpu); });
}

Swarm::~Swarm() {
  stopping_ = true;
  thread_.join();
}

Fingerprint Swarm::fingerprint() const {
  return dtls_ == nullptr ? Fingerprint{} : dtls_->fingerprint("sha-256").value_or(Fingerprint{});
}

bool Swarm::add(const ClientConfig& config) {
  const Turn turn(working_, wanted_);
  auto socket = openClientSocket(ends_);
  if (socket == nullptr || dtls_ == nullptr || !sinks_.empty()) return false;
  TimedReceiver::enable(socket->fd());
  clients_.push_back(std::make_unique<Client>(*this, config, std::move(socket)));
  watched_.push_back({clients_.back()->fd(), POLLIN, 0});
  clients_.back()->start(io::monotonicUs());
  return true;
}

std::vector<Address> Swarm::openSinks(size_t count) {
  const Turn turn(working_, wanted_);
  std::vector<Address> addresses;
  while (sinks_.size() < count) {
    auto socket = openClientSocket(ends_);
    if (socket == nullptr) return {};
    auto cipher = crypto::AesGcm::create(bareKey(sinks_.size()), crypto::AesGcm::Direction::kOpen);
    if (!cipher.has_value()) return {};
    TimedReceiver::enable(socket->fd());
    watched_.push_back({socket->fd(), POLLIN, 0});
    sinks_.push_back({std::move(socket), std::move(*cipher)});
  }
  for (const auto& sink : sinks_) addresses.push_back(sink.socket->boundTo());
  return addresses;
}

void Swarm::closeSinks() {
  const Turn turn(working_, wanted_);
  watched_.resize(clients_.size());
  sinks_.clear();
}

void Swarm::startVideo() {
  const Turn turn(working_, wanted_);
  nextFrameAtUs_ = io::monotonicUs();
}

void Swarm::stopVideo() {
  const Turn turn(working_, wanted_);
  nextFrameAtUs_ = kNever;
}

void Swarm::beginMeasurement() {
  const Turn turn(working_, wanted_);
  delays_.clear();
  for (const auto& client : clients_) client->beginMeasurement();
}

SwarmReport Swarm::report() {
  const Turn turn(working_, wanted_);
  SwarmReport out;
  out.clients = clients_.size();
  for (const auto& client : clients_) {
    out.connected += client->isConnected() ? 1 : 0;
    out.ended += client->hasEnded() ? 1 : 0;
    out.receiving += client->packetsReceived() > 0 ? 1 : 0;
    out.packetsSent += client->packetsSent();
    out.packetsReceived += client->packetsReceived();
    out.packetsLost += client->packetsLost();
    out.unauthentic += client->unauthentic();
  }
  out.sinksOpened = sinksOpened_;
  out.delayP50Us = delays_.quantile(0.5);
  out.delayP99Us = delays_.quantile(0.99);
  out.delayMaxUs = delays_.quantile(1);
  out.cpuUs = cpuUs_;
  return out;
}

void Swarm::run(std::optional<int> cpu) {
  if (cpu.has_value()) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<size_t>(*cpu), &cpus);
    (void)::sched_setaffinity(0, sizeof cpus, &cpus);
  }
  TimeUs tickAtUs = 0;
  while (!stopping_) {
    while (wanted_ > 0) ::sched_yield();
    std::unique_lock lock(working_);
    const TimeUs nowUs = io::monotonicUs();
    if (nowUs >= nextFrameAtUs_) {
      for (const auto& client : clients_) client->sendFrame();
      nextFrameAtUs_ += kFrameIntervalUs;
    }
    if (nowUs >= tickAtUs) {
      for (const auto& client : clients_) client->onDeadline(nowUs);
      tickAtUs = nowUs + kTickUs;
      cpuUs_ = io::threadCpuUs();
    }
    const TimeUs sleepUs = std::max<TimeUs>(0, std::min(tickAtUs, nextFrameAtUs_) - io::monotonicUs());
    std::vector<pollfd>& watched = polled_;
    watched = watched_;
    lock.unlock();
    const timespec timeout{0, static_cast<long>(sleepUs) * 1'000};
    if (::ppoll(watched.data(), watched.size(), &timeout, nullptr) <= 0) continue;
    lock.lock();
    receiveAll(watched);
  }
}

void Swarm::receiveAll(const std::vector<pollfd>& polled) {
  const TimeUs nowUs = io::monotonicUs();
  // Nobody was taken away meanwhile but sinks, which stand at the end.
  for (size_t i = 0; i < polled.size() && i < watched_.size(); ++i) {
    if (polled[i].revents == 0) continue;
    (void)receiving_->receiver.receive(polled[i].fd, receiving_->buffer, [&](const TimedReceiver::Datagram& d) {
      if (i < clients_.size()) {
        clients_[i]->receive(d.bytes, d.from, d.unixNs, nowUs);
      } else {
        open(sinks_[i - clients_.size()], d.bytes);
      }
    });
  }
}

void Swarm::open(Sink& sink, Bytes datagram) {
  if (datagram.size() < kBareHeaderBytes || datagram.size() > opened_.size()) return;
  const auto nonce = bareNonce(readU64(datagram.data() + 2));
  const bool opened =
      sink.cipher.open(nonce, datagram.first(kBareHeaderBytes), datagram.subspan(kBareHeaderBytes), opened_.data());
  if (opened) ++sinksOpened_;
}

}  // namespace sluice::bench
