import type { TrackReceived } from '@sluice/load-tester';
import type { Figures, Sample, Trial } from './trial.ts';

/** So long after a change, or a join, what is known of the capacity counts. */
const SETTLED_S = 5;
const KNOWN_SHARE = 0.9;
const QUEUE_LIMIT_MS = 100;
/** The lines under which a look at a queue of packets falls: one frame's burst is no standing queue. */
const QUEUE_LOOKS = 3;

/** What a run came to. */
export function figuresOf(trial: Trial, samples: readonly Sample[], received: readonly TrackReceived[]): Figures {
  const joinedAtS = trial.viewerJoinsAtS ?? 1;
  const changes = [joinedAtS, ...(trial.steps ?? []).map(({ atS }) => atS)];
  const settled = samples.filter(({ atS }) => atS >= joinedAtS + SETTLED_S);
  const streams = received.flatMap(({ stream }) => stream ?? []);
  const videos = streams.flatMap(({ frames, delay }) => (frames === undefined ? [] : [{ frames, delay }]));
  const fps = videos.map(({ frames: { decoded, firstUs = 0, lastUs = 0 } }) =>
    lastUs > firstUs ? ((decoded - 1) * 1_000_000) / (lastUs - firstUs) : 0,
  );
  const queues = settled.map(({ queueMs }) => queueMs).toSorted((a, b) => a - b);
  const audio = streams.flatMap((stream) => stream.audio ?? []);
  const made = sum(audio.map(({ concealed }) => concealed));
  const heard = sum(audio.map(({ played }) => played)) + made;
  return {
    leastFps: Math.min(...fps),
    meanFps: mean(fps),
    switches: sum(videos.map(({ frames }) => frames.encodingSwitches)),
    freezes: sum(videos.map(({ frames }) => frames.freezes)),
    longestGapMs: Math.max(0, ...videos.map(({ frames }) => frames.longestGapMs)),
    delayP50Ms: Math.max(0, ...videos.map(({ delay }) => delay.p50Ms)),
    delayP95Ms: Math.max(0, ...videos.map(({ delay }) => delay.p95Ms)),
    queueP50Ms: quantile(queues, 0.5),
    queueP95Ms: quantile(queues, 0.95),
    queueMaxMs: quantile(queues, 1),
    used: shareOf(settled, ({ carriedBps }) => carriedBps),
    overshoot: overshoot(samples, changes),
    findsCapacityS: findsCapacity(samples, joinedAtS),
    queueSettlesS: queueSettles(trial, samples),
    concealed: heard === 0 ? 0 : made / heard,
    brokenReferences: sum(videos.map(({ frames }) => frames.brokenReferences)),
  };
}

/** A sentence for each limit that was not kept. */
export function judge({ limits = {} }: Trial, figures: Figures): string[] {
  const wrong: string[] = [];
  const most = (what: string, value: number | undefined, limit: number | undefined, unit: string): void => {
    if (limit === undefined) return;
    if (value === undefined) wrong.push(`${what}: never`);
    else if (value > limit) wrong.push(`${what}: ${value.toFixed(1)} ${unit}, more than ${limit}`);
  };
  most('longest gap between frames', figures.longestGapMs, limits.longestGapMs, 'ms');
  most(
    'audio made up',
    figures.concealed * 100,
    limits.concealed === undefined ? undefined : limits.concealed * 100,
    '%',
  );
  most('the queue settles', figures.queueSettlesS, limits.queueSettlesWithinS, 's');
  most('the capacity is found', figures.findsCapacityS, limits.findsCapacityWithinS, 's');
  if (limits.fps !== undefined && figures.leastFps < limits.fps) {
    wrong.push(`frames a second: ${figures.leastFps.toFixed(1)}, less than ${limits.fps}`);
  }
  if (figures.brokenReferences > 0) wrong.push(`${figures.brokenReferences} frames came without what they refer to`);
  return wrong;
}

function shareOf(samples: readonly Sample[], value: (sample: Sample) => number): number | undefined {
  const known = samples.flatMap((sample) =>
    sample.capacityBps === undefined ? [] : [{ value: value(sample), capacityBps: sample.capacityBps }],
  );
  if (known.length === 0) return undefined;
  return sum(known.map((each) => each.value)) / sum(known.map(({ capacityBps }) => capacityBps));
}

function overshoot(samples: readonly Sample[], changes: readonly number[]): number | undefined {
  const shares = samples.flatMap(({ atS, capacityBps, targetBps }) => {
    const since = Math.min(...changes.filter((at) => at <= atS).map((at) => atS - at));
    return capacityBps === undefined || !(since >= SETTLED_S) ? [] : [targetBps / capacityBps];
  });
  return shares.length === 0 ? undefined : Math.max(...shares);
}

function findsCapacity(samples: readonly Sample[], joinedAtS: number): number | undefined {
  const found = samples.find(
    ({ capacityBps, targetBps }) => capacityBps !== undefined && targetBps >= KNOWN_SHARE * capacityBps,
  );
  return found === undefined ? undefined : found.atS - joinedAtS;
}

/** The longest time that it took, after a fall of capacity, until the queue was short and stayed so. */
function queueSettles({ down, steps = [], durationS }: Trial, samples: readonly Sample[]): number | undefined {
  const stages = [{ atS: 0, down }, ...steps];
  const falls = stages.flatMap(({ atS, down: { rateBps = Number.POSITIVE_INFINITY } }, index) => {
    const before = stages[index - 1]?.down.rateBps;
    return before !== undefined && rateBps < before ? [{ atS, untilS: stages[index + 1]?.atS ?? durationS }] : [];
  });
  if (falls.length === 0) return undefined;
  return Math.max(
    ...falls.map(({ atS, untilS }) => {
      const after = samples.filter((sample) => sample.atS > atS && sample.atS <= Math.min(untilS, atS + SETTLED_S));
      const long = after.findLastIndex((_, index) => {
        const looks = after.slice(index, index + QUEUE_LOOKS);
        return looks.length === QUEUE_LOOKS && looks.every(({ queueMs }) => queueMs > QUEUE_LIMIT_MS);
      });
      return long < 0 ? 0 : (after[long + QUEUE_LOOKS - 1]?.atS ?? atS) - atS;
    }),
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);
const quantile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? 0;
