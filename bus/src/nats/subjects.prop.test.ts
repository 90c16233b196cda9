import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyScope } from '../bus.ts';
import { decodeDocument, decodeQuestion, encodeDocument, encodeQuestion } from './envelope.ts';
import { Subjects, scopeToken } from './subjects.ts';

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary-ascii', maxLength: 400 }),
  fc.constantFrom('', '*', '>', '.', ' ', 'a.b', '=YQ', '~', 'a\r\nPUB x 0', 'x'.repeat(97), '☎'.repeat(40)),
);

test('subjects: any scope is one word that NATS takes', () => {
  fc.assert(
    fc.property(texts, (scope) => {
      assert.match(scopeToken(scope), /^[A-Za-z0-9_=~-]{1,160}$/);
    }),
  );
});

test('subjects: scopes that differ have words that differ', () => {
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      fc.pre(Buffer.from(a).compare(Buffer.from(b)) !== 0);
      assert.notEqual(scopeToken(a), scopeToken(b));
    }),
  );
});

test('subjects: plain names stay readable', () => {
  const subjects = new Subjects('sluice');
  assert.equal(subjects.document('room-view', 'standup_1'), 'sluice.doc.room-view.standup_1');
  assert.equal(subjects.documents('room-view', anyScope), 'sluice.doc.room-view.*');
  assert.deepEqual(subjects.questions('intent', anyScope), ['sluice.ask.intent.*', 'sluice.ask-all.intent']);
  assert.equal(subjects.question('intent', 'Ünï'), 'sluice.ask.intent.=w5xuw68');
});

test('envelope: what is written is read again, and noise is not', () => {
  const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>;
  const count = fc.maxSafeNat();
  fc.assert(
    fc.property(texts, texts, count, count, json, (scope, key, epoch, generation, body) => {
      const document = { kind: 'thing', scope, key, writer: 'WR_1', epoch, generation, body };
      assert.deepEqual(decodeDocument(encodeDocument(document)), JSON.parse(JSON.stringify(document)));
      assert.equal(decodeQuestion(encodeQuestion(scope)), scope);
    }),
  );
  assert.equal(decodeQuestion(encodeQuestion(anyScope)), anyScope);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => decodeDocument(noise) === undefined));
});
