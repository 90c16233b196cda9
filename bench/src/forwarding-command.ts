import { parseArgs } from 'node:util';
import { type ForwardingResult, loadCpu, measureForwarding, type Round } from './forwarding.ts';
import { loadNative } from './native.ts';
import { pin } from './pin.ts';
import { atHighestPriority } from './priority.ts';
import { median } from './statistics.ts';
import { markdownTable } from './table.ts';

/** `npm run bench -- --subscribers 10,100,300 --rounds 5 --seconds 5` */
export async function forwardingCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      subscribers: { type: 'string', default: '10,100,300' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
    },
  });
  const native = loadNative();
  atHighestPriority();
  pin(process.pid, loadCpu);
  const results: ForwardingResult[] = [];
  for (const feedback of ['without-feedback', 'with-feedback'] as const) {
    for (const subscribers of values.subscribers.split(',').map(Number)) {
      process.stderr.write(`1 → ${subscribers} ${feedback} …\n`);
      const options = { feedback, subscribers, rounds: Number(values.rounds), roundSeconds: Number(values.seconds) };
      results.push(await measureForwarding(native, options));
    }
  }
  print(results);
}

function print(all: readonly ForwardingResult[]): void {
  const head = [
    'subscribers',
    'feedback',
    'µs/packet',
    'bare limit',
    'of it seal',
    'ratio',
    'p50 ms',
    'p99 ms',
    'lost',
    'core',
    'packets/burst',
    'sleeps/s',
    'KiB/subscriber',
  ];
  const rows = all.map(({ feedback, subscribers, rounds, residentBytesPerSubscriber }) => {
    const middle = (of: (round: Round) => number): number => median(rounds.map(of));
    return [
      String(subscribers),
      feedback === 'with-feedback' ? 'yes' : 'no',
      middle((round) => round.cpuUsPerPacket).toFixed(2),
      middle((round) => round.bareUsPerPacket).toFixed(2),
      middle((round) => round.sealUsPerPacket).toFixed(2),
      middle((round) => round.cpuUsPerPacket / round.bareUsPerPacket).toFixed(2),
      (middle((round) => round.delayP50Us) / 1_000).toFixed(2),
      (middle((round) => round.delayP99Us) / 1_000).toFixed(2),
      String(rounds.reduce((sum, { lost }) => sum + lost, 0)),
      `${(middle((round) => round.load) * 100).toFixed(0)} %`,
      middle((round) => round.packetsPerBurst).toFixed(1),
      middle((round) => round.sleepsPerSecond).toFixed(0),
      (residentBytesPerSubscriber / 1024).toFixed(0),
    ];
  });
  process.stdout.write(`${markdownTable(head, rows)}\n`);
  for (const { subscribers, rounds } of all) {
    const drops = rounds.map((round) => JSON.stringify(round.drops)).filter((text) => text !== '{}');
    if (drops.length > 0) process.stdout.write(`1 → ${subscribers} dropped: ${drops.join(' ')}\n`);
  }
}
