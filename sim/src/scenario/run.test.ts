import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runScenario } from './run.ts';
import type { Expectation, ParticipantPlan, Scenario } from './scenario.ts';

const person = (identity: string, over: Partial<ParticipantPlan> = {}): ParticipantPlan => ({
  identity,
  network: 'wifi',
  publishes: { mic: { kind: 'audio' }, cam: { kind: 'video', bitrateBps: 300_000 } },
  ...over,
});

const call = (expect: Expectation, over: Partial<Scenario> = {}): Scenario => ({
  name: 'test',
  participants: [person('ann'), person('bob')],
  durationS: 4,
  expect,
  ...over,
});

const wrong = async (scenario: Scenario): Promise<readonly string[]> => (await runScenario(scenario, 1)).wrong;

test('runner: what is so is not wrong, and every run tells how it went', async () => {
  const { wrong, notes, seed } = await runScenario(call({ framesShown: 0.9 }), 5);
  assert.deepEqual([wrong, seed], [[], 5]);
  assert.match(notes.join('\n'), /datagrams were sent.*\nshard 0: 2 sessions.*\nann PA_\w+: joining at 10\.00 s, live/);
});

test('runner: each expectation that is not met is one sentence', async () => {
  const impossible: [Expectation, RegExp][] = [
    [{ framesShown: 1.1 }, /^at 4 s: ann of TR_\w+: \d+ of \d+ frames were shown, [\d.]+ %$/],
    [{ longestGapMs: 1 }, /ms between two frames$/],
    [{ concealed: -1 }, /of the audio was made up$/],
    [{ firstFrameMs: { ann: 1 } }, /^at 4 s: ann: the first frame of TR_\w+ took \d+ ms$/],
    [{ gone: ['bob'] }, /^at 4 s: ann still knows bob$/],
    [{ ended: { bob: 'ROOM_DELETED' } }, /^at 4 s: bob is not over because of ROOM_DELETED/],
    [{ resumes: { ann: 1 } }, /^at 4 s: ann resumed 0 times, not 1$/],
    [{ sessions: 7 }, /^at 4 s: the media node holds 2 sessions, not 7$/],
    [{ flows: [{ to: 'ann', of: 'bob', kind: 'video', is: false }] }, /^at 4 s: video of bob comes to ann$/],
  ];
  for (const [expect, sentence] of impossible)
    assert.match((await wrong(call(expect))).join('\n'), new RegExp(sentence, 'm'));
});

test('runner: a track that does not come, and one that comes and should not, are both found', async () => {
  const cut = call({}, { actions: [{ atS: 2, who: 'bob', do: 'network', network: 'partition' }] });
  assert.match((await wrong(cut)).join('\n'), /bob receives nothing of TR_\w+ of ann/);
  const unwanted = call({}, { actions: [{ atS: 2, who: 'bob', do: 'unsubscribe', of: 'ann' }] });
  assert.match((await wrong(unwanted)).join('\n'), /bob does not receive TR_\w+ of ann/);
});

test('runner: messages that do not arrive are missed', async () => {
  const lost = call(
    { data: 'all-in-order', lossyArrived: 1, everybodyReceivesEverybody: false },
    {
      actions: [
        { atS: 2, who: 'bob', do: 'network', network: 'partition' },
        { atS: 2.5, who: 'ann', do: 'send', how: 'reliable', count: 3, bytes: 10, everyMs: 10 },
        { atS: 2.5, who: 'ann', do: 'send', how: 'lossy', count: 3, bytes: 10, everyMs: 10 },
      ],
    },
  );
  const said = (await wrong(lost)).join('\n');
  assert.match(said, /bob got of ann's messages/);
  assert.match(said, /bob got 0 of 3 lossy messages/);
});
