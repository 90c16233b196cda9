import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@sluice/runtime/internal';
import fc from 'fast-check';
import type { Lease } from '../bus.ts';
import { type LeaseEntry, type LeaseStore, Leases } from './leases.ts';

const LEASE_US = 3_000_000;
const RETRY_US = 500_000;

/** The records of one store, which can be wiped. */
class Records {
  readonly entries = new Map<string, LeaseEntry>();
  #revisions = 0;

  read(name: string): LeaseEntry | undefined {
    return this.entries.get(name);
  }

  write(name: string, record: LeaseEntry['record'], revision: number): number | undefined {
    if ((this.entries.get(name)?.revision ?? 0) !== revision) return undefined;
    this.entries.set(name, { revision: ++this.#revisions, record });
    return this.#revisions;
  }

  wipe(): void {
    this.entries.clear();
    this.#revisions = 0;
  }
}

/** One process that wants the lease `rooms` for as long as it runs, over a way that takes time and loses answers. */
class Process {
  readonly leases: Leases;
  readonly #clock: VirtualClock;
  connected = true;
  /** Of the next calls: before, and whether the answer gets lost after what was asked was done. */
  delayUs = 1_000;
  losesAnswers = false;
  holds: Lease | undefined;

  constructor(name: string, clock: VirtualClock, records: Records) {
    this.#clock = clock;
    const call = <T>(work: () => T): Promise<T> => this.#call(work);
    const store: LeaseStore = {
      read: (key) => call(() => records.read(key)),
      write: (key, record, revision) => call(() => records.write(key, record, revision)),
    };
    this.leases = new Leases({
      clock,
      holder: name,
      store: () => (this.connected ? store : undefined),
      answered: () => undefined,
    });
  }

  async try(): Promise<Lease | undefined> {
    const lease = await this.leases.acquire('rooms', LEASE_US, () => {
      this.holds = undefined;
    });
    this.holds ??= lease;
    return lease;
  }

  #call<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const { losesAnswers } = this;
      this.#clock.setTimer(this.delayUs, () => {
        if (!this.connected) return reject(new Error('away'));
        const answer = work();
        if (losesAnswers) reject(new Error('timeout'));
        else resolve(answer);
      });
    });
  }
}

type Step =
  | { readonly type: 'pass' }
  | { readonly type: 'wipe' }
  | { readonly type: 'release' }
  | { readonly type: 'cut' | 'slow' | 'lossy'; readonly who: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ type: 'pass' as const }) },
  fc.constant({ type: 'wipe' as const }),
  fc.constant({ type: 'release' as const }),
  fc.record({ type: fc.constantFrom('cut' as const, 'slow' as const, 'lossy' as const), who: fc.nat(2) }),
);

test('leases: whatever is cut, slow, lost or wiped, one holds it at a time, epochs grow, and someone gets it again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 25 }), async (plan) => {
      const clock = new VirtualClock();
      const records = new Records();
      const all = ['a', 'b', 'c'].map((name) => new Process(name, clock, records));
      let lastEpoch = 0;
      const tries: Promise<void>[] = [];
      const round = async (): Promise<void> => {
        for (const one of all) {
          const granted = one.try().then((lease) => {
            if (lease === undefined) return;
            assert.ok(lease.epoch > lastEpoch, 'epochs grow');
            lastEpoch = lease.epoch;
          });
          tries.push(granted);
        }
        for (let i = 0; i < 5; i++) {
          await clock.run(RETRY_US / 5);
          assert.ok(all.filter(({ holds }) => holds !== undefined).length <= 1, 'one holder at a time');
        }
      };
      for (const step of plan) {
        await take(step, all, records);
        await round();
      }
      for (const one of all) comeBack(one);
      for (let i = 0; i < 12; i++) await round();
      await Promise.all(tries);
      assert.equal(all.filter(({ holds }) => holds !== undefined).length, 1, 'someone has it in the end');
      await Promise.all([clock.run(LEASE_US), ...all.map(async ({ leases }) => await leases.close())]);
      assert.equal(clock.pendingTimers(), 0);
    }),
    { numRuns: 60 },
  );
});

async function take(step: Step, all: readonly Process[], records: Records): Promise<void> {
  if (step.type === 'wipe') {
    for (const one of all) one.connected = false;
    records.wipe();
    for (const one of all) comeBack(one);
  } else if (step.type === 'release') {
    const holder = all.find(({ holds }) => holds !== undefined);
    const lease = holder?.holds;
    if (holder !== undefined) holder.holds = undefined;
    void lease?.release();
  } else if ('who' in step) {
    const one = all[step.who];
    if (one === undefined) return;
    if (step.type === 'cut' && !one.connected) comeBack(one);
    else if (step.type === 'cut') one.connected = false;
    else if (step.type === 'slow') one.delayUs = one.delayUs > 1_000 ? 1_000 : 400_000;
    else one.losesAnswers = !one.losesAnswers;
  }
}

function comeBack(one: Process): void {
  one.connected = true;
  one.delayUs = 1_000;
  one.losesAnswers = false;
  one.leases.returned();
}
