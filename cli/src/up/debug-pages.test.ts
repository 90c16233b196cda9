import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debugAnswer, type Inspected, mayDebug } from './debug-pages.ts';

/** A node with one session. */
const node = {
  node: async () => ({ node: 'ND_1' }),
  sessions: () => [{ session: 'SE_1' }],
  session: async (session: string) => (session === 'SE_1' ? { session } : undefined),
  room: async (room: string) => ({ room }),
} as unknown as Inspected;

const answered = async (path: string): Promise<unknown> => {
  const { status, json } = await debugAnswer(path, node);
  return status === 200 ? json : status;
};

test('debug pages: node, sessions, a session, a room; nothing else', async () => {
  assert.deepEqual(await answered('/debug/node'), { node: 'ND_1' });
  assert.deepEqual(await answered('/debug/sessions'), { sessions: [{ session: 'SE_1' }] });
  assert.deepEqual(await answered('/debug/sessions/SE_1'), { session: 'SE_1' });
  assert.deepEqual(await answered('/debug/rooms/RM_1'), { room: 'RM_1' });
  for (const path of [
    '/debug',
    '/debug/',
    '/debug/sessions/SE_2',
    '/debug/sessions/x',
    '/debug/rooms/',
    '/debug/node/x/y',
  ])
    assert.equal(await answered(path), 404, path);
});

test('debug pages: before the node is up there is nothing to show', async () => {
  assert.equal((await debugAnswer('/debug/node', undefined)).status, 503);
});

test('debug pages: only on loopback, and only by a name of it', () => {
  assert.ok(mayDebug('127.0.0.1', '127.0.0.1:9090'));
  assert.ok(mayDebug('::1', '[::1]:9090'));
  assert.ok(mayDebug('localhost', 'localhost:9090'));
  assert.ok(!mayDebug('0.0.0.0', '127.0.0.1:9090'));
  assert.ok(!mayDebug('127.0.0.1', 'rebound.example:9090'));
  assert.ok(!mayDebug('127.0.0.1', undefined));
});
