#include "allotment.h"

#include <algorithm>

namespace sluice {

using congestion::Bps;
using congestion::Demand;
using forward::Layer;
using forward::Layers;

namespace {

// The best offer that is no better than `layer`; -1 when there is none.
int placeOf(Layer layer, std::span<const Layers::Offer> offers) {
  int place = -1;
  for (const Layers::Offer& offer : offers) {
    if (!(offer.layer.spatial < layer.spatial || offer.layer.within(layer))) break;
    ++place;
  }
  return place;
}

// Less than what is probed beyond what is wanted (Prober).
constexpr double kPlenty = 1.1;

}  // namespace

size_t keepSteps(std::span<Layers::Offer> offers, Layer best, Smallest smallest) {
  size_t kept = 0;
  const uint8_t first = offers.empty() ? uint8_t{0} : offers.front().layer.spatial;
  for (size_t i = 0; i < offers.size(); ++i) {
    const Layer layer = offers[i].layer;
    if (i > 0 && !layer.within(best)) continue;
    // The last one of a larger picture stands for all of it.
    const bool whole = layer.spatial != first || smallest == Smallest::kWhole;
    if (whole && kept > 0 && offers[kept - 1].layer.spatial == layer.spatial) --kept;
    offers[kept++] = offers[i];
  }
  return kept;
}

void Allotment::decide(std::span<const Claim> claims, Budget budget, TimeUs nowUs, std::span<Allotted> out) {
  for (Stream& s : streams_) s.claimed = false;
  size_t offers = 0;
  for (const Claim& c : claims) offers += c.offers.size();
  costs_.clear();
  costs_.reserve(offers);  // demands point into it
  demands_.clear();
  chosen_.assign(claims.size(), -1);
  for (const Claim& c : claims) {
    const size_t first = costs_.size();
    for (const Layers::Offer& o : c.offers) costs_.push_back(onTheWire(o.bitsPerSecond));
    Stream& stream = streamOf(c.ssrc);
    Demand d;
    d.layers = std::span<const Bps>(costs_).subspan(first);
    d.weight = c.weight;
    d.current = stream.any && !stream.has.paused ? placeOf(stream.has.target.layer, c.offers) : -1;
    d.mayPause = false;
    demands_.push_back(d);
  }
  wanted_ = congestion::wanted(demands_);
  const bool plenty = static_cast<double>(budget.video) >= kPlenty * static_cast<double>(wanted_);
  for (size_t i = 0; i < claims.size(); ++i) {
    const Stream& stream = streamOf(claims[i].ssrc);
    if (nowUs >= stream.heldUntilUs || plenty) continue;
    // Frame rates of one picture are changed without a key frame: they are not held.
    size_t most = static_cast<size_t>(std::max(demands_[i].current, 0));
    const auto& of = claims[i].offers;
    while (most < of.size() && of[most].layer.spatial <= stream.has.target.layer.spatial) ++most;
    demands_[i].layers = demands_[i].layers.first(most);
  }
  if (budget.unlimited) budget.video = INT64_MAX / 4;
  spent_ = congestion::allocate(demands_, budget.video, chosen_);
  judgePauses(budget.distressed, nowUs);
  if (pausesNow(budget, nowUs)) {
    for (size_t i = 0; i < claims.size(); ++i) demands_[i].mayPause = claims[i].mayPause;
    spent_ = congestion::allocate(demands_, budget.video, chosen_);
  }
  if (!plenty) raiseOneByOne(claims, nowUs);
  for (size_t i = 0; i < claims.size(); ++i) {
    Stream& stream = streamOf(claims[i].ssrc);
    settle(stream, claims[i], demands_[i].current, chosen_[i], budget, nowUs);
    out[i] = stream.has;
  }
  notePauses(claims, out, nowUs);
  std::erase_if(streams_, [](const Stream& s) { return !s.claimed; });
}

Allotment::Stream& Allotment::streamOf(Ssrc ssrc) {
  const auto known = std::find_if(streams_.begin(), streams_.end(), [ssrc](const Stream& s) { return s.ssrc == ssrc; });
  if (known != streams_.end()) {
    known->claimed = true;
    return *known;
  }
  Stream& fresh = streams_.emplace_back();
  fresh.ssrc = ssrc;
  fresh.claimed = true;
  return fresh;
}

// Key frames of several streams at once are a burst that fills the path's queue.
void Allotment::raiseOneByOne(std::span<const Claim> claims, TimeUs nowUs) {
  bool raised = raisedUs_ != kNever && nowUs - raisedUs_ < kRaiseEveryUs;
  for (size_t i = 0; i < claims.size(); ++i) {
    const int before = demands_[i].current;
    if (!streamOf(claims[i].ssrc).any || before < 0 || chosen_[i] <= before) continue;
    const auto& offers = claims[i].offers;
    if (offers[static_cast<size_t>(chosen_[i])].layer.spatial == offers[static_cast<size_t>(before)].layer.spatial) {
      continue;
    }
    if (raised) {
      spent_ -= costOf(i, chosen_[i]) - costOf(i, before);
      chosen_[i] = before;
    } else {
      raised = true;
      raisedUs_ = nowUs;
    }
  }
}

bool Allotment::anyPaused() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const Stream& s) { return s.has.paused; });
}

