#include "data_session.h"

#include <algorithm>
#include <utility>

#include "data/splice.h"

namespace sluice {

namespace {

sctp::Seed seed(ShardWorld& world) {
  sctp::Seed s{};
  world.random(s);
  return s;
}

sctp::AssociationConfig config(const DataSpec& spec, bool dtlsClient) {
  sctp::AssociationConfig c;
  c.dtlsClient = dtlsClient;
  c.remotePort = spec.sctpPort;
  c.maxSentMessageBytes = spec.remoteMaxMessageBytes;
  return c;
}

bool same(const DataChannelSpec& a, const DataChannelSpec& b) {
  return a.label == b.label && a.streamId == b.streamId;
}

}  // namespace

DataSession::DataSession(const SessionSpec& spec, ShardContext& shard, Connection& connection, ConnectionOwner& owner,
                         Sleeper& sleeper, TimeUs nowUs)
    : shard_(shard),
      connection_(connection),
      owner_(owner),
      sleeper_(sleeper),
      session_(spec.session),
      association_(config(*spec.data, connection.isDtlsClient()), seed(shard.world)) {
  nowUs_ = nowUs;
  apply(spec, nowUs);
  association_.start(nowUs, *this);
}

void DataSession::leave(TimeUs nowUs) {
  if (group_) shard_.groups.leave(*group_, *this, nowUs);
  group_.reset();
}

void DataSession::apply(const SessionSpec& spec, TimeUs nowUs) {
  nowUs_ = nowUs;
  participant_ = spec.participant;
  moveToGroup(*spec.data, nowUs);
  spec_ = *spec.data;
  openChannels();
}

void DataSession::moveToGroup(const DataSpec& spec, TimeUs nowUs) {
  const std::optional<GroupKey> wanted = spec.receive ? std::optional(spec.group) : std::nullopt;
  if (wanted == group_) return;
  if (group_) shard_.groups.leave(*group_, *this, nowUs);
  group_ = wanted;
  if (group_) shard_.groups.join(*group_, *this, nowUs);
}

void DataSession::openChannels() {
  for (const DataChannelSpec& c : spec_.channels) {
    const bool known = std::any_of(requested_.begin(), requested_.end(), [&](const auto& r) { return same(r, c); });
    if (known || (!c.streamId && !c.open)) continue;
    requested_.push_back(c);
    (void)association_.open({c.label, c.protocol, c.ordered, c.maxRetransmits, c.maxPacketLifeTimeMs, c.streamId},
                            nowUs_, *this);
  }
}

void DataSession::receive(Bytes packet, TimeUs nowUs) {
  nowUs_ = nowUs;
  association_.receive(packet, nowUs, *this);
  const sctp::Counters& c = association_.counters();
  const uint64_t refused = c.droppedMalformed + c.droppedTag;
  shard_.counters.drop(DropReason::kSctpRefused, refused - refused_);
  refused_ = refused;
}

bool DataSession::isAddressed(const DataMessage& message) const {
  return message.destinations.empty() ||
         std::any_of(message.destinations.begin(), message.destinations.end(), [this](const std::string& d) {
           return d == spec_.participantIdentity || d == spec_.participantSid;
         });
}

void DataSession::deliver(const std::shared_ptr<const DataMessage>& message, TimeUs nowUs) {
  nowUs_ = nowUs;
  give(message);
  shard_.deadlines.atMost(sleeper_, nextDeadline());  // this session was not the one being called
}

void DataSession::give(const std::shared_ptr<const DataMessage>& message) {
  if (message->reliable && !held_.empty()) return hold(message);  // behind those that wait: order holds per sender
  if (!send(*message, data::channelUse(message->label)) && message->reliable) hold(message);
}

bool DataSession::send(const DataMessage& message, data::ChannelUse use) {
  const Channel* channel = channelFor(use);
  if (over_ || channel == nullptr) {
    if (!message.reliable) shard_.counters.drop(DropReason::kDataChannelClosed);
    return false;
  }
  if (!message.reliable && association_.bufferedBytes(channel->stream) > kMaxLossyBufferedBytes) {
    shard_.counters.drop(DropReason::kDataSendRefused);
    return true;
  }
  switch (association_.send({channel->stream, sctp::MessageKind::kBinary, message.bytes}, nowUs_, *this)) {
    case sctp::SendResult::kOk:
      ++totals_.messagesOut;
      totals_.bytesOut += message.bytes.size();
      shard_.counters.add(Counter::kDataMessagesOut);
      return true;
    case sctp::SendResult::kTooLarge:
      shard_.counters.drop(DropReason::kDataTooLarge);
      return true;  // waiting will not make it smaller
    case sctp::SendResult::kBufferFull:
      if (!message.reliable) shard_.counters.drop(DropReason::kDataSendRefused);
      return false;
    case sctp::SendResult::kNoSuchChannel:
      if (!message.reliable) shard_.counters.drop(DropReason::kDataChannelClosed);
      return false;
  }
  return true;
}

void DataSession::hold(const std::shared_ptr<const DataMessage>& message) {
  if (!held_.hold(message, nowUs_)) shard_.counters.drop(DropReason::kDataHeldFull);
}

void DataSession::sendHeld() {
  while (!held_.empty()) {
    const std::shared_ptr<const DataMessage> next = held_.front();
    if (!send(*next, data::channelUse(next->label))) return;
    held_.pop();
  }
}

TimeUs DataSession::nextDeadline() const {
  return std::min(association_.nextDeadline(), held_.nextDeadline());
}

void DataSession::onDeadline(TimeUs nowUs) {
  nowUs_ = nowUs;
  if (association_.nextDeadline() <= nowUs) association_.onDeadline(nowUs, *this);
  shard_.counters.drop(DropReason::kDataHeldExpired, held_.expire(nowUs));
}

void DataSession::snapshot(DataSnapshot& out) const {
  out = totals_;
  out.openChannels = static_cast<uint32_t>(channels_.size());
  for (const Channel& c : channels_) out.bufferedBytes += association_.bufferedBytes(c.stream);
}

const DataSession::Channel* DataSession::channelFor(data::ChannelUse use) const {
  const auto it = std::find_if(channels_.begin(), channels_.end(), [use](const Channel& c) { return c.use == use; });
  return it == channels_.end() ? nullptr : &*it;
}

// ── What the association says ──

void DataSession::packet(Bytes packet) {
  connection_.sendData(packet);
}

void DataSession::established() {
  if (!std::exchange(established_, true)) return;
  // The client lost its association and made a new one, where what we had opened in band is not.
  std::erase_if(requested_, [](const DataChannelSpec& c) { return !c.streamId; });
  openChannels();
}

void DataSession::channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) {
  channelClosed(stream);
  channels_.push_back({stream, data::channelUse(spec.label)});
  shard_.world.event(DataChannelOpened{session_, stream, spec.label});
  sendHeld();
}

