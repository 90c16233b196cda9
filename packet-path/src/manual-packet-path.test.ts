import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '@sluice/contracts';
import type { PacketPathEvent } from './events.ts';
import { ManualPacketPath } from './manual-packet-path.ts';
import { bindingRequest, firstVersion, identity, isSuccess, makeSpec } from './testing.ts';

interface Stepped {
  readonly path: ManualPacketPath;
  readonly events: PacketPathEvent[];
  readonly sent: { readonly to: string; readonly bytes: Uint8Array }[];
}

function step(shards: number, consentTimeoutMs = 15_000): Stepped {
  const events: PacketPathEvent[] = [];
  const sent: Stepped['sent'] = [];
  const path = new ManualPacketPath({
    shards,
    identity,
    tuning: { consentTimeoutMs },
    seed: 7,
    onEvent: (event) => events.push(event),
    onDatagram: (to, bytes) => sent.push({ to, bytes }),
  });
  return { path, events, sent };
}

test('manual packet path: what it is given is answered before the call returns', () => {
  const { path, events, sent } = step(1);
  path.apply(makeSpec('ann'), firstVersion, 1_000);
  const request = bindingRequest('ann');
  path.deliver('192.0.2.1:5000', request, 2_000);
  assert.deepEqual(events, [{ type: 'landed', session: 'SE_ann', remote: '192.0.2.1:5000' }]);
  assert.equal(sent[0]?.to, '192.0.2.1:5000');
  assert.ok(isSuccess(sent[0]?.bytes ?? new Uint8Array(), request));
  assert.equal(path.sessionSnapshot('SE_ann' as SessionId, 2_000)?.landedAtUs, 2_000);
  path.drop('SE_ann' as SessionId, 3_000);
  assert.deepEqual(events[1], { type: 'closed', session: 'SE_ann', reason: 'dropped' });
  path.close();
  path.close();
  assert.throws(() => path.advance(0), { code: 'PACKET_PATH_CLOSED' });
});

test('manual packet path: time passes only as it is told', () => {
  const { path, events } = step(2, 4_000);
  path.apply(makeSpec('ann'), firstVersion, 0);
  path.deliver('[2001:db8::1]:5000', bindingRequest('ann'), 1_000_000);
  path.advance(4_900_000);
  assert.equal(events.length, 1);
  for (let next = path.nextDeadlineUs(); next !== undefined && next < 10_000_000; next = path.nextDeadlineUs()) {
    path.advance(next);
  }
  assert.deepEqual(events[1], { type: 'closed', session: 'SE_ann', reason: 'consent-expired' });
  path.close();
});

test('manual packet path: a session on one shard answers what lands on another', () => {
  const { path, sent, events } = step(8);
  path.apply(makeSpec('ann'), firstVersion, 0);
  const requests = Array.from({ length: 20 }, (_, i) => ({
    from: `192.0.2.1:${6000 + i}`,
    bytes: bindingRequest('ann'),
  }));
  path.deliverAll(requests, 1_000);
  assert.equal(events.filter(({ type }) => type === 'landed').length, 1);
  for (const { from, bytes } of requests) {
    assert.ok(sent.some((answer) => answer.to === from && isSuccess(answer.bytes, bytes)));
  }
  const handedOver = path.snapshot(1_000).shards.map(({ counters }) => counters['handed-over'] ?? 0);
  assert.ok(handedOver.reduce((sum, count) => sum + count) > 0);
  path.close();
});

test('manual packet path: drained, it takes nobody new', () => {
  const { path, sent } = step(2);
  path.apply(makeSpec('ann'), firstVersion, 0);
  path.drain(1);
  path.apply(makeSpec('bob'), firstVersion, 2);
  path.deliver('192.0.2.1:5000', bindingRequest('ann'), 3);
  path.deliver('192.0.2.1:5001', bindingRequest('bob'), 4);
  assert.equal(sent.length, 0);
  path.close();
});

test('manual packet path: bad values are refused by name', () => {
  const { path } = step(1);
  const bytes = new Uint8Array(1);
  assert.throws(() => path.deliver('192.0.2.1', bytes, 0), {
    code: 'PACKET_PATH_BAD_VALUE',
    message: 'datagrams[0] must be an address with its port',
  });
  assert.throws(() => path.deliver('192.0.2.1:1', 'x' as never, 0), { message: 'datagrams[1] must be a Uint8Array' });
  assert.throws(() => path.advance(0.5), { message: /^nowUs must be an integer/ });
  path.close();
});
