#include "send_control.h"

#include <algorithm>
#include <cmath>

#include "send/padding_writer.h"

namespace sluice {

using congestion::Bps;
using forward::Layers;

namespace {

// Qualities of one track that are told apart: three sizes of four frame rates are twelve.
constexpr size_t kMaxOffers = 16;
// A packet's header, extensions and tag.
constexpr uint64_t kPacketBytes = 45;
// What was measured of audio and repairs counts against the next interval by halves: both come in heaps.
constexpr double kMeasureWeight = 0.5;
// A target that moved by less changes nothing.
constexpr double kRose = 1.05;
// An encoding of simulcast costs about four times the one below it.
constexpr Bps kLeap = 5;
// Feedback comes every 50 ms and faster.
constexpr TimeUs kAllotAtMostUs = 50 * kMillisecondUs;

// A tile in a grid.
constexpr double kUsualPixels = 640 * 360;
constexpr double kFirstPriority = 8;

// The payload type of retransmissions of what this stream carried last.
std::optional<uint8_t> repairPayloadType(const send::OutgoingStream& stream) {
  for (const CodecSpec& c : stream.spec().codecs) {
    if (c.codec == stream.codec() && c.rtxPayloadType) return c.rtxPayloadType;
  }
  return {};
}

bool canCarry(const Subscriber& subscriber) {
  const send::OutgoingStream& stream = subscriber.stream;
  return stream.rtxSsrc() && stream.totals().packets > 0 && repairPayloadType(stream);
}

// RTP time means nothing without media; it should advance all the same (RFC 3550 §5.1).
uint32_t paddingTimestamp(TimeUs nowUs) {
  return static_cast<uint32_t>(nowUs * 9 / 100);
}

// What a picture is worth against the others: by its size on the screen, and by what its client says goes first.
double worth(const TrackWish& wish) {
  double worth = 1;
  if (wish.widthPx > 0 && wish.heightPx > 0) {
    worth = std::clamp(std::sqrt(wish.widthPx * wish.heightPx / kUsualPixels), 0.25, 4.0);
  }
  return wish.priority == 0 ? worth : worth * std::max(kFirstPriority / wish.priority, 0.5);
}

bool isWanted(const Subscriber& subscriber) {
  return !subscriber.stream.spec().paused;
}

bool isVideo(const Subscriber& subscriber) {
  return subscriber.stream.spec().kind == MediaKind::kVideo;
}

}  // namespace

void SendControl::changed(TimeUs nowUs) {
  look(nowUs);
}

void SendControl::feedback(Bytes control, TimeUs rttUs, TimeUs nowUs) {
  estimator_.setRtt(rttUs);
  if (!estimator_.onFeedback(control, nowUs)) return;
  if (heardUs_ == kNever) {
    heardUs_ = nowUs;
    return look(nowUs);
  }
  const Bps target = estimator_.target();
  const bool tooMuch = target < allotment_.spent() + reserved_ && target < allottedBy_;
  const bool more = allotment_.isShort() && static_cast<double>(target) > kRose * static_cast<double>(allottedBy_);
  if ((tooMuch || more) && nowUs - allottedUs_ >= kAllotAtMostUs) allot(nowUs);
}

TimeUs SendControl::nextDeadline() const {
  return carrier_ && heardUs_ != kNever ? std::min(nextLookUs_, estimator_.nextDeadline()) : nextLookUs_;
}

void SendControl::onDeadline(TimeUs nowUs) {
  if (nextLookUs_ <= nowUs) look(nowUs);
  if (carrier_ && heardUs_ != kNever && estimator_.nextDeadline() <= nowUs) probe(nowUs);
}

void SendControl::look(TimeUs nowUs) {
  measure(nowUs);
  allot(nowUs);
  const Subscriber* found = carrier();
  carrier_ = found == nullptr ? std::nullopt : std::optional(found->stream.ssrc());
  const bool soon = unknown_ || allotment_.isShort() || heardUs_ == kNever;
  nextLookUs_ = nowUs + (soon ? kShortIntervalUs : kIntervalUs);
  nextLookUs_ -= nextLookUs_ % gridUs_;
}

void SendControl::measure(TimeUs nowUs) {
  for (Share& s : shares_) s.known = false;
  uint64_t reserved = 0;
  subscriptions_.forEach([&](Subscriber& each) {
    Share& share = shareOf(each.stream.ssrc());
    const send::OutgoingTotals& totals = each.stream.totals();
    reserved += totals.resentBytes - share.resentBytes;
    if (!isVideo(each)) reserved += totals.bytes - share.bytes + kPacketBytes * (totals.packets - share.packets);
    if (totals.packets > 0 && sentUs_ == kNever) sentUs_ = nowUs;
    share.packets = totals.packets;
    share.bytes = totals.bytes;
    share.resentBytes = totals.resentBytes;
    share.known = true;
  });
  std::erase_if(shares_, [](const Share& s) { return !s.known; });
  if (lookedUs_ != kNever && nowUs > lookedUs_) {
    const auto now = static_cast<double>(reserved) * 8e6 / static_cast<double>(nowUs - lookedUs_);
    reserved_ += static_cast<Bps>(kMeasureWeight * (now - static_cast<double>(reserved_)));
  }
  lookedUs_ = nowUs;
}

SendControl::Share& SendControl::shareOf(Ssrc ssrc) {
  const auto known = std::find_if(shares_.begin(), shares_.end(), [ssrc](const Share& s) { return s.ssrc == ssrc; });
  if (known != shares_.end()) return *known;
  Share& fresh = shares_.emplace_back();
  fresh.ssrc = ssrc;
  return fresh;
}

// A client that was sent packets, and said nothing of them, has no feedback to give.
bool SendControl::givesFeedback(TimeUs nowUs) const {
  return heardUs_ != kNever || sentUs_ == kNever || nowUs - sentUs_ < kSilenceUs;
}

void SendControl::allot(TimeUs nowUs) {
  videos_.clear();
  subscriptions_.forEach([&](Subscriber& each) {
    if (isVideo(each) && isWanted(each)) videos_.push_back(&each);
  });
  offers_.resize(videos_.size() * kMaxOffers);
  claims_.clear();
  unknown_ = false;
  const bool early = heardUs_ == kNever || (estimator_.startsUp() && nowUs - heardUs_ < kGuessUs);
  const bool distressed = estimator_.distressed();
  const bool guessed = early || (!distressed && !allotment_.anyPaused());
  const Smallest smallest = early ? Smallest::kWhole : Smallest::kByFrameRate;
  for (size_t i = 0; i < videos_.size(); ++i) {
    const auto room = std::span(offers_).subspan(i * kMaxOffers, kMaxOffers);
    const size_t all = videos_[i]->track->layers.offers(nowUs, room);
    const forward::Layer best = videos_[i]->wished();
    const size_t count = keepSteps(room.first(all), best, smallest);
    const TrackWish& wish = videos_[i]->stream.spec().wish;
    claims_.push_back({videos_[i]->stream.ssrc(), room.first(count), best, worth(wish), wish.mayPause});
    unknown_ = unknown_ || count == 0;
  }
  allotted_.resize(claims_.size());
  allottedUs_ = nowUs;
  allottedBy_ = estimator_.target();
  Bps video = std::max<Bps>(0, allottedBy_ - reserved_);
  // Where padding tells nothing, the next layer itself is the probe: one at a time, and later again when it was in
  // vain.
  if (estimator_.ignoresPadding() && !estimator_.congested()) video = std::max(video, kLeap * allotment_.spent());
  const Allotment::Budget budget{video, guessed, distressed, !givesFeedback(nowUs)};
  allotment_.decide(claims_, budget, nowUs, allotted_);
  for (size_t i = 0; i < videos_.size(); ++i) {
    videos_[i]->allot(allotted_[i].target);
    videos_[i]->hold(allotted_[i].paused);
  }
  estimator_.setWanted(allotment_.wanted() + reserved_);
}

Subscriber* SendControl::carrier() {
  if (carrier_) {
    Subscriber* known = subscriptions_.find(*carrier_);
    if (known != nullptr && canCarry(*known)) return known;
  }
  Subscriber* found = nullptr;
  subscriptions_.forEach([&](Subscriber& each) {
    if (found == nullptr && canCarry(each)) found = &each;
  });
  return found;
}

void SendControl::probe(TimeUs nowUs) {
  Subscriber* through = carrier();
  if (through == nullptr) {
    carrier_.reset();
    return;
  }
  const uint32_t bytes = estimator_.paddingDue(nowUs);
  if (bytes == 0) return;
  send::OutgoingStream& stream = through->stream;
  const size_t count = std::min((bytes + send::kPaddingBytes - 1) / send::kPaddingBytes, send::kMaxPaddingPackets);
  const uint16_t firstSeq = transport_.nextTransportSeq;
  const send::PaddingStream on{*stream.rtxSsrc(), *repairPayloadType(stream), stream.rtxSeq(), paddingTimestamp(nowUs)};
  const size_t each = send::writePadding(on, count, transport_, shard_.world.datagrams(), nowUs, shard_.counters);
  for (size_t i = 0; i < count; ++i) (void)stream.takeRtxSeq();
  const auto sent = static_cast<uint16_t>(transport_.nextTransportSeq - firstSeq);
  for (uint16_t i = 0; i < sent; ++i) {
    estimator_.onSend(static_cast<uint16_t>(firstSeq + i), static_cast<uint32_t>(each), nowUs,
                      congestion::Content::kPadding);
  }
}

SendSnapshot SendControl::snapshot() const {
  const congestion::EstimatorSnapshot e = estimator_.snapshot();
  return {static_cast<uint64_t>(e.target),
          static_cast<uint64_t>(e.acked.value_or(0)),
          e.loss,
          e.inherentLoss,
          static_cast<double>(e.queueUs) / 1'000.0,
          e.bytesInFlight};
}

}  // namespace sluice
