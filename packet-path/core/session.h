// One session: a client's connection, its media and its data. Joins them; decides nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "connection.h"
#include "data_session.h"
#include "media_session.h"
#include "routes.h"
#include "shard_context.h"
#include "snapshot.h"

namespace sluice {

class Session final : public Sleeper, private ConnectionOwner {
 public:
  /// Made when the first authentic check arrived, on the shard that claimed it.
  Session(std::shared_ptr<const SessionSpec> spec, ShardContext& shard, Routes& routes, TimeUs nowUs);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void apply(std::shared_ptr<const SessionSpec> spec, TimeUs nowUs);
  /// The spec is gone: says goodbye to the client and to the driver.
  void drop(TimeUs nowUs);

  /// A STUN message for this session, or any other datagram from one of its addresses. `landedOn`: the shard that the
  /// datagram came to.
  void receiveStun(const wire::StunMessage& message, const Address& from, ShardIndex landedOn, TimeUs nowUs);
  void receiveDtls(Bytes datagram, TimeUs nowUs);
  void receiveRtp(Bytes datagram, TimeUs nowUs);
  void receiveRtcp(Bytes datagram, TimeUs nowUs);

  void onDeadline(TimeUs nowUs);
  /// True from the moment it ended; its owner destroys it when no call of it is in progress.
  [[nodiscard]] bool isOver() const { return over_; }

  [[nodiscard]] SessionKey key() const { return spec_->session; }
  void snapshot(SessionSnapshot& out) const;

 private:
  void landed(const Address& remote) override;
  void moved(const Address& remote) override;
  void addressAdded(const Address& remote) override;
  void addressGone(const Address& remote) override;
  void connected() override;
  void applicationData(Bytes data) override;
  void ended(CloseReason reason) override;

  void startData();
  void leave();
  void schedule();
  [[nodiscard]] TimeUs nextDeadline() const;

  ShardContext& shard_;
  Routes& routes_;
  std::shared_ptr<const SessionSpec> spec_;
  Connection connection_;
  std::optional<MediaSession> media_;  // from connected on
  std::optional<DataSession> data_;    // from connected on, if the spec has data
  TimeUs nowUs_;                       // of the call in progress
  ShardIndex landedOn_ = 0;            // of the STUN message in progress
  TimeUs landedAtUs_;
  TimeUs connectedAtUs_ = 0;
  uint64_t datagramsIn_ = 0;
  uint64_t bytesIn_ = 0;
  bool connected_ = false;
  bool over_ = false;
};

}  // namespace sluice
