import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Intent, ParticipantId, ParticipantView, RoomId, RoomName } from '@sluice/contracts';
import { RoomViewReader } from '@sluice/contracts';
import { sampleIntent, sampleTrack } from '@sluice/contracts/internal';
import fc from 'fast-check';
import { Room, type RoomInput, type RoomSink } from './room.ts';
import { partialView, wholeView } from './view-parts.ts';

const START_MS = 1_800_000_000_000;

/** What one participant does, in order: its own sayings never overtake each other. */
interface Course {
  readonly sid: string;
  readonly identity: string;
  readonly joinedAtMs: number;
  readonly steps: readonly Step[];
}
type Step =
  | { readonly name: string }
  | { readonly tracks: number }
  | { readonly speaking: number }
  | { readonly wants: readonly { readonly of: number; readonly quality: string }[] }
  | 'leave'
  | 'removed';

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ name: fc.constantFrom('x', 'y', 'z') }),
  fc.record({ tracks: fc.nat(2) }),
  fc.record({ speaking: fc.constantFrom(0, 0.5, 1) }),
  fc.record({
    wants: fc.uniqueArray(fc.record({ of: fc.nat(5), quality: fc.constantFrom('off', 'low', 'medium', 'high') }), {
      selector: ({ of }) => of,
      maxLength: 4,
    }),
  }),
  fc.constantFrom('leave' as const, 'removed' as const),
);

const courses: fc.Arbitrary<Course[]> = fc
  .array(
    fc.record({
      identity: fc.constantFrom('alice', 'bob', 'carol'),
      joinedAtMs: fc.integer({ min: START_MS - 5, max: START_MS }),
      steps: fc.array(step, { maxLength: 4 }),
    }),
    { maxLength: 6 },
  )
  .map((list) => list.map((course, i) => ({ ...course, sid: `p${i}` })));

/** A want for the first track of the participant of that number. */
const wantOf = ({ of, quality }: { of: number; quality: string }): object => ({
  track: sampleTrack(`p${of}x1`).track,
  quality,
});

/** A course as inputs: a join, its steps, and nothing after the end. */
function inputsOf({ sid, identity, joinedAtMs, steps }: Course): RoomInput[] {
  let over: Record<string, unknown> = { identity, joinedAtMs };
  const inputs: RoomInput[] = [{ type: 'intent', intent: sampleIntent(sid, over) }];
  for (const one of steps) {
    if (one === 'removed') {
      inputs.push({ type: 'unspoken', participant: `PA_${sid}` as ParticipantId, why: 'removed' });
      break;
    }
    if (one === 'leave') over = { ...over, left: 'client-initiated' };
    else if ('name' in one) over = { ...over, name: one.name };
    else if ('tracks' in one)
      over = { ...over, tracks: ['1', '2'].slice(0, one.tracks).map((n) => sampleTrack(`${sid}x${n}`)) };
    else if ('wants' in one) over = { ...over, wants: one.wants.map(wantOf) };
    else over = { ...over, speaking: { active: one.speaking > 0, level: one.speaking } };
    inputs.push({ type: 'intent', intent: sampleIntent(sid, over) });
    if (one === 'leave') break;
  }
  return inputs;
}

/** The courses' inputs merged in the order that `picks` chooses. */
function merged(all: readonly Course[], picks: readonly number[]): RoomInput[] {
  const queues = all.map(inputsOf);
  const out: RoomInput[] = [];
  for (let turn = 0; queues.some((queue) => queue.length > 0); turn++) {
    const open = queues.filter((queue) => queue.length > 0);
    const next = open[(picks[turn % Math.max(1, picks.length)] ?? 0) % open.length]?.shift();
    if (next !== undefined) out.push(next);
  }
  return out;
}

const quiet: RoomSink = { changed: () => {}, event: () => {} };
const settings = {
  emptyTimeoutS: 300,
  departureTimeoutS: 20,
  maxParticipants: 0,
  maxMetadataBytes: 1_000,
  maxAttributesBytes: 1_000,
  maxNameCharacters: 256,
};
const makeRoom = (): Room =>
  new Room({ roomName: 'room' as RoomName, room: 'RM_1' as RoomId, createdAtMs: START_MS }, settings, 0);
const at = (nowUs: number): { nowUs: number; unixMs: number } => ({
  nowUs,
  unixMs: START_MS + Math.floor(nowUs / 1_000),
});

/** The room as it is, but for versions and how those who lost were turned away. */
function essence(room: Room): unknown {
  const here = room.participants().filter(({ left }) => left === undefined);
  const gone = room.participants().filter(({ left }) => left !== undefined);
  return {
    here: here.map(({ version: _, ...rest }) => rest).sort((a, b) => (a.participant < b.participant ? -1 : 1)),
    gone: gone.map(({ participant }) => participant).sort(),
    info: room.info(),
  };
}

const picks = fc.array(fc.nat(5), { minLength: 1, maxLength: 40 });

test('room: the order of different participants does not matter', () => {
  fc.assert(
    fc.property(courses, picks, picks, (all, first, second) => {
      const [a, b] = [makeRoom(), makeRoom()];
      for (const input of merged(all, first)) a.handle(input, at(0), quiet);
      for (const input of merged(all, second)) b.handle(input, at(0), quiet);
      assert.deepEqual(withoutUnseen(essence(a)), withoutUnseen(essence(b)));
    }),
  );
});

