import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { z } from 'zod';
import { loadConfig } from './load-config.ts';
import { editDistance } from './nearest-name.ts';

const Schema = z.strictObject({
  port: z.int().min(1).max(65_535).default(1),
  group: z
    .strictObject({ name: z.string().default('x'), list: z.array(z.strictObject({ n: z.number() })).default([]) })
    .prefault({}),
  keys: z.record(z.string(), z.string()).default({}),
});

test('config: no text makes it throw, and what is wrong has a place', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...Array.from('port: {}[]&*#|>-\n 1x"\'!%,?')) }),
  );
  fc.assert(
    fc.property(text, (yaml) => {
      const result = loadConfig(Schema, yaml, 'f');
      if (!result.ok) for (const { where } of result.problems) assert.match(where, /^f:\d+:\d+$/);
    }),
    { numRuns: 2_000 },
  );
});

test('config: any value whatever is taken or refused in words', () => {
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom('port', 'group', 'keys', 'other'), (value, key) => {
      const result = loadConfig(Schema, stringify({ [key]: toPlain(value) }), 'f');
      if (!result.ok) for (const { message } of result.problems) assert.ok(message.length > 10);
    }),
  );
});

/** What YAML has of a value. */
const toPlain = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

test('edit distance: is none between equals, the same both ways, and never more than the longer word', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, a), 0);
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
});
