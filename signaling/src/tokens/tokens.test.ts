import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@sluice/runtime/internal';
import { SignJWT } from 'jose';
import { claimsFor, joinGrants, permissionsOf } from './claims.ts';
import { KeyRing } from './key-ring.ts';
import { importSecret, makeToken, signClaims } from './make.ts';

/** Written by livekit-server-sdk 2.19.2 for `alice` in room `r`, sources camera and screen share, for an hour. */
const SDK_TOKEN =
  'eyJhbGciOiJIUzI1NiJ9.eyJtZXRhZGF0YSI6Im0iLCJhdHRyaWJ1dGVzIjp7ImEiOiIxIn0sIm5hbWUiOiJBbGljZSIsInZpZGVvIjp7InJvb21Kb2luIjp0cnVlLCJyb29tIjoiciIsImNhblB1Ymxpc2giOnRydWUsImNhblN1YnNjcmliZSI6dHJ1ZSwiY2FuUHVibGlzaFNvdXJjZXMiOlsiY2FtZXJhIiwic2NyZWVuX3NoYXJlIl19LCJpc3MiOiJkZXZrZXkiLCJleHAiOjE3OTU0NDgyMzIsIm5iZiI6MTc5NTQ0NDYzMiwic3ViIjoiYWxpY2UifQ.35tBMSrIXpk9FOpGdBFyx7xijZG-JiXI6IlE6TDAskA';
const ISSUED_MS = 1_795_444_632_000;
const ringAt = (unixMs: number): KeyRing =>
  new KeyRing({ devkey: 'secret', other: 'another' }, new VirtualClock(0, unixMs));

const sign = async (secret: string, claims: Readonly<Record<string, unknown>>): Promise<string> =>
  signClaims(await importSecret(secret), claims);

test('tokens: one that the server SDK wrote is understood whole', async () => {
  const verified = await ringAt(ISSUED_MS).verify(SDK_TOKEN);
  assert.ok(verified.ok);
  const joined = joinGrants(verified.claims);
  assert.ok(joined.ok);
  const { identity, room, name, metadata, attributes, kind, permissions, apiKey } = joined.grants;
  assert.deepEqual(
    { identity, room, name, metadata, attributes, kind, apiKey },
    {
      identity: 'alice',
      room: 'r',
      name: 'Alice',
      metadata: 'm',
      attributes: { a: '1' },
      kind: 'standard',
      apiKey: 'devkey',
    },
  );
  assert.deepEqual(permissions, {
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    canPublishSources: ['camera', 'screen-share'],
    canUpdateMetadata: false,
    hidden: false,
    recorder: false,
  });
});

test('tokens: clocks may be a minute apart, not more', async () => {
  const at = (s: number) => ringAt(ISSUED_MS + s * 1000).verify(SDK_TOKEN);
  assert.equal((await at(-59)).ok, true);
  assert.deepEqual(await at(-61), { ok: false, reason: 'not-yet-valid' });
  assert.equal((await at(3600 + 59)).ok, true);
  assert.deepEqual(await at(3600 + 61), { ok: false, reason: 'expired' });
});

