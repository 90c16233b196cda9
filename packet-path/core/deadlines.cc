#include "deadlines.h"

namespace sluice {

void Deadlines::set(Sleeper& sleeper, TimeUs atUs) {
  const TimeUs before = sleeper.atUs_;
  sleeper.atUs_ = atUs;
  if (sleeper.slot_ == Sleeper::kNowhere) {
    if (atUs == kNever) return;
    heap_.push_back(&sleeper);
    up(heap_.size() - 1, sleeper);
  } else if (atUs == kNever) {
    const size_t slot = sleeper.slot_;
    sleeper.slot_ = Sleeper::kNowhere;
    Sleeper* last = heap_.back();
    heap_.pop_back();
    if (last == &sleeper) return;
    // The last one takes the free place, from which it may have to go either way.
    up(slot, *last);
    down(last->slot_, *last);
  } else if (atUs < before) {
    up(sleeper.slot_, sleeper);
  } else {
    down(sleeper.slot_, sleeper);
  }
}

void Deadlines::place(size_t slot, Sleeper& sleeper) {
  heap_[slot] = &sleeper;
  sleeper.slot_ = slot;
}

void Deadlines::up(size_t slot, Sleeper& sleeper) {
  while (slot > 0) {
    const size_t parent = (slot - 1) / 2;
    if (heap_[parent]->atUs_ <= sleeper.atUs_) break;
    place(slot, *heap_[parent]);
    slot = parent;
  }
  place(slot, sleeper);
}

void Deadlines::down(size_t slot, Sleeper& sleeper) {
  while (true) {
    size_t child = 2 * slot + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->atUs_ < heap_[child]->atUs_) ++child;
    if (heap_[child]->atUs_ >= sleeper.atUs_) break;
    place(slot, *heap_[child]);
    slot = child;
  }
  place(slot, sleeper);
}

}  // namespace sluice
