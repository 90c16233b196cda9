import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { checkConfig, problemLines } from './check-config.ts';
import { describeConfig, redactedConfig } from './describe-config.ts';
import { loadConfig } from './load-config.ts';
import { editDistance, nearestName } from './nearest-name.ts';

const Schema = z.strictObject({
  port: z.int().min(1).max(65_535).default(7880).describe('TCP port of HTTP and WebSocket.'),
  apiKeys: z.record(z.string().min(1), z.string()).default({}).meta({ description: 'Key to secret.', secret: true }),
  media: z
    .strictObject({
      udpPort: z.int().min(1).max(65_535).default(7882).describe('UDP port of all media.'),
      emptyTimeoutS: z.int().min(0).default(300).describe('How long an empty room lives.'),
      addresses: z.array(z.strictObject({ host: z.string(), mode: z.enum(['ipv4', 'ipv6']) })).default([]),
    })
    .prefault({}),
});

const linesOf = (yaml: string): string[] => {
  const result = loadConfig(Schema, yaml, 'sluice.yaml');
  return result.ok ? [] : problemLines(result.problems);
};

test('config: an empty file is every default', () => {
  const result = loadConfig(Schema, '# nothing\n', 'sluice.yaml');
  assert.deepEqual(result, {
    ok: true,
    value: { port: 7880, apiKeys: {}, media: { udpPort: 7882, emptyTimeoutS: 300, addresses: [] } },
  });
});

test('config: an unknown key names its line and the nearest valid one', () => {
  assert.deepEqual(linesOf('port: 1\nmedia:\n  udpprot: 7\n'), [
    'sluice.yaml:3:3: "media.udpprot" is not a key of this configuration; the nearest valid key is "media.udpPort"',
  ]);
});

test('config: a key in the wrong group is shown its place', () => {
  assert.deepEqual(linesOf('emptyTimeoutS: 3'), [
    'sluice.yaml:1:1: "emptyTimeoutS" is not a key of this configuration; there is "media.emptyTimeoutS"',
  ]);
});

test('config: a key like no other lists what is valid', () => {
  assert.deepEqual(linesOf('bogus: 3'), [
    'sluice.yaml:1:1: "bogus" is not a key of this configuration; valid keys here are port, apiKeys, media',
  ]);
});

test('config: a bad value says what it is and what is allowed', () => {
  assert.deepEqual(linesOf('port: abc\nmedia:\n  udpPort: 99999\n  addresses:\n    - host: a\n      mode: ipv5\n'), [
    'sluice.yaml:1:7: "port" is the text "abc"; it must be a whole number from 1 to 65535',
    'sluice.yaml:3:12: "media.udpPort" is the number 99999; it must be a whole number from 1 to 65535',
    'sluice.yaml:6:13: "media.addresses[0].mode" is the text "ipv5"; it must be one of ipv4, ipv6',
  ]);
});

test('config: a missing value points at the group that lacks it', () => {
  assert.deepEqual(linesOf('media:\n  addresses:\n    - mode: ipv4\n'), [
    'sluice.yaml:3:7: "media.addresses[0].host" is missing; it must be text',
  ]);
});

test('config: a list instead of the whole is refused in words', () => {
  assert.deepEqual(linesOf('- 1'), ['sluice.yaml:1:1: the configuration is a list; it must be a group of keys']);
});

test('config: broken YAML names the line', () => {
  const [line = ''] = linesOf('port: 1\nmedia: [1,\n');
  assert.match(line, /^sluice\.yaml:[23]:\d+: /);
});

test('config: a key said twice is refused', () => {
  assert.match(linesOf('port: 1\nport: 2')[0] ?? '', /^sluice\.yaml:2:1: .*unique/);
});

test('config: endless aliases are refused, not expanded', () => {
  const bomb = ['a0: &a0 [x, x]', ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)];
  assert.equal(linesOf(bomb.join('\n')).length, 1);
});

test('config: a secret with a bad value is not repeated in the message', () => {
  const [line = ''] = linesOf('apiKeys: hunter2');
  assert.ok(!line.includes('hunter2'), line);
});

test('config: values that came by flags are named by their flag', () => {
  const result = checkConfig(Schema, { port: 0 }, '--port');
  assert.deepEqual(result.ok ? [] : problemLines(result.problems), [
    '--port: "port" is the number 0; it must be a whole number from 1 to 65535',
  ]);
});

test('config: the reference has key, unit, default, range and sentence', () => {
  assert.equal(
    describeConfig(Schema),
    [
      '| key | unit | default | range | what it is |',
      '|---|---|---|---|---|',
      '| `port` |  | `7880` | 1 to 65535 | TCP port of HTTP and WebSocket. |',
      '| `apiKeys` |  |  |  | Key to secret. |',
      '| `media.udpPort` |  | `7882` | 1 to 65535 | UDP port of all media. |',
      '| `media.emptyTimeoutS` | s | `300` | 0 or more | How long an empty room lives. |',
      '| `media.addresses` |  | `[]` |  |  |',
      '| `media.addresses[].host` |  |  |  |  |',
      '| `media.addresses[].mode` |  |  | ipv4, ipv6 |  |',
      '',
    ].join('\n'),
  );
});

test('config: what is logged hides secrets', () => {
  const parsed = loadConfig(Schema, 'apiKeys: { devkey: hunter2 }', 'x');
  assert.ok(parsed.ok);
  assert.match(JSON.stringify(redactedConfig(Schema, parsed.value)), /"apiKeys":"redacted:/);
});

test('nearest name: a swap of neighbours is one mistake', () => {
  assert.equal(editDistance('prot', 'port'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(nearestName('signalling', ['signaling', 'media']), 'signaling');
  assert.equal(nearestName('xyzzy', ['signaling', 'media']), undefined);
});
