#include "media_peer.h"

#include <algorithm>

namespace sluice::peer {

void MediaPeer::start(TimeUs nowUs) {
  nowUs_ = nowUs;
  peer_.start(nowUs);
}

void MediaPeer::receive(Bytes datagram, const Address& from, TimeUs nowUs) {
  nowUs_ = nowUs;
  peer_.receive(datagram, from, nowUs);
}

void MediaPeer::apply(const MediaSpec& spec, TimeUs nowUs) {
  nowUs_ = nowUs;
  if (!media_) {
    media_.emplace(options_);
    if (connected_) media_->start(nowUs);
  }
  media_->apply(spec, nowUs);
}

void MediaPeer::setTarget(uint64_t bitsPerSecond) {
  if (media_) media_->setTarget(bitsPerSecond);
}

TimeUs MediaPeer::nextDeadline() const {
  const TimeUs media = media_ && !ended_ ? media_->nextDeadline() : kNever;
  return std::min(media, peer_.nextDeadline());
}

void MediaPeer::onDeadline(TimeUs nowUs) {
  nowUs_ = nowUs;
  if (peer_.nextDeadline() <= nowUs) peer_.onDeadline(nowUs);
  if (media_ && !ended_ && media_->nextDeadline() <= nowUs) media_->onDeadline(nowUs, *this);
}

std::optional<MediaReport> MediaPeer::report(TimeUs nowUs) {
  if (!media_) return {};
  return media_->report(nowUs);
}

void MediaPeer::connected(bool media) {
  connected_ = media;
  if (media && media_) media_->start(nowUs_);
  owner_.connected(media);
}

void MediaPeer::rtp(Bytes packet) {
  if (!media_) return owner_.rtp(packet);
  media_->receiveRtp(packet, nowUs_);
}

void MediaPeer::rtcp(Bytes compound) {
  if (!media_) return owner_.rtcp(compound);
  media_->receiveRtcp(compound, nowUs_, *this);
}

void MediaPeer::ended(EndReason reason) {
  ended_ = true;
  owner_.ended(reason);
}

}  // namespace sluice::peer
