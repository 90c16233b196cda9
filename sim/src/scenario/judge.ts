import type { TrackReceived } from '@sluice/load-tester';
import type { SimClient } from '../cloud/sim-client.ts';
import { numberIn } from './deeds.ts';
import type { Expectation } from './scenario.ts';
import type { World } from './world.ts';

/** Compares a world with what was expected of it: one sentence for each thing that is not so. */
export async function judge(expect: Expectation, world: World): Promise<string[]> {
  const { present } = world;
  const wrong: string[] = [];
  for (const client of present) {
    wrong.push(...client.problems.map((problem) => `${client.identity}: ${problem}`));
    wrong.push(...client.report().received.flatMap((track) => defects(client, track)));
  }
  if (expect.everybodyReceivesEverybody !== false) wrong.push(...present.flatMap((client) => tracks(client, world)));
  for (const client of present) {
    for (const track of client.report().received) wrong.push(...quality(client, track, expect));
  }
  wrong.push(...firstFrames(expect, world));
  wrong.push(...(expect.gone ?? []).flatMap((identity) => knownBy(identity, present)));
  wrong.push(...comings(expect, world));
  wrong.push(...flows(expect, world));
  if (expect.data !== undefined) wrong.push(...reliable(world));
  if (expect.lossyArrived !== undefined) wrong.push(...lossy(expect.lossyArrived, world));
  if (expect.sessions !== undefined) wrong.push(...(await sessions(expect.sessions, world)));
  return wrong;
}

async function sessions(expected: number | 'as-many-as-clients', world: World): Promise<string[]> {
  const held = (await world.cloud.snapshot())?.shards.reduce((sum, shard) => sum + shard.sessions, 0);
  const wanted =
    expected === 'as-many-as-clients' ? world.present.reduce((sum, { room }) => sum + room.peers, 0) : expected;
  return held === wanted ? [] : [`the media node holds ${held} sessions, not ${wanted}`];
}

/** What no network excuses. */
function defects({ identity }: SimClient, { track, stream }: TrackReceived): string[] {
  const broken = stream?.frames?.brokenReferences ?? 0;
  return broken > 0 ? [`${identity}: ${broken} frames of ${track} came without what they refer to`] : [];
}

/** Exactly the tracks of the others in the room, each from its own source. */
function tracks(client: SimClient, world: World): string[] {
  if (!client.autoSubscribe) return [];
  const { identity, roomName } = client;
  const others = world.present.filter((other) => other.roomName === roomName && other.identity !== identity);
  const wanted = new Map(
    others.flatMap((other) =>
      other
        .report()
        .sent.map((sent) => [sent.track ?? `${other.identity}'s ${sent.name}, which has no id`, { other, sent }]),
    ),
  );
  const received = client.report().received;
  const got = new Set(received.map(({ track }) => track));
  const missing = [...wanted].filter(([track]) => !got.has(track));
  const wrong = missing.map(([track, { other }]) => `${identity} does not receive ${track} of ${other.identity}`);
  for (const { track, stream } of received) {
    const publisher = wanted.get(track);
    if (publisher === undefined) wrong.push(`${identity} receives ${track}, which nobody publishes`);
    else if (stream !== undefined && stream.source !== 0 && stream.source !== publisher.sent.mark) {
      wrong.push(`${identity} receives something else under ${track} of ${publisher.other.identity}`);
    }
  }
  for (const { track, muted } of received) {
    const publisher = wanted.get(track);
    if (publisher === undefined || muted || isFlowing(client, track, world)) continue;
    wrong.push(`${identity} receives nothing of ${track} of ${publisher.other.identity}`);
  }
  return wrong;
}

/** Since the last look, at least: frames of video, and of audio. */
const LEAST_FLOW = { video: 5, audio: 25 };

function isFlowing(client: SimClient, track: string, world: World): boolean {
  const count = (received: readonly TrackReceived[] | undefined): number => {
    const stream = received?.find((each) => each.track === track)?.stream;
    return stream?.frames?.decoded ?? stream?.audio?.played ?? 0;
  };
  const now = client.report().received;
  const kind = now.find((each) => each.track === track)?.kind;
  const grown = count(now) - count(world.before(client)?.received);
  return kind !== undefined && grown >= LEAST_FLOW[kind];
}

