import type { Sample } from './trial.ts';

/** One curve, in the order of the samples; undefined leaves a gap. */
interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly dashes?: string;
  value(sample: Sample): number | undefined;
}

const curves: readonly Curve[] = [
  { label: 'capacity', colour: '#888888', dashes: '6 3', value: ({ capacityBps }) => capacityBps },
  { label: 'estimate', colour: '#d1495b', value: ({ targetBps }) => targetBps },
  { label: 'carried', colour: '#2e6f95', value: (sample) => sample.carriedBps - sample.competitorBps },
];

const competitor: Curve = { label: 'competitor', colour: '#edae49', value: ({ competitorBps }) => competitorBps };

const WIDTH = 900;
const RATES = { top: 24, height: 220 };
const QUEUE = { top: 284, height: 70 };
const LEFT = 60;
const RIGHT = 16;
const HEIGHT = 384;
/** Carried bits come in frames; a curve of them is read over half a second. */
const SMOOTHED_LOOKS = 5;

/** Estimate against capacity over time, with the queue beneath: an SVG document. */
export function plot(title: string, samples: readonly Sample[]): string {
  const shown = samples.some(({ competitorBps }) => competitorBps > 0) ? [...curves, competitor] : curves;
  const untilS = samples.at(-1)?.atS ?? 1;
  const topBps = roundUp(1.15 * Math.max(...samples.map(({ capacityBps, carriedBps }) => capacityBps ?? carriedBps)));
  const topMs = roundUp(Math.max(100, ...samples.map(({ queueMs }) => queueMs)));
  const x = (atS: number): number => LEFT + (atS / untilS) * (WIDTH - LEFT - RIGHT);
  const y = ({ top, height }: typeof RATES, share: number): number => top + height * (1 - Math.min(1, share));
  const line = (box: typeof RATES, value: Curve['value'], most: number): string =>
    samples
      .flatMap((sample, index) => {
        const each = samples
          .slice(Math.max(0, index - SMOOTHED_LOOKS + 1), index + 1)
          .flatMap((one) => value(one) ?? []);
        if (each.length === 0) return [];
        const mean = each.reduce((sum, one) => sum + one, 0) / each.length;
        return [`${x(sample.atS).toFixed(1)},${y(box, mean / most).toFixed(1)}`];
      })
      .join(' ');
  const polyline = (points: string, colour: string, dashes = ''): string =>
    `<polyline fill="none" stroke="${colour}" stroke-width="1.5"${dashes && ` stroke-dasharray="${dashes}"`} points="${points}"/>`;
  const text = (atX: number, atY: number, what: string, over = ''): string =>
    `<text x="${atX}" y="${atY}" ${over}>${what}</text>`;
  const grid = (box: typeof RATES, most: number, label: (value: number) => string): string[] =>
    [0, 0.5, 1].flatMap((share) => [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(box, share)}" y2="${y(box, share)}" stroke="#dddddd"/>`,
      text(LEFT - 6, y(box, share) + 4, label(share * most), 'text-anchor="end"'),
    ]);
  const seconds = Array.from({ length: Math.floor(untilS / 10) + 1 }, (_, index) => index * 10);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#333333">`,
    `<title>${title}: estimate and capacity over time</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 14, title, 'font-weight="bold"'),
    ...shown.map(({ label, colour }, index) =>
      text(WIDTH - RIGHT - 80 * (shown.length - index), 14, label, `fill="${colour}"`),
    ),
    ...grid(RATES, topBps, (bps) => `${(bps / 1_000_000).toFixed(1)} Mbit/s`),
    ...grid(QUEUE, topMs, (ms) => `${ms.toFixed(0)} ms`),
    text(LEFT, QUEUE.top - 6, 'queue'),
    ...seconds.map((atS) => text(x(atS), HEIGHT - 8, `${atS} s`, 'text-anchor="middle"')),
    ...shown.map(({ colour, dashes, value }) => polyline(line(RATES, value, topBps), colour, dashes)),
    polyline(
      line(QUEUE, ({ queueMs }) => queueMs, topMs),
      '#2e6f95',
    ),
    '</svg>',
    '',
  ].join('\n');
}

/** One, two or five times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (([1, 2, 3, 4, 5, 8].find((step) => step * power >= value) ?? 10) as number) * power;
}
