import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  JoinRequest,
  SignalRequest,
  SignalResponse,
  WrappedJoinRequest,
  WrappedJoinRequest_Compression,
} from '@livekit/protocol';
import fc from 'fast-check';
import { parseConnectRequest } from './connect-request.ts';
import { decodeFrame, encodeFrame } from './wire.ts';

test('wire: noise is a value, never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.json()), (frame) => {
      const decoded = decodeFrame(frame);
      assert.equal(typeof decoded.ok, 'boolean');
    }),
    { numRuns: 2000 },
  );
});

test('wire: what is written in either framing is read back the same', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const request = new SignalRequest({ message: { case: 'ping', value } });
      assert.deepEqual(decodeFrame(request.toBinary()), { ok: true, message: request.message });
      assert.deepEqual(decodeFrame(request.toJsonString()), { ok: true, message: request.message });
      const binary = encodeFrame({ case: 'pong', value }, 'binary');
      assert.ok(binary instanceof Uint8Array);
      assert.deepEqual(SignalResponse.fromBinary(binary).message, { case: 'pong', value });
    }),
  );
});

/** As different SDKs write it. */
const alphabets: readonly ((bytes: Uint8Array) => string)[] = [
  (bytes) => Buffer.from(bytes).toString('base64'),
  (bytes) => Buffer.from(bytes).toString('base64url'),
  (bytes) => Buffer.from(bytes).toString('base64').replaceAll('+', ' '),
  (bytes) => Buffer.from(bytes).toString('base64').replaceAll('=', ''),
];

test('join request: both compressions, both alphabets, with padding or without, with spaces for pluses', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 400 }),
      fc.boolean(),
      fc.constantFrom(...alphabets),
      (metadata, gzip, alphabet) => {
        const bytes = new JoinRequest({ metadata }).toBinary();
        const wrapped = new WrappedJoinRequest({
          compression: gzip ? WrappedJoinRequest_Compression.GZIP : WrappedJoinRequest_Compression.NONE,
          joinRequest: gzip ? gzipSync(bytes) : bytes,
        });
        const query = new URLSearchParams();
        query.set('join_request', alphabet(wrapped.toBinary()));
        const parsed = parseConnectRequest(query, true);
        assert.ok(parsed.ok);
        assert.equal(parsed.request.metadata, Buffer.from(metadata, 'utf8').toString('utf8'));
        assert.equal(parsed.request.mode, 'single');
      },
    ),
  );
});

test('connect request: noise in any parameter is a value, never an exception', () => {
  const names = fc.constantFrom(
    'join_request',
    'attributes',
    'sid',
    'reconnect',
    'protocol',
    'sdk',
    'capabilities',
    'publish',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.string())), fc.boolean(), (parameters, needed) => {
      assert.equal(typeof parseConnectRequest(new URLSearchParams(parameters), needed).ok, 'boolean');
    }),
    { numRuns: 1000 },
  );
});
