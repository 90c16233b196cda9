// The packet path's only door to time.
#pragma once

#include <ctime>

#include "../core/wire/types.h"

namespace sluice::io {

inline TimeUs readClockUs(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return TimeUs{t.tv_sec} * kSecondUs + t.tv_nsec / 1'000;
}

/// Now, on the clock that every shard, queue and deadline of a process shares.
inline TimeUs monotonicUs() {
  return readClockUs(CLOCK_MONOTONIC);
}

/// CPU time that the calling thread has used, in user and kernel.
inline TimeUs threadCpuUs() {
  return readClockUs(CLOCK_THREAD_CPUTIME_ID);
}

/// Puts the calling thread to sleep; a signal may cut it short.
inline void sleepFor(TimeUs us) {
  const timespec t{static_cast<time_t>(us / kSecondUs), static_cast<long>(us % kSecondUs) * 1'000};
  (void)::nanosleep(&t, nullptr);
}

}  // namespace sluice::io
