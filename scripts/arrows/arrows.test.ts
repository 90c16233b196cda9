import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internalDoors, nativeArrows, nativeNouns, packageArrows } from './arrows.ts';
import { judgeCore, judgeInclude } from './native.ts';
import { importsOf, judge } from './typescript.ts';

const rules = { arrows: packageArrows, internalDoors };
const native = { arrows: nativeArrows, nouns: nativeNouns };

test('arrows: a process does not import another process', () => {
  assert.match(judge('signaling/src/main.ts', '@sluice/controller', rules) ?? '', /must not import controller/);
  assert.equal(judge('signaling/src/main.ts', '@sluice/bus', rules), undefined);
  assert.equal(judge('cli/src/up.ts', '@sluice/controller', rules), undefined);
});

test('arrows: another package is reached by its name and its front door', () => {
  assert.match(judge('bus/src/a.ts', '../../runtime/src/clock.ts', rules) ?? '', /by path/);
  assert.match(judge('bus/src/a.ts', '@sluice/runtime/internal', rules) ?? '', /back door/);
  assert.match(judge('bus/src/latest.ts', '@sluice/runtime/internal', rules) ?? '', /back door/);
  assert.equal(judge('bus/src/test-bus.ts', '@sluice/runtime/internal', rules), undefined);
  assert.equal(judge('sim/src/a.ts', '@sluice/runtime/internal', rules), undefined);
  assert.equal(judge('bus/src/a.test.ts', '@sluice/runtime/internal', rules), undefined);
  assert.equal(judge('bus/src/a.ts', './b.ts', rules), undefined);
});

test('arrows: type imports, re-exports and import() are seen, with their lines', async () => {
  const text = [
    "import type { A } from 'a';",
    "export * from 'b';",
    "const c = await import('c');",
    "let d: import('d').D;",
  ].join('\n');
  const found = await importsOf('x.ts', text);
  assert.deepEqual(
    found.toSorted((one, other) => one.line - other.line),
    [
      { specifier: 'a', line: 1 },
      { specifier: 'b', line: 2 },
      { specifier: 'c', line: 3 },
      { specifier: 'd', line: 4 },
    ],
  );
});

test('arrows: modules of the core meet only in session and shard', () => {
  const known = new Set([
    'core/wire/rtp.h',
    'core/ice/agent.h',
    'core/srtp/context.h',
    'core/spec.h',
    'core/shard.h',
    'io/loop.h',
  ]);
  const include = (file: string, name: string) => judgeInclude(file, `#include "${name}"`, known, native);
  assert.equal(include('core/ice/agent.cc', '../wire/rtp.h'), undefined);
  assert.equal(include('core/ice/agent.cc', '../spec.h'), undefined);
  assert.equal(include('core/shard.cc', 'ice/agent.h'), undefined);
  assert.equal(include('test/a.test.cc', 'core/ice/agent.h'), undefined);
  assert.match(include('core/ice/agent.cc', '../srtp/context.h') ?? '', /must not include core\/srtp/);
  assert.match(include('core/ice/agent.cc', '../shard.h') ?? '', /must not include shard/);
  assert.match(include('core/wire/rtp.cc', '../spec.h') ?? '', /must not include/);
  assert.match(include('core/shard.cc', '../io/loop.h') ?? '', /must not include io/);
});

test('arrows: the core has no clock, no lock and no socket', () => {
  assert.match(judgeCore('core/ice/agent.cc', '#include <chrono>') ?? '', /no clock/);
  assert.match(judgeCore('core/ice/agent.cc', '#include <sys/socket.h>') ?? '', /no system header/);
  assert.match(judgeCore('core/ice/agent.cc', '  int x = rand();') ?? '', /randomness/);
  assert.equal(judgeCore('core/ice/agent.cc', '  // std::chrono is not here'), undefined);
  assert.equal(judgeCore('io/loop.cc', '#include <chrono>'), undefined);
});