void Allotment::notePauses(std::span<const Claim> claims, std::span<const Allotted> got, TimeUs nowUs) {
  allPaused_ = true;
  for (size_t i = 0; i < claims.size(); ++i) {
    allPaused_ = allPaused_ && (got[i].paused || !claims[i].mayPause || claims[i].offers.empty());
  }
  if (anyPaused() == (pausedSinceUs_ != kNever)) return;
  if (pausedSinceUs_ != kNever) {
    pausedSinceUs_ = kNever;
    pausesEndedUs_ = nowUs;
    return;
  }
  pausedSinceUs_ = nowUs;
  const bool heldOut = pausesEndedUs_ == kNever || nowUs - pausesEndedUs_ >= kHeldOutUs;
  retryUs_ = heldOut ? kFirstRetryUs : std::min(2 * retryUs_, kLongestRetryUs);
}

void Allotment::judgePauses(bool distressed, TimeUs nowUs) {
  if (pausedSinceUs_ == kNever) return;
  const TimeUs forUs = nowUs - pausedSinceUs_;
  if (distressed && allPaused_ && forUs >= kPauseHelpsWithinUs) {
    // A queue that others fill stands whether our video is in it or not.
    patientUntilUs_ = nowUs + patienceUs_;
    patienceUs_ = std::min(2 * patienceUs_, kLongestPatienceUs);
  } else if (!distressed && forUs >= retryUs_) {
    patientUntilUs_ = nowUs + kPauseAfterUs;
    patienceUs_ = kFirstPatienceUs;
  }
}

// The least of everything was tried, and is too much. What is paused stays so while it is.
bool Allotment::pausesNow(Budget budget, TimeUs nowUs) {
  if (nowUs < patientUntilUs_) {
    tooLittleSinceUs_ = kNever;
    return false;
  }
  if (spent_ <= budget.video || budget.guessed) {
    // Nothing is paused any more when there is room for all: with some to spare, or it would be paused again.
    if (!anyPaused() || budget.guessed || spent_ + spent_ / 10 <= budget.video) {
      tooLittleSinceUs_ = kNever;
      return false;
    }
  }
  if (tooLittleSinceUs_ == kNever) tooLittleSinceUs_ = nowUs;
  return nowUs - tooLittleSinceUs_ >= kPauseAfterUs;
}

void Allotment::settle(Stream& stream, const Claim& claim, int before, int now, Budget budget, TimeUs nowUs) {
  if (claim.offers.empty()) {
    // Of what is not sent nothing can be taken away.
    if (!stream.any) stream.has = {{budget.unlimited ? claim.best : kLeast, false}, false};
    return;
  }
  const bool first = !stream.any;
  stream.any = true;
  stream.has.paused = now < 0;
  if (now >= 0) stream.has.target = {claim.offers[static_cast<size_t>(now)].layer, !first && now < before};
  // With plenty of room what begins to be sent better tomorrow is let through before it is measured.
  const bool best = now + 1 == static_cast<int>(claim.offers.size());
  if (best && static_cast<double>(budget.video) >= kPlenty * static_cast<double>(spent_)) {
    stream.has.target = {claim.best, false};
  }
  if (first || now == before) return;
  if (now > before) {
    stream.enteredUs = nowUs;
    return;
  }
  const bool inVain = nowUs - stream.enteredUs < kInVainUs;
  stream.heldUntilUs = std::max(stream.heldUntilUs, nowUs + (inVain ? stream.holdUs : kHoldUs));
  stream.holdUs = inVain ? std::min(2 * stream.holdUs, kLongestHoldUs) : kFirstHoldUs;
}

}  // namespace sluice
