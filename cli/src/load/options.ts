import {
  bitrate,
  chosen,
  count,
  impairable,
  milliseconds,
  number,
  perMinute,
  qualities,
  share,
  size,
} from '@sluice/load-tester';
import { type Command, Option } from 'commander';

/** The flags of `sluice load`, read: bits per second, milliseconds, shares from 0 to 1. */
export interface LoadFlags {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly rooms: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly seconds: number;
  readonly joinsPerSecond: number;
  readonly publishOnly?: true;
  readonly dual?: true;
  /** In a minute. */
  readonly churn?: number;
  readonly video?: number;
  readonly size: { readonly widthPx: number; readonly heightPx: number };
  readonly fps: number;
  readonly simulcast?: true;
  readonly watch?: (typeof qualities)[number];
  readonly audio?: true;
  readonly red?: true;
  readonly loss?: number;
  readonly delay?: number;
  readonly jitter?: number;
  readonly rate?: number;
  readonly impair: (typeof impairable)[number];
  readonly threads?: number;
  readonly metrics?: string;
  readonly json?: string;
  readonly minConnected: number;
  readonly minFlowing: number;
  readonly minFramesShown?: number;
  readonly maxLoss?: number;
  readonly maxConcealed?: number;
  readonly maxJoinP99?: number;
  readonly maxConnectP99?: number;
  readonly maxFirstFrameP99?: number;
  readonly maxDelayP99?: number;
  readonly maxFreezes?: number;
  readonly maxMemoryGrowth?: number;
}

type Read = (flag: string, text: string) => unknown;

/** An option whose text is read at once, so that what is wrong with it is told under its name. */
function read(flags: string, says: string, as: Read): Option {
  const [flag = flags] = flags.split(' ');
  return new Option(flags, says).argParser((text) => as(flag, text));
}

const from =
  (least: number): Read =>
  (flag, text) =>
    count(flag, text, least);

/** A test that ran longer would measure the patience of its reader. */
const LONGEST_S = 86_400;
const MOST_THREADS = 64;

const seconds: Read = (flag, text) => count(flag, text, 1, LONGEST_S);
const threads: Read = (flag, text) => count(flag, text, 1, MOST_THREADS);
const rateOfFrames: Read = (flag, text) => count(flag, text, 1, 120);

/** Says what `sluice load` takes. */
export function addLoadOptions(command: Command): Command {
  command.optionsGroup('Whom to call:');
  command
    .option('--url <url>', 'WebSocket URL of the server', 'ws://127.0.0.1:7880')
    .option('--api-key <key>', 'API key of the server', 'devkey')
    .option('--api-secret <secret>', 'the secret of that key', 'secret');
  command.optionsGroup('Who calls:');
  command
    .addOption(read('--rooms <n>', 'rooms', from(1)).default(1))
    .addOption(read('--publishers <n>', 'publishers in each room; they receive each other', from(0)).default(1))
    .addOption(read('--subscribers <n>', 'clients in each room that only receive', from(0)).default(10))
    .addOption(read('--seconds <n>', 'seconds to measure, once everybody is in', seconds).default(30))
    .addOption(read('--joins-per-second <n>', 'clients that join in a second', from(1)).default(50))
    .addOption(
      read(
        '--churn <rate>',
        'while measuring so many clients go and others come: 20/min, 1/s. Of three that go one leaves, one crashes and one vanishes without a word (default: nobody goes)',
        perMinute,
      ),
    )
    .option('--publish-only', 'publishers receive nothing')
    .option('--dual', 'two peer connections for each client, as older SDKs have, instead of one');
  command.optionsGroup('What publishers send (video at 1.5Mbps when nothing is named):');
  command
    .addOption(read('--video [bitrate]', 'video: 1.5Mbps, 300kbps', bitrate).preset('1.5Mbps'))
    .addOption(read('--size <size>', 'picture in pixels', size).default({ widthPx: 1280, heightPx: 720 }, '1280x720'))
    .addOption(read('--fps <n>', 'frames a second', rateOfFrames).default(30))
    .option('--simulcast', 'video in up to three qualities; --video is the bitrate of the best')
    .addOption(
      read(
        '--watch <quality>',
        'which quality subscribers ask for: high, medium, low, or mixed for a third each (default: they do not ask)',
        chosen(qualities),
      ),
    )
    .option('--audio', 'audio, 50 packets a second')
    .option('--red', 'audio with redundancy (RED)');
  command.optionsGroup('The network before each client, the same both ways (perfect when nothing is named):');
  command
    .addOption(read('--loss <share>', 'packets lost at random: 5%, 0.05', share))
    .addOption(read('--delay <time>', 'added to each packet: 80ms', milliseconds))
    .addOption(
      read('--jitter <time>', 'standard deviation of a further delay: 20ms; packets keep their order', milliseconds),
    )
    .addOption(read('--rate <bitrate>', 'bottleneck with a queue of 200ms: 2Mbps', bitrate))
    .addOption(read('--impair <whom>', 'before whom: all, publishers, subscribers', chosen(impairable)).default('all'));
  command.optionsGroup('Measuring:');
  command
    .addOption(read('--threads <n>', 'threads that move packets (default: one fewer than cores)', threads))
    .option(
      '--metrics <url>',
      'where the server tells its memory and tables, to watch them too: http://127.0.0.1:7881/metrics',
    )
    .option('--json <file>', 'write the plan, the report and what was missed to this file');
  addThresholds(command);
  return command.addHelpText('after', examples);
}

function addThresholds(command: Command): void {
  command.optionsGroup(
    'Thresholds (one that is missed makes the exit code 1; not asked unless a default stands here):',
  );
  const everything = [1, '100%'] as const;
  command
    .addOption(read('--min-connected <share>', 'clients that come in and stay', share).default(...everything))
    .addOption(read('--min-flowing <share>', 'expected streams that come', share).default(...everything))
    .addOption(read('--min-frames-shown <share>', 'video frames that were sent and could be shown', share))
    .addOption(read('--max-loss <share>', 'packets lost on the way to clients, repaired or not', share))
    .addOption(read('--max-concealed <share>', 'audio that had to be made up', share))
    .addOption(read('--max-join-p99 <time>', 'from dialing to being in the room: 500ms, 1s', milliseconds))
    .addOption(read('--max-connect-p99 <time>', 'from dialing to media being up', milliseconds))
    .addOption(read('--max-first-frame-p99 <time>', 'from dialing to the first picture', milliseconds))
    .addOption(read('--max-delay-p99 <time>', 'one way, publisher to subscriber', milliseconds))
    .addOption(read('--max-freezes <n>', 'freezes a minute of each video stream', number))
    .addOption(read('--max-memory-growth <share>', 'of the server while measuring; wants --metrics', share));
}

const examples = `
Examples:
  One publisher with video, 50 subscribers, on this machine:
    sluice load --subscribers 50
  20 rooms with audio for a minute, the report as JSON:
    sluice load --rooms 20 --subscribers 50 --audio --seconds 60 --json report.json
  Simulcast over bad networks; fails when the picture freezes more than twice a minute:
    sluice load --video 1.5Mbps --simulcast --audio --loss 5% --delay 80ms --jitter 20ms --rate 2Mbps --max-freezes 2
  20 minutes in which people come and go; fails when the server's memory grows:
    sluice load --rooms 10 --audio --churn 60/min --seconds 1200 --metrics http://127.0.0.1:7881/metrics --max-memory-growth 5%

Exit code: 0 all thresholds kept, 1 one was missed or the test could not run.`;
