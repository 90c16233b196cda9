import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { systemClock } from './system-clock.ts';

test('system clock: time grows and counts microseconds', () => {
  const first = systemClock.nowUs();
  assert.ok(Number.isInteger(first));
  assert.ok(systemClock.nowUs() >= first);
  assert.ok(systemClock.unixMs() > 1_700_000_000_000);
});

test('system clock: a timer of nothing is the next turn, not this one', async () => {
  let fired = false;
  await new Promise<void>((resolve) => {
    systemClock.setTimer(0, () => {
      fired = true;
      resolve();
    });
    assert.equal(fired, false);
  });
});

test('system clock: cancelled timers do not fire', async () => {
  let fired = 0;
  systemClock.setTimer(0, () => fired++).cancel();
  systemClock.setTimer(1_000, () => fired++).cancel();
  await new Promise<void>((resolve) => void systemClock.setTimer(2_000, resolve));
  assert.equal(fired, 0);
});

test('system clock: a timer longer than 32 bits of milliseconds does not fire at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let fired = 0;
    const timer = systemClock.setTimer(60 * 86_400 * 1_000_000, () => fired++);
    mock.timers.tick(1_000);
    assert.equal(fired, 0);
    timer.cancel();
  } finally {
    mock.timers.reset();
  }
});