void DataSession::channelClosed(sctp::StreamId stream) {
  std::erase_if(channels_, [stream](const Channel& c) { return c.stream == stream; });
}

void DataSession::writable() {
  sendHeld();
}

void DataSession::message(const sctp::Message& message) {
  shard_.counters.add(Counter::kDataMessagesIn);
  ++totals_.messagesIn;
  totals_.bytesIn += message.bytes.size();
  const auto channel =
      std::find_if(channels_.begin(), channels_.end(), [&](const Channel& c) { return c.stream == message.stream; });
  const data::ChannelUse use = channel == channels_.end() ? data::ChannelUse::kOther : channel->use;
  if (use == data::ChannelUse::kOther) return shard_.counters.drop(DropReason::kDataUnknownLabel);
  if (!spec_.publish) return shard_.counters.drop(DropReason::kDataNotAllowed);
  const auto built = build(message, use);
  if (built == nullptr) return shard_.counters.drop(DropReason::kDataMalformed);
  shard_.groups.publish(built, nowUs_);
}

std::shared_ptr<const DataMessage> DataSession::build(const sctp::Message& message, data::ChannelUse use) {
  auto out = std::make_shared<DataMessage>();
  out->group = spec_.group;
  out->sender = participant_;
  out->reliable = use == data::ChannelUse::kReliable;
  if (use == data::ChannelUse::kDataTrack) {
    out->label = data::kDataTrackLabel;
    out->bytes.assign(message.bytes.begin(), message.bytes.end());
    return out;
  }
  out->label = out->reliable ? data::kReliableLabel : data::kLossyLabel;
  data::Sender sender;
  if (!spec_.hidden) sender = {spec_.participantSid, spec_.participantIdentity};
  auto spliced = data::splice(message.bytes, sender, out->reliable);
  if (!spliced) return nullptr;
  out->bytes = std::move(spliced->bytes);
  out->destinations = std::move(spliced->destinations);
  if (out->reliable && spliced->sequence > totals_.lastReliableSequence) {
    totals_.lastReliableSequence = spliced->sequence;
  }
  return out;
}

void DataSession::closed(sctp::CloseReason reason) {
  over_ = true;
  channels_.clear();
  switch (reason) {
    case sctp::CloseReason::kAborted:
    case sctp::CloseReason::kShutdown:
      return;  // agreed on: media goes on without
    case sctp::CloseReason::kAbortedByPeer:
    case sctp::CloseReason::kSetupFailed:
    case sctp::CloseReason::kUnresponsive:
    case sctp::CloseReason::kProtocolViolation:
      owner_.ended(CloseReason::kSctpFailed);
      return;
  }
}

}  // namespace sluice
