import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId, TrackId } from '@sluice/contracts';
import { sampleSpec } from '@sluice/contracts/internal';
import type { PacketPathEvent, SessionSnapshot } from '@sluice/packet-path';
import type { SessionMeasure } from '../quality/session-meter.ts';
import { incomingStream, outgoingStream, sessionSnapshot } from '../quality/test-streams.ts';
import {
  MAX_SPECS,
  ORPHAN_GRACE_US,
  SessionTable,
  type SessionTableSink,
  STATUS_INTERVAL_US,
} from './session-table.ts';

const ONE = 'SE_one' as SessionId;
const TRACK = 'TR_AMone' as TrackId;
const incoming = [{ track: TRACK, kind: 'audio', mid: '0', codecs: [], streams: [], nack: false, transportCc: false }];
const SPEC = sampleSpec(ONE, { incoming });

/** A table under test and what it did. */
class Stage {
  readonly table = new SessionTable();
  readonly did: string[] = [];
  readonly measures: SessionMeasure[] = [];
  nowUs = 0;
  readonly #sink: SessionTableSink = {
    apply: (spec, { epoch, generation }) => this.did.push(`apply ${spec.session} ${epoch}.${generation}`),
    drop: (session) => this.did.push(`drop ${session}`),
    say: ({ session, state, closeReason, startedTracks, lastDataSequence, audio, quality, pausedTracks }, epoch) => {
      const heard = audio.map(({ active, level }) => (active ? level : 'quiet')).join();
      const held = pausedTracks.length > 0 ? `without ${pausedTracks.join()}` : undefined;
      const more = [
        closeReason,
        ...startedTracks,
        lastDataSequence || undefined,
        heard || undefined,
        quality?.quality,
        held,
      ];
      this.did.push([`say ${session} ${epoch} ${state}`, ...more.filter((one) => one !== undefined)].join(' '));
    },
    assessed: ({ measure }) => this.measures.push(measure),
    forget: ({ session }) => this.did.push(`forget ${session}`),
    event: ({ type, spec }) => this.did.push(`(${type} ${spec.session})`),
  };

  spec(generation: number, epoch = 1, session = ONE): void {
    const spec = { ...SPEC, session };
    this.table.handle({ type: 'spec', spec, version: { epoch, generation } }, this.nowUs, this.#sink);
  }

  removed(session = ONE): void {
    this.table.handle({ type: 'spec-removed', session }, this.nowUs, this.#sink);
  }

  silent(session = ONE): void {
    this.table.handle({ type: 'owner-silent', session }, this.nowUs, this.#sink);
  }

  event(event: PacketPathEvent): void {
    this.table.handle({ type: 'event', event }, this.nowUs, this.#sink);
  }

  landed(): void {
    this.event({ type: 'landed', session: ONE, remote: '192.0.2.1:1' });
  }

  connected(): void {
    this.landed();
    this.event({ type: 'connected', session: ONE });
  }

  loud(level: number): void {
    this.event({ type: 'audio-activity', session: ONE, track: TRACK, active: level > 0, level });
  }

  observed(over: Partial<SessionSnapshot> | undefined, sequence = 0): void {
    const { data } = sessionSnapshot();
    const snapshot = over && sessionSnapshot({ data: { ...data, lastReliableSequence: sequence }, ...over });
    this.table.handle({ type: 'observed', session: ONE, snapshot }, this.nowUs, this.#sink);
  }

  /** Lets time pass, doing what is due on the way. */
  pass(us: number): void {
    const untilUs = this.nowUs + us;
    for (
      let due = this.table.nextDeadline();
      due !== undefined && due.atUs <= untilUs;
      due = this.table.nextDeadline()
    ) {
      this.nowUs = Math.max(this.nowUs, due.atUs);
      this.table.onDeadline(this.nowUs, this.#sink);
    }
    this.nowUs = untilUs;
  }

  /** What it did since this was last asked. */
  took(): string[] {
    return this.did.splice(0);
  }
}

test('session table: a spec is applied, and nothing is said before the session lands', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.spec(2);
  assert.deepEqual(stage.took(), ['apply SE_one 1.1', 'apply SE_one 1.2']);
});

test('session table: where a session lands, that node says what becomes of it', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.took();
  stage.landed();
  stage.landed();
  stage.event({ type: 'connected', session: ONE });
  stage.landed();
  stage.event({ type: 'track-started', session: ONE, track: TRACK, ssrc: 1, payloadType: 111 });
  stage.event({ type: 'track-started', session: ONE, track: TRACK, ssrc: 2, payloadType: 111 });
  assert.deepEqual(stage.took(), [
    'say SE_one 1 landed',
    '(landed SE_one)',
    'say SE_one 1 connected',
    '(connected SE_one)',
    'say SE_one 1 connected TR_AMone',
  ]);
});

test('session table: a removed session is dropped, said closed, and forgotten', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  stage.removed();
  stage.event({ type: 'closed', session: ONE, reason: 'dropped' });
  stage.removed();
  assert.deepEqual(stage.took(), ['drop SE_one', 'say SE_one 1 closed dropped', '(closed SE_one)', 'forget SE_one']);
  assert.equal(stage.table.size, 0);
});

test('session table: a session that never landed here ends without a word', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.took();
  stage.removed();
  assert.deepEqual(stage.took(), ['drop SE_one']);
});

test('session table: a session that the packet path ended stays ended for its owner', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  stage.event({ type: 'closed', session: ONE, reason: 'consent-expired' });
  stage.spec(2);
  stage.connected();
  assert.deepEqual(stage.took(), ['drop SE_one', 'say SE_one 1 closed consent-expired', '(closed SE_one)']);
  stage.removed();
  assert.deepEqual(stage.took(), ['forget SE_one']);
});

