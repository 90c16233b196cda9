import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from './virtual-clock.ts';

test('virtual clock: timers fire in order of deadline, equal ones in the order set, each at its time', () => {
  const clock = new VirtualClock(0);
  const fired: string[] = [];
  const set = (afterUs: number, name: string): void => {
    clock.setTimer(afterUs, () => fired.push(`${name}@${clock.nowUs()}`));
  };
  set(20, 'c');
  set(10, 'a');
  set(10, 'b');
  clock.advance(15);
  assert.deepEqual(fired, ['a@10', 'b@10']);
  assert.equal(clock.nowUs(), 15);
  assert.equal(clock.nextDeadlineUs(), 20);
  clock.advance(5);
  assert.deepEqual(fired.slice(2), ['c@20']);
});

test('virtual clock: a timer set by a timer fires in the same advance when it is due', () => {
  const clock = new VirtualClock(0);
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.nowUs());
    clock.setTimer(10, again);
  };
  clock.setTimer(10, again);
  clock.advance(35);
  assert.deepEqual(fired, [10, 20, 30]);
});

test('virtual clock: a cancelled timer does not fire, and cancelling late or twice is fine', () => {
  const clock = new VirtualClock(0);
  let fired = 0;
  const first = clock.setTimer(10, () => fired++);
  const second = clock.setTimer(10, () => fired++);
  first.cancel();
  first.cancel();
  assert.equal(clock.pendingTimers(), 1);
  clock.advance(10);
  second.cancel();
  assert.equal(fired, 1);
  assert.equal(clock.pendingTimers(), 0);
  assert.equal(clock.nextDeadlineUs(), undefined);
});

test('virtual clock: the wall clock moves with it', () => {
  const clock = new VirtualClock(5_000_000, 1_000);
  assert.equal(clock.unixMs(), 1_000);
  clock.advance(1_999);
  assert.equal(clock.unixMs(), 1_001);
});

test('virtual clock: run lets promises settle between timers', async () => {
  const clock = new VirtualClock(0);
  const seen: string[] = [];
  const wait = (us: number): Promise<void> => new Promise((resolve) => void clock.setTimer(us, resolve));
  const task = async (): Promise<void> => {
    await wait(10);
    seen.push(`first@${clock.nowUs()}`);
    await wait(10);
    seen.push(`second@${clock.nowUs()}`);
  };
  const done = task();
  await clock.run(100);
  await done;
  assert.deepEqual(seen, ['first@10', 'second@20']);
  assert.equal(clock.nowUs(), 100);
});

test('virtual clock: whatever is set and cancelled, what is left fires sorted', () => {
  const timers = fc.array(fc.record({ afterUs: fc.nat(50), cancel: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(timers, (wishes) => {
      const clock = new VirtualClock(0);
      const fired: [number, number][] = [];
      const set = wishes.map(({ afterUs }, i) => clock.setTimer(afterUs, () => fired.push([afterUs, i])));
      wishes.forEach(({ cancel }, i) => {
        if (cancel) set[i]?.cancel();
      });
      clock.advance(50);
      const expected = wishes
        .map(({ afterUs, cancel }, i) => ({ entry: [afterUs, i] as [number, number], cancel }))
        .filter(({ cancel }) => !cancel)
        .map(({ entry }) => entry)
        .sort(([a, i], [b, j]) => a - b || i - j);
      assert.deepEqual(fired, expected);
    }),
  );
});
