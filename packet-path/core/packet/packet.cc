#include "packet.h"

#include <algorithm>

namespace sluice {

static_assert(sizeof(Packet) <= 2'048, "a packet and what is known of it fill half a page at most");

struct PacketPool::Slab {
  Packet packets[kSlabPackets];
  Slab* next = nullptr;
};

void PacketRef::release() {
  if (packet_ == nullptr) return;
  if (packet_->refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) packet_->pool_->giveBack(packet_);
  packet_ = nullptr;
}

PacketPool::PacketPool(size_t maxPackets) : maxPackets_(std::max(maxPackets, kSlabPackets)) {}

PacketPool::~PacketPool() {
  while (slabs_ != nullptr) {
    Slab* next = slabs_->next;
    delete slabs_;
    slabs_ = next;
  }
}

PacketRef PacketPool::take() {
  if (free_ == nullptr) free_ = returned_.exchange(nullptr, std::memory_order_acquire);
  if (free_ == nullptr && allocated_ < maxPackets_) grow();
  if (free_ == nullptr) return {};
  Packet* p = free_;
  free_ = p->next_;
  p->next_ = nullptr;
  p->size = p->payloadOffset = p->payloadSize = p->primarySkip = 0;
  p->primaryFormat = 0;
  p->audioLevel = 0xFF;
  p->encoding = p->extensionCount = 0;
  p->marker = p->recovered = p->entryPoint = false;
  p->refs_.store(1, std::memory_order_relaxed);
  return PacketRef(p);
}

size_t PacketPool::inUse() const {
  size_t idle = 0;
  for (const Packet* p = free_; p != nullptr; p = p->next_) ++idle;
  for (const Packet* p = returned_.load(std::memory_order_acquire); p != nullptr; p = p->next_) ++idle;
  return allocated_ - idle;
}

void PacketPool::giveBack(Packet* p) {
  Packet* head = returned_.load(std::memory_order_relaxed);
  do {
    p->next_ = head;
  } while (!returned_.compare_exchange_weak(head, p, std::memory_order_release, std::memory_order_relaxed));
}

void PacketPool::grow() {
  Slab* slab = new Slab;
  slab->next = slabs_;
  slabs_ = slab;
  for (Packet& p : slab->packets) {
    p.pool_ = this;
    p.next_ = free_;
    free_ = &p;
  }
  allocated_ += kSlabPackets;
}

}  // namespace sluice
