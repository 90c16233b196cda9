import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { run } from '../commands.ts';
import { addLoadOptions, type LoadFlags } from './options.ts';
import { loadPlan, loadThresholds } from './plan.ts';

async function told(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
  const lines: string[] = [];
  const note = (text: string): void => void lines.push(text);
  const code = await run(['load', ...args], { say: note, warn: note });
  return { code, text: lines.join('\n') };
}

const flagsOf = (...args: string[]): LoadFlags =>
  addLoadOptions(new Command()).parse(args, { from: 'user' }).opts<LoadFlags>();

test('load: a flag that makes no sense is named, with what is allowed', async () => {
  const wrong: readonly [readonly string[], RegExp][] = [
    [['--video', 'much'], /--video is "much"; it must be a bitrate .* from 1kbps to 10Gbps: 1\.5Mbps or 300kbps/],
    [['--loss', '150%'], /--loss is "150%"; it must be a share from 0 to 100%/],
    [['--delay', '80'], /--delay is "80"; it must be a time with its unit/],
    [['--rooms', '0'], /--rooms is "0"; it must be a whole number from 1/],
    [['--churn', '5'], /--churn is "5"; it must be a rate above 0: 20\/min/],
    [['--impair', 'me'], /--impair is "me"; it must be one of all, publishers, subscribers/],
    [['--watch', 'best'], /--watch is "best"; it must be one of low, medium, high, mixed/],
    [['--url', 'nowhere'], /--url is "nowhere"; it must be a URL such as ws:/],
    [['--max-memory-growth', '5%'], /--max-memory-growth wants --metrics/],
    [['--publishers', '0', '--subscribers', '0'], /There is nobody to call with/],
    [['--json', '/nowhere/report.json'], /--json is "\/nowhere\/report.json", which cannot be written: ENOENT/],
    [['--audioo'], /unknown option '--audioo'/],
  ];
  for (const [flags, expected] of wrong) {
    const { code, text } = await told(...flags);
    assert.equal(code, 1, flags.join(' '));
    assert.match(text, expected);
  }
});

test('load: --help names every option with its unit, its default and examples', async () => {
  const { code, text } = await told('--help');
  assert.equal(code, 0);
  const words = text.replace(/\s+/g, ' ');
  assert.match(words, /--video \[bitrate\] video: 1\.5Mbps, 300kbps/);
  assert.match(words, /--min-connected <share> clients that come in and stay \(default: 100%\)/);
  assert.match(words, /Examples: .* sluice load --subscribers 50/);
});

test('load: what is named is sent, and video when nothing is', () => {
  const sent = (...args: string[]) => loadPlan(flagsOf(...args), 4).publishes;
  assert.deepEqual(Object.keys(sent()), ['camera']);
  assert.deepEqual(Object.keys(sent('--audio')), ['microphone']);
  assert.deepEqual(Object.keys(sent('--red')), ['microphone']);
  assert.deepEqual(Object.keys(sent('--audio', '--simulcast')), ['microphone', 'camera']);
  const { camera } = sent('--video', '--simulcast', '--size', '640x360', '--fps', '15');
  assert.deepEqual(camera, {
    kind: 'video',
    widthPx: 640,
    heightPx: 360,
    framesPerSecond: 15,
    bitrateBps: 1_500_000,
    simulcast: true,
  });
});

test('load: a plan takes the network for everybody, and a thread for each core but one', () => {
  const plan = loadPlan(flagsOf('--loss', '5%', '--delay', '80ms', '--rate', '2Mbps', '--url', 'https://host/path'), 4);
  assert.deepEqual(plan.network, { loss: 0.05, delayMs: 80, rateBps: 2_000_000 });
  assert.equal(plan.impaired, 'all');
  assert.deepEqual([plan.threads, plan.url, plan.mode], [3, 'wss://host/path', 'single']);
});

test('load: thresholds that are not asked are left out, but that all come in and all is received', () => {
  assert.deepEqual(loadThresholds(flagsOf()), { minConnected: 1, minFlowing: 1 });
  assert.deepEqual(loadThresholds(flagsOf('--min-flowing', '90%', '--max-loss', '1%', '--max-join-p99', '1s')), {
    minConnected: 1,
    minFlowing: 0.9,
    maxLoss: 0.01,
    maxJoinP99Ms: 1_000,
  });
});
