import type { Result, Sample } from './trial.ts';

/** `docs/networks.md`: what each trial came to. `imageOf` names the picture of a trial that has one. */
export function page(results: readonly Result[], imageOf: (result: Result) => string | undefined): string {
  const wrong = results.flatMap(({ trial, wrong: all }) => all.map((what) => `- ${trial.name}: ${what}`));
  return [
    '# Networks',
    '',
    'What a viewer of simulcast cameras (94, 375 and 1,500 kbit/s each, and a voice) gets on networks that are simulated.',
    'The packet path, signaling and controller are the ones that ship; network, clock and clients are the simulator’s, and so',
    'every figure is repeated by the same seed. `npm run networks` writes this page and its pictures anew.',
    '',
    '| network | fps least / mean | switches | freezes | longest gap | frame delay p50 / p95 | queue p50 / p95 / max | capacity used | overshoot | finds 90 % | queue settles | audio made up |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...results.map(row),
    '',
    'Fps is of each video from its first frame to its last. Freezes are counted as browsers do. Frame delay is from sending to complete,',
    'of the video that fared worst. Queue is what packets wait at the bottleneck, from 5 s after the join on. Overshoot is the largest',
    'estimate as a share of the capacity, 5 s after a change or later. "Finds 90 %" counts from the join; "queue settles" from a fall of',
    'capacity until the queue is under 100 ms for good.',
    '',
    ...results.flatMap((result) => {
      const image = imageOf(result);
      const { name, says } = result.trial;
      return image === undefined ? [] : [`## ${name}`, '', says, '', `![${name}](${image})`, ''];
    }),
    '## Limits that were not kept',
    '',
    ...(wrong.length === 0 ? ['None.'] : wrong),
    '',
  ].join('\n');
}

function row({ trial, figures: f }: Result): string {
  const cells = [
    trial.name,
    `${f.leastFps.toFixed(1)} / ${f.meanFps.toFixed(1)}`,
    f.switches,
    f.freezes,
    ms(f.longestGapMs),
    `${f.delayP50Ms.toFixed(0)} / ${ms(f.delayP95Ms)}`,
    `${f.queueP50Ms.toFixed(0)} / ${f.queueP95Ms.toFixed(0)} / ${ms(f.queueMaxMs)}`,
    percent(f.used),
    percent(f.overshoot),
    seconds(f.findsCapacityS),
    seconds(f.queueSettlesS),
    percent(f.concealed),
  ];
  return `| ${cells.join(' | ')} |`;
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;
const percent = (share: number | undefined): string => (share === undefined ? '–' : `${(share * 100).toFixed(0)} %`);
const seconds = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(1)} s`);

/** Worth a picture: the capacity is limited. */
export const isLimited = (samples: readonly Sample[]): boolean =>
  samples.some(({ capacityBps, carriedBps }) => capacityBps !== undefined && carriedBps > capacityBps / 2);