const payload = { iss: 'devkey', sub: 'a', exp: ISSUED_MS / 1000 + 60, video: { roomJoin: true, room: 'r' } };
const bytes = (text: string) => new TextEncoder().encode(text);
const unsigned = (header: object, body: object) =>
  [header, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

const refused: readonly [string, () => string | Promise<string>, string][] = [
  ['none at all', () => '', 'missing'],
  ['noise', () => 'abc', 'malformed'],
  ['noise with dots', () => 'a.b.c', 'malformed'],
  ['a huge one', () => `${'a'.repeat(70_000)}.b.c`, 'malformed'],
  ['a key that nobody has', () => sign('secret', { ...payload, iss: 'nobody' }), 'unknown-key'],
  ['the name of an inherited property', () => sign('secret', { ...payload, iss: 'constructor' }), 'unknown-key'],
  ['the secret of another key', () => sign('another', payload), 'bad-signature'],
  ['algorithm none', () => `${unsigned({ alg: 'none' }, payload)}.`, 'malformed'],
  ['HS512', () => new SignJWT(payload).setProtectedHeader({ alg: 'HS512' }).sign(bytes('secret')), 'malformed'],
  ['no expiry', () => sign('secret', { ...payload, exp: undefined }), 'bad-claims'],
  ['an expiry that is text', () => sign('secret', { ...payload, exp: 'tomorrow' }), 'bad-claims'],
  ['a grant of the wrong type', () => sign('secret', { ...payload, video: { roomJoin: 'yes' } }), 'bad-claims'],
  ['a grant that is null', () => sign('secret', { ...payload, video: null }), 'bad-claims'],
];

for (const [what, make, reason] of refused) {
  test(`tokens: ${what} is refused as ${reason}`, async () => {
    assert.deepEqual(await ringAt(ISSUED_MS).verify(await make()), { ok: false, reason });
  });
}

test('tokens: joining needs the grant, an identity and a room', () => {
  const claims = { iss: 'k', exp: 1, sub: 'a' };
  assert.deepEqual(joinGrants(claims), { ok: false, reason: 'no-room-join' });
  assert.deepEqual(joinGrants({ ...claims, video: { roomJoin: true } }), { ok: false, reason: 'no-room' });
  assert.deepEqual(joinGrants({ iss: 'k', exp: 1, video: { roomJoin: true, room: 'r' } }), {
    ok: false,
    reason: 'no-identity',
  });
  const old = joinGrants({ iss: 'k', exp: 1, jti: 'old', video: { roomJoin: true, room: 'r' } });
  assert.ok(old.ok && old.grants.identity === 'old');
});

test('tokens: publishing data follows publishing unless it is said', () => {
  assert.equal(permissionsOf({ canPublish: false }).canPublishData, false);
  assert.equal(permissionsOf({ canPublish: false, canPublishData: true }).canPublishData, true);
  assert.equal(permissionsOf({}).canPublishData, true);
});

test('tokens: what makeToken makes, verifyToken takes', async () => {
  const token = await makeToken({
    apiKey: 'devkey',
    secret: 'secret',
    identity: 'bob',
    name: 'Bob',
    attributes: { role: 'host' },
    video: { roomJoin: true, room: 'r', hidden: true },
    nowMs: ISSUED_MS,
    lifetimeS: 600,
  });
  const verified = await ringAt(ISSUED_MS).verify(token);
  assert.ok(verified.ok);
  const joined = joinGrants(verified.claims);
  assert.ok(joined.ok);
  assert.equal(joined.grants.permissions.hidden, true);
  assert.equal(joined.grants.expiresAtS, ISSUED_MS / 1000 + 600);
});

test('tokens: a refreshed one holds what the participant is now and keeps what we do not know', () => {
  const first = joinGrants({
    iss: 'k',
    sub: 'a',
    exp: 1,
    video: { roomJoin: true, room: 'r', futureGrant: 7, canPublish: true },
    future: { x: 1 },
  });
  assert.ok(first.ok);
  const claims = claimsFor(first.grants, {
    name: 'new name',
    metadata: 'new',
    attributes: { b: '2' },
    permissions: { ...first.grants.permissions, canPublish: false, canPublishSources: ['screen-share-audio'] },
  });
  assert.equal(claims['future'] !== undefined, true);
  assert.equal(claims.name, 'new name');
  assert.equal(claims.video?.['futureGrant'], 7);
  assert.equal(claims.video?.canPublish, false);
  assert.deepEqual(claims.video?.canPublishSources, ['screen_share_audio']);
  assert.equal(claims.video?.room, 'r');
});

test('tokens: a refreshed one is good for 10 min, or as long as the first', async () => {
  const ring = ringAt(ISSUED_MS);
  for (const [exp, expected] of [
    [ISSUED_MS / 1000 + 5, ISSUED_MS / 1000 + 600],
    [ISSUED_MS / 1000 + 6000, ISSUED_MS / 1000 + 6000],
  ] as const) {
    const token = await ring.refresh({ iss: 'devkey', sub: 'a', exp });
    const verified = await ring.verify(token ?? '');
    assert.ok(verified.ok);
    assert.equal(verified.claims.exp, expected);
  }
  assert.equal(await ring.refresh({ iss: 'nobody', exp: 1 }), undefined);
});
