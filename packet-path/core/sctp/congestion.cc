#include "congestion.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

/// RFC 9260 §7.2.1: min(4 PMDCS, max(2 PMDCS, 4404 bytes)).
size_t initialWindow(size_t mtu) {
  return std::min(4 * mtu, std::max(2 * mtu, size_t{4404}));
}

}  // namespace

Congestion::Congestion(size_t mtuBytes) : mtu_(mtuBytes), window_(initialWindow(mtuBytes)) {}

void Congestion::begin(size_t peerWindowBytes) {
  window_ = initialWindow(mtu_);
  slowStartUpTo_ = peerWindowBytes;
  partialBytes_ = 0;
  recovering_ = false;
}

void Congestion::onAdvanced(Tsn cumulative, size_t bytes, size_t flightBytes) {
  if (recovering_) {
    recovering_ = cumulative < recoverUpTo_;
    return;
  }
  const bool fullyUsed = flightBytes >= window_;
  if (window_ <= slowStartUpTo_) {
    if (fullyUsed) window_ += std::min(bytes, mtu_);
    return;
  }
  partialBytes_ += bytes;
  if (partialBytes_ < window_) return;
  if (fullyUsed) {
    partialBytes_ -= window_;
    window_ += mtu_;
  } else {
    partialBytes_ = window_;
  }
}

bool Congestion::onLoss(Tsn highest) {
  if (recovering_) return false;
  slowStartUpTo_ = window_ = halved();
  partialBytes_ = 0;
  recovering_ = true;
  recoverUpTo_ = highest;
  return true;
}

void Congestion::onTimeout() {
  slowStartUpTo_ = halved();
  window_ = mtu_;
  partialBytes_ = 0;
  recovering_ = false;
}

void Congestion::onIdle(size_t timeouts) {
  for (; timeouts > 0 && window_ > 4 * mtu_; --timeouts) window_ = halved();
}

size_t Congestion::halved() const {
  return std::max(window_ / 2, 4 * mtu_);
}

}  // namespace sluice::sctp