/** A participant that came and went before anyone looked leaves a farewell in one order and none in another. */
const withoutUnseen = (seen: unknown): unknown => {
  const { gone: _, ...rest } = seen as Record<string, unknown>;
  return rest;
};

test('room: of each identity at most one is here, the one that joined last of all that ever came', () => {
  fc.assert(
    fc.property(courses, picks, (all, order) => {
      const room = makeRoom();
      for (const input of merged(all, order)) room.handle(input, at(0), quiet);
      const here = room.participants().filter(({ left }) => left === undefined);
      assert.equal(new Set(here.map(({ identity }) => identity)).size, here.length);
      for (const one of here) {
        const rivals = all.filter(({ identity }) => identity === one.identity);
        const last = rivals.sort((a, b) => b.joinedAtMs - a.joinedAtMs || (a.sid < b.sid ? 1 : -1))[0];
        assert.equal(one.participant, `PA_${last?.sid}`);
      }
    }),
  );
});

test('room: replays change nothing, and versions never fall', () => {
  fc.assert(
    fc.property(courses, picks, fc.array(fc.nat(200_000), { maxLength: 40 }), (all, order, waits) => {
      const room = makeRoom();
      const versions = new Map<ParticipantId, number>();
      let nowUs = 0;
      for (const [i, input] of merged(all, order).entries()) {
        nowUs += waits[i] ?? 0;
        room.handle(input, at(nowUs), quiet);
        const before = structuredClone(room.participants());
        room.handle(input, at(nowUs + 60_000), quiet);
        assert.deepEqual(room.participants(), before);
        for (const { participant, version } of before) {
          assert.ok(version >= (versions.get(participant) ?? 0));
          versions.set(participant, version);
        }
      }
    }),
  );
});

test('room: partial views put together equal the complete one, whenever they were taken and whichever were lost', () => {
  const takes = fc.array(fc.constantFrom('take' as const, 'lose' as const, 'wait' as const, 'skip' as const), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(courses, picks, takes, (all, order, plan) => {
      const room = makeRoom();
      const reader = new RoomViewReader();
      let nowUs = 0;
      let generation = 0;
      const whole = (): void => {
        for (const view of wholeView(room.info(), room.participants())) reader.apply({ epoch: 1, generation }, view);
      };
      const take = (lost: boolean): void => {
        const changes = room.takeChanges();
        const since = generation++;
        const views =
          since === 0 ? wholeView(room.info(), room.participants()) : partialView(room.info(), since, changes);
        if (lost) return;
        for (const view of views) if (reader.apply({ epoch: 1, generation }, view).type === 'gap') whole();
      };
      for (const [i, input] of merged(all, order).entries()) {
        room.handle(input, at(nowUs), quiet);
        const what = plan[i % plan.length];
        if (what === 'take' || what === 'lose') take(what === 'lose');
        if (what === 'wait') nowUs += 31_000_000;
        room.onDeadline(at(nowUs), quiet);
      }
      take(false);
      const sorted = (list: Iterable<ParticipantView>): ParticipantView[] =>
        [...list].sort((a, b) => (a.participant < b.participant ? -1 : 1));
      assert.deepEqual(sorted(reader.participants()), sorted(room.participants()));
      assert.deepEqual(reader.info, room.info());
    }),
  );
});

test('room: each track is wanted as well as whoever is here wants it best', () => {
  const rank = ['off', 'low', 'medium', 'high'];
  fc.assert(
    fc.property(courses, picks, (all, order) => {
      const room = makeRoom();
      const said = new Map<string, Intent['wants']>();
      for (const input of merged(all, order)) {
        room.handle(input, at(0), quiet);
        if (input.type === 'intent') said.set(input.intent.participant, input.intent.wants);
      }
      const here = room.participants().filter(({ left }) => left === undefined);
      const wants = here.flatMap(({ participant }) => said.get(participant) ?? []);
      for (const { tracks, wanted } of here) {
        const expected = tracks.flatMap(({ track }) => {
          const best = Math.max(-1, ...wants.filter((one) => one.track === track).map((w) => rank.indexOf(w.quality)));
          return best < 0 ? [] : [{ track, quality: rank[best] }];
        });
        assert.deepEqual(wanted, expected);
      }
    }),
  );
});

test('room: what it remembers and shows ends when everyone is gone', () => {
  fc.assert(
    fc.property(courses, picks, (all, order) => {
      const room = makeRoom();
      for (const input of merged(all, order)) room.handle(input, at(0), quiet);
      for (const { sid } of all) {
        room.handle({ type: 'unspoken', participant: `PA_${sid}` as ParticipantId, why: 'removed' }, at(0), quiet);
      }
      room.onDeadline(at(30_000_000), quiet);
      assert.deepEqual(room.participants(), []);
      assert.equal(room.remembered, 0);
      assert.deepEqual([room.info().numParticipants, room.info().numPublishers, room.present], [0, 0, 0]);
    }),
  );
});