function quality({ identity }: SimClient, { track, stream }: TrackReceived, expect: Expectation): string[] {
  const wrong: string[] = [];
  const { frames, audio } = stream ?? {};
  const what = `${identity} of ${track}`;
  if (frames !== undefined && frames.sent > 0) {
    const shown = frames.decoded / frames.sent;
    if (expect.framesShown !== undefined && shown < expect.framesShown) {
      wrong.push(`${what}: ${frames.decoded} of ${frames.sent} frames were shown, ${percent(shown)}`);
    }
    if (expect.longestGapMs !== undefined && frames.longestGapMs > expect.longestGapMs) {
      wrong.push(`${what}: ${frames.longestGapMs.toFixed(0)} ms between two frames`);
    }
  }
  const heard = (audio?.played ?? 0) + (audio?.concealed ?? 0);
  if (expect.concealed !== undefined && audio !== undefined && heard > 0) {
    const share = audio.concealed / heard;
    if (share > expect.concealed) wrong.push(`${what}: ${percent(share)} of the audio was made up`);
  }
  return wrong;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function firstFrames({ firstFrameMs = {}, firstFrameAfterConnectedMs = {} }: Expectation, world: World): string[] {
  const late = (limits: Readonly<Record<string, number>>, since: 'dialedUs' | 'connectedUs'): string[] =>
    Object.entries(limits).flatMap(([identity, limitMs]) => {
      const client = world.client(identity);
      const fromUs = client.room.times[since];
      return client.report().received.flatMap(({ kind, track, stream }) => {
        if (kind !== 'video') return [];
        const atUs = stream?.frames?.firstUs;
        if (atUs === undefined || fromUs === undefined) return [`${identity} has seen nothing of ${track}`];
        const tookMs = (atUs - fromUs) / 1000;
        return tookMs > limitMs ? [`${identity}: the first frame of ${track} took ${tookMs.toFixed(0)} ms`] : [];
      });
    });
  return [...late(firstFrameMs, 'dialedUs'), ...late(firstFrameAfterConnectedMs, 'connectedUs')];
}

const knownBy = (gone: string, present: readonly SimClient[]): string[] =>
  present.flatMap(({ identity, room }) =>
    room.roster.participant(gone) === undefined ? [] : [`${identity} still knows ${gone}`],
  );

function comings({ ended = {}, resumes = {}, rejoins = {}, comings }: Expectation, world: World): string[] {
  const wrong: string[] = [];
  for (const [identity, why] of Object.entries(ended)) {
    const reasons = world.cloud.clients
      .filter((client) => client.identity === identity)
      .map(({ room }) => room.endedBecause);
    if (!reasons.includes(why)) wrong.push(`${identity} is not over because of ${why}, but: ${reasons.join(', ')}`);
  }
  for (const { identity, room } of world.present) {
    if (room.state !== 'live') wrong.push(`${identity} is ${room.state}`);
    if (comings === 'any') continue;
    const expected = { resumes: resumes[identity] ?? 0, rejoins: rejoins[identity] ?? 0 };
    if (room.resumes !== expected.resumes) {
      wrong.push(`${identity} resumed ${room.resumes} times, not ${expected.resumes}`);
    }
    if (room.rejoins !== expected.rejoins) {
      wrong.push(`${identity} joined anew ${room.rejoins} times, not ${expected.rejoins}`);
    }
  }
  return wrong;
}

function flows({ flows = [] }: Expectation, world: World): string[] {
  return flows.flatMap(({ to, of, kind, is }) => {
    const client = world.client(to);
    const found = client.report().received.filter((track) => track.identity === of && track.kind === kind);
    const flowing = found.some(({ track }) => isFlowing(client, track, world));
    return flowing === is ? [] : [`${kind} of ${of} ${flowing ? 'comes' : 'does not come'} to ${to}`];
  });
}

function reliable(world: World): string[] {
  const wrong: string[] = [];
  for (const client of world.cloud.clients) {
    for (const from of new Set(world.sent.map((message) => message.from))) {
      const sent = world.sent.filter((m) => m.from === from && m.how === 'reliable' && m.to.includes(client));
      const got = client.received.filter((m) => m.identity === from && m.how === 'reliable');
      const expected = sent.map(({ number }) => number).join(' ');
      const numbers = got.map(({ payload }) => numberIn(payload)).join(' ');
      if (client.room.state !== 'ended' && numbers !== expected) {
        wrong.push(`${client.identity} got of ${from}'s messages ${difference(expected, numbers)}`);
      }
    }
  }
  return wrong;
}

function difference(expected: string, got: string): string {
  const [wanted, had] = [expected.split(' '), got.split(' ')];
  const at = wanted.findIndex((number, index) => had[index] !== number);
  return `${had.length} of ${wanted.length}, the first wrong one is the ${at + 1}th: ${had[at]} instead of ${wanted[at]}`;
}

function lossy(least: number, world: World): string[] {
  return world.present.flatMap((client) => {
    const meant = world.sent.filter(({ how, to }) => how === 'lossy' && to.includes(client)).length;
    const got = client.received.filter(({ how }) => how === 'lossy').length;
    if (meant === 0 || got / meant >= least) return [];
    return [`${client.identity} got ${got} of ${meant} lossy messages`];
  });
}
