// The data channels of one session, and its place in its room's data group.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "connection.h"
#include "data/held_messages.h"
#include "data/labels.h"
#include "sctp/association.h"
#include "shard_context.h"
#include "snapshot.h"

namespace sluice {

class DataSession final : private sctp::Sink, public DataMember {
 public:
  /// Lossy messages are dropped while more than this waits to be sent: late ones are worth nothing. A quarter of a
  /// second at 2 Mbit/s.
  static constexpr size_t kMaxLossyBufferedBytes = 65'536;

  /// `connection` is connected. Starts the association.
  DataSession(const SessionSpec& spec, ShardContext& shard, Connection& connection, ConnectionOwner& owner,
              Sleeper& sleeper, TimeUs nowUs);
  /// Leaves its group. To be called before destruction.
  void leave(TimeUs nowUs);

  /// `spec.data` is set.
  void apply(const SessionSpec& spec, TimeUs nowUs);
  /// One SCTP packet.
  void receive(Bytes packet, TimeUs nowUs);

  void deliver(const std::shared_ptr<const DataMessage>& message, TimeUs nowUs) override;
  [[nodiscard]] ParticipantKey participant() const override { return participant_; }
  [[nodiscard]] bool isAddressed(const DataMessage& message) const override;

  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);

  void snapshot(DataSnapshot& out) const;

 private:
  struct Channel {
    sctp::StreamId stream;
    data::ChannelUse use;
  };

  void packet(Bytes packet) override;
  void established() override;
  void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) override;
  void message(const sctp::Message& message) override;
  void channelClosed(sctp::StreamId stream) override;
  void writable() override;
  void closed(sctp::CloseReason reason) override;

  void openChannels();
  void moveToGroup(const DataSpec& spec, TimeUs nowUs);
  [[nodiscard]] const Channel* channelFor(data::ChannelUse use) const;
  [[nodiscard]] std::shared_ptr<const DataMessage> build(const sctp::Message& message, data::ChannelUse use);
  [[nodiscard]] bool send(const DataMessage& message, data::ChannelUse use);
  void give(const std::shared_ptr<const DataMessage>& message);
  void hold(const std::shared_ptr<const DataMessage>& message);
  void sendHeld();

  ShardContext& shard_;
  Connection& connection_;
  ConnectionOwner& owner_;
  Sleeper& sleeper_;
  SessionKey session_;
  ParticipantKey participant_{};
  DataSpec spec_;
  sctp::Association association_;
  std::vector<Channel> channels_;           // that are open
  std::vector<DataChannelSpec> requested_;  // of the spec, handed to the association
  data::HeldMessages held_;
  std::optional<GroupKey> group_;
  DataSnapshot totals_;
  uint64_t refused_ = 0;  // of the association, as far as counted
  TimeUs nowUs_ = 0;      // of the call in progress
  bool established_ = false;
  bool over_ = false;
};

}  // namespace sluice
