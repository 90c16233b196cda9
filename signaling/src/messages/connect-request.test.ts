import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  ClientInfo,
  ClientInfo_SDK,
  ConnectionSettings,
  JoinRequest,
  WrappedJoinRequest,
  WrappedJoinRequest_Compression,
} from '@livekit/protocol';
import { LARGEST_JOIN_REQUEST_BYTES, parseConnectRequest } from './connect-request.ts';

const wrapped = (joinRequest: Uint8Array, compression: WrappedJoinRequest_Compression): string =>
  Buffer.from(new WrappedJoinRequest({ joinRequest, compression }).toBinary()).toString('base64url');

const parse = (query: string, needed = false): ReturnType<typeof parseConnectRequest> =>
  parseConnectRequest(new URLSearchParams(query), needed);

test('connect request: the older form says it in parameters', () => {
  const parsed = parse(
    'access_token=x&auto_subscribe=0&adaptive_stream=1&sdk=android&version=2.1&protocol=13&client_protocol=1&capabilities=CAP_COMPRESSION_DEFLATE_RAW,nonsense&browser=safari',
  );
  assert.ok(parsed.ok);
  const { mode, autoSubscribe, adaptiveStream, client, resume } = parsed.request;
  assert.deepEqual([mode, autoSubscribe, adaptiveStream, resume], ['dual', false, true, undefined]);
  assert.deepEqual(
    [client.sdk, client.version, client.protocol, client.clientProtocol, client.capabilities, client.browser],
    [ClientInfo_SDK.ANDROID, '2.1', 13, 1, [2], 'safari'],
  );
});

test('connect request: nothing said means subscribe to everything', () => {
  const parsed = parse('');
  assert.ok(parsed.ok);
  assert.equal(parsed.request.autoSubscribe, true);
});

test('connect request: the form decides the mode, not the path', () => {
  const join = new JoinRequest({
    clientInfo: new ClientInfo({ sdk: ClientInfo_SDK.GO }),
    connectionSettings: new ConnectionSettings({ autoSubscribe: false }),
  });
  const parsed = parse(`join_request=${wrapped(join.toBinary(), WrappedJoinRequest_Compression.NONE)}`);
  assert.ok(parsed.ok);
  assert.deepEqual([parsed.request.mode, parsed.request.autoSubscribe], ['single', false]);
});

test('connect request: attributes come as base64url JSON', () => {
  const encoded = Buffer.from(JSON.stringify({ a: 'ü' })).toString('base64url');
  const parsed = parse(`attributes=${encoded}`);
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.request.attributes, { a: 'ü' });
  for (const bad of ['[1]', '{"a":1}', 'null', '{']) {
    assert.deepEqual(parse(`attributes=${Buffer.from(bad).toString('base64url')}`), {
      ok: false,
      reason: 'bad-attributes',
    });
  }
});

test('connect request: a client comes back under its sid; without one it joins', () => {
  const back = parse('reconnect=1&sid=PA_abc&reconnect_reason=2');
  assert.ok(back.ok);
  assert.deepEqual(back.request.resume, { participant: 'PA_abc', reason: 2, syncState: undefined });
  const join = parse('reconnect=1');
  assert.ok(join.ok);
  assert.equal(join.request.resume, undefined);
  assert.deepEqual(parse('reconnect=1&sid=../../etc'), { ok: false, reason: 'bad-participant' });
});

const bomb = gzipSync(Buffer.alloc(LARGEST_JOIN_REQUEST_BYTES + 1));

const bad: readonly [string, string][] = [
  ['noise', 'join_request=AAAA'],
  ['what is not base64', 'join_request=!!!'],
  ['an empty one on the newer path', 'join_request='],
  ['one that decompresses to more than 1 MiB', `join_request=${wrapped(bomb, WrappedJoinRequest_Compression.GZIP)}`],
  ['one that is no gzip', `join_request=${wrapped(new Uint8Array([1, 2]), WrappedJoinRequest_Compression.GZIP)}`],
  [
    'one whose join is noise',
    `join_request=${wrapped(new Uint8Array([255, 255]), WrappedJoinRequest_Compression.NONE)}`,
  ],
];

for (const [what, query] of bad) {
  test(`connect request: ${what} is refused`, () => {
    assert.equal(parse(query, true).ok, false);
  });
}