test('session table: a later owner of a closed session may have it again', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.event({ type: 'closed', session: ONE, reason: 'dtls-closed' });
  stage.took();
  stage.spec(1, 2);
  stage.event({ type: 'closed', session: ONE, reason: 'dropped' });
  stage.landed();
  assert.deepEqual(stage.took(), ['apply SE_one 2.1', 'say SE_one 2 landed', '(landed SE_one)']);
});

test('session table: a later owner is told at once how the session is', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  stage.spec(1, 2);
  assert.deepEqual(stage.took(), ['apply SE_one 2.1', 'say SE_one 2 connected']);
});

test('session table: loudness is said at most five times a second, the last of it', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  for (let i = 1; i <= 100; i++) {
    stage.loud(i / 100);
    stage.pass(10_000);
  }
  const said = stage.took();
  assert.ok(said.length >= 5 && said.length <= 6, said.join('\n'));
  stage.pass(STATUS_INTERVAL_US);
  stage.loud(0);
  stage.pass(STATUS_INTERVAL_US);
  assert.equal(stage.took().at(-1), 'say SE_one 1 connected quiet');
  assert.equal(stage.table.nextDeadline(), undefined);
});

test('session table: the data sequence only grows, and is said when it did', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  stage.observed({}, 5);
  stage.observed({}, 4);
  stage.pass(STATUS_INTERVAL_US);
  stage.observed({}, 5);
  stage.pass(STATUS_INTERVAL_US);
  assert.deepEqual(stage.took(), ['say SE_one 1 connected 5']);
});

test('session table: what events did not tell, a look tells', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.took();
  stage.loud(0.5);
  stage.event({ type: 'track-started', session: ONE, track: TRACK, ssrc: 1, payloadType: 111 });
  stage.observed(undefined);
  assert.deepEqual(stage.took(), [], 'it has not landed as far as anyone knows');
  stage.observed({});
  assert.deepEqual(stage.took(), ['say SE_one 1 connected', '(connected SE_one)']);
  stage.observed(undefined);
  assert.deepEqual(stage.took(), ['drop SE_one', 'say SE_one 1 closed dropped', '(closed SE_one)']);
});

test('session table: a call goes on without its owner, for a while', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  stage.silent();
  stage.pass(ORPHAN_GRACE_US - 1);
  assert.deepEqual(stage.took(), ['(orphaned SE_one)']);
  stage.pass(1);
  assert.deepEqual(stage.took(), ['drop SE_one', 'say SE_one 1 closed dropped', '(closed SE_one)', 'forget SE_one']);
});

