// Which layer of each video one client gets: what its network carries, shared out. Given offers, a budget and the time;
// knows no streams, and no network.
#pragma once

#include <span>
#include <vector>

#include "congestion/allocator.h"
#include "forward/layers.h"

namespace sluice {

/// Leaves of what there is the steps worth taking, in place: of the smallest picture every frame rate perhaps, of
/// larger ones the whole. A large picture that stutters is worth less than a small one that moves. Returns how many are
/// left.
enum class Smallest : uint8_t { kByFrameRate, kWhole };
size_t keepSteps(std::span<forward::Layers::Offer> offers, forward::Layer best, Smallest smallest);

/// One video that the client should get.
struct Claim {
  Ssrc ssrc = 0;
  /// What there is of it that the client has a use for, from the cheapest on; empty: nothing is known of it yet.
  std::span<const forward::Layers::Offer> offers;
  forward::Layer best = forward::kBestLayer;  ///< it has no use for more
  double weight = 1;                          ///< what its picture is worth
  bool mayPause = true;
};

/// What it gets of it.
struct Allotted {
  forward::LayerTarget target;
  bool paused = false;
  friend bool operator==(const Allotted&, const Allotted&) = default;
};

/// Shares out a budget again and again. A layer that had to be given up is not tried again at once: each switch costs
/// the publisher a key frame, and everybody who watches it.
class Allotment {
 public:
  /// While nothing is known of a track, the least of it.
  static constexpr forward::Layer kLeast{0, forward::kMaxLayers - 1};
  /// What does not even leave each picture its least for so long is paused: a dip is over sooner.
  static constexpr TimeUs kPauseAfterUs = 1'500 * kMillisecondUs;
  /// A path that is no better by then with nothing left of ours that could be paused is filled by others: what was
  /// paused comes back, its absence helps nobody, and nothing is paused for a while.
  static constexpr TimeUs kPauseHelpsWithinUs = 2 * kSecondUs;
  static constexpr TimeUs kFirstPatienceUs = 20 * kSecondUs;
  static constexpr TimeUs kLongestPatienceUs = 160 * kSecondUs;
  /// A path that is well meanwhile is tried again then: where little is sent, little is found out about it.
  static constexpr TimeUs kFirstRetryUs = 3 * kSecondUs;
  static constexpr TimeUs kLongestRetryUs = 48 * kSecondUs;
  /// Both times double as long as the next pause comes sooner than this.
  static constexpr TimeUs kHeldOutUs = 20 * kSecondUs;
  /// A layer that was given up so soon after it was entered was entered in vain.
  static constexpr TimeUs kInVainUs = 8 * kSecondUs;
  /// How long it is not tried again then, doubled each time; and after a fall that came otherwise.
  static constexpr TimeUs kFirstHoldUs = 2 * kSecondUs;
  static constexpr TimeUs kLongestHoldUs = 16 * kSecondUs;
  static constexpr TimeUs kHoldUs = kSecondUs;
  /// While there is no plenty, one stream is raised at a time: a key frame later the path has shown what it thinks.
  static constexpr TimeUs kRaiseEveryUs = 200 * kMillisecondUs;

  struct Budget {
    congestion::Bps video = 0;  ///< what there is for all claims
    /// What the path carries is a guess, and what is sent does no harm: nothing is paused for a number alone.
    bool guessed = false;
    /// What is on the path waits long, or is lost, now.
    bool distressed = false;
    /// Nothing is known of the path, nor will be: everybody gets the best.
    bool unlimited = false;
  };
  /// Writes one for each claim.
  void decide(std::span<const Claim> claims, Budget budget, TimeUs nowUs, std::span<Allotted> out);

  [[nodiscard]] bool anyPaused() const;
  /// Of the last decision: what it costs, and what the best of everything would.
  [[nodiscard]] congestion::Bps spent() const { return spent_; }
  [[nodiscard]] congestion::Bps wanted() const { return wanted_; }
  /// Somebody gets less than there is.
  [[nodiscard]] bool isShort() const { return spent_ < wanted_; }
  /// What packets weigh beyond their payload: RTP header, extensions and SRTP's tag, about 45 octets of 1,100.
  [[nodiscard]] static congestion::Bps onTheWire(uint64_t payloadBps) {
    return static_cast<congestion::Bps>(payloadBps + payloadBps / 24);
  }

 private:
  struct Stream {
    Ssrc ssrc = 0;
    Allotted has;
    bool any = false;  ///< something was allotted to it
    TimeUs enteredUs = 0;
    TimeUs holdUs = kFirstHoldUs;
    TimeUs heldUntilUs = 0;
    bool claimed = false;  // by this decision
  };

  [[nodiscard]] Stream& streamOf(Ssrc ssrc);
  void raiseOneByOne(std::span<const Claim> claims, TimeUs nowUs);
  [[nodiscard]] congestion::Bps costOf(size_t claim, int layer) const {
    return demands_[claim].layers[static_cast<size_t>(layer)];
  }
  [[nodiscard]] bool pausesNow(Budget budget, TimeUs nowUs);
  void notePauses(std::span<const Claim> claims, std::span<const Allotted> got, TimeUs nowUs);
  void judgePauses(bool distressed, TimeUs nowUs);
  void settle(Stream& stream, const Claim& claim, int before, int now, Budget budget, TimeUs nowUs);

  std::vector<Stream> streams_;
  TimeUs raisedUs_ = kNever;
  TimeUs tooLittleSinceUs_ = kNever;
  TimeUs pausedSinceUs_ = kNever;  // something is
  TimeUs pausesEndedUs_ = kNever;
  bool allPaused_ = false;     // whatever may be
  TimeUs patientUntilUs_ = 0;  // nothing is paused
  TimeUs patienceUs_ = kFirstPatienceUs;
  TimeUs retryUs_ = kFirstRetryUs;
  congestion::Bps spent_ = 0;
  congestion::Bps wanted_ = 0;
  // Scratch of a decision.
  std::vector<congestion::Bps> costs_;
  std::vector<congestion::Demand> demands_;
  std::vector<int> chosen_;
};

}  // namespace sluice