test('session table: an owner that returns, or another one, keeps the call', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.silent();
  stage.pass(ORPHAN_GRACE_US / 2);
  stage.spec(1);
  stage.pass(2 * ORPHAN_GRACE_US);
  assert.ok(!stage.took().includes('drop SE_one'));
});

test('session table: without an owner, what is not in use ends at once, and an end is the end', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.took();
  stage.silent();
  assert.deepEqual(stage.took(), ['drop SE_one']);
  stage.spec(1);
  stage.connected();
  stage.silent();
  stage.took();
  stage.event({ type: 'closed', session: ONE, reason: 'consent-expired' });
  assert.deepEqual(stage.took(), [
    'drop SE_one',
    'say SE_one 1 closed consent-expired',
    '(closed SE_one)',
    'forget SE_one',
  ]);
  assert.equal(stage.table.size, 0);
});

test('session table: tracks that the spec no longer has are no longer told', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.event({ type: 'track-started', session: ONE, track: TRACK, ssrc: 1, payloadType: 111 });
  stage.loud(1);
  stage.pass(STATUS_INTERVAL_US);
  stage.took();
  const version = { epoch: 1, generation: 2 };
  const sink = {
    apply() {},
    drop() {},
    forget() {},
    event() {},
    assessed() {},
    say: (body: { startedTracks: unknown; audio: unknown }) => said.push(body),
  };
  const said: { startedTracks: unknown; audio: unknown }[] = [];
  stage.table.handle({ type: 'spec', spec: sampleSpec(ONE), version }, stage.nowUs, sink);
  stage.table.onDeadline(stage.nowUs + STATUS_INTERVAL_US, sink);
  assert.deepEqual(
    said.map(({ startedTracks, audio }) => [startedTracks, audio]),
    [[[], []]],
  );
});

test('session table: what it holds is bounded, and counted by what is here', () => {
  const stage = new Stage();
  for (let i = 0; i <= MAX_SPECS; i++) stage.spec(1, 1, `SE_${i}` as SessionId);
  assert.equal(stage.table.size, MAX_SPECS);
  assert.equal(stage.took().at(-1), `(refused SE_${MAX_SPECS})`);
  stage.event({ type: 'landed', session: 'SE_7' as SessionId, remote: '192.0.2.1:1' });
  assert.deepEqual(stage.table.counts(), { sessions: 1, incomingTracks: 1, outgoingTracks: 0 });
  assert.deepEqual([...stage.table.sessions('here')], ['SE_7']);
});

test('session table: quality is said when it changed, at most every 5 s', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  let [datagramsIn, packets, lost] = [0, 0, 0];
  const look = (share: number): string[] => {
    for (let i = 0; i < 10; i++) {
      stage.pass(500_000);
      datagramsIn++;
      packets += 25 * (1 - share);
      lost += 25 * share;
      stage.observed({ datagramsIn, outgoing: [], incoming: [incomingStream({ track: TRACK, packets, lost })] });
    }
    stage.pass(STATUS_INTERVAL_US);
    return stage.took();
  };
  const first = look(0);
  assert.deepEqual(first, [`say SE_one 1 connected ${TRACK} quiet`]);
  assert.deepEqual(look(0), [`say SE_one 1 connected ${TRACK} quiet excellent`]);
  assert.deepEqual(look(0), []);
  look(0.4);
  assert.deepEqual(look(0.4), [`say SE_one 1 connected ${TRACK} quiet poor`]);
  assert.equal(stage.measures.length, 4);
});

test('session table: what is held back for lack of bandwidth is said, and when it flows again', () => {
  const stage = new Stage();
  stage.spec(1);
  stage.connected();
  stage.took();
  const track = 'TR_VCx' as TrackId;
  stage.observed({ outgoing: [{ ...outgoingStream({ track }), heldBack: true } as never] });
  stage.pass(STATUS_INTERVAL_US);
  assert.deepEqual(stage.took(), [`say SE_one 1 connected without ${track}`]);
  stage.observed({ outgoing: [outgoingStream({ track })] });
  stage.pass(STATUS_INTERVAL_US);
  assert.deepEqual(stage.took(), ['say SE_one 1 connected']);
});
