import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitrateText, readTrack } from './statistics.ts';

const inbound = (timestamp: number, bytes: number, packets: number, lost: number) => [
  { type: 'codec', id: 'c', mimeType: 'video/VP8' },
  { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.012 },
  {
    type: 'inbound-rtp',
    timestamp,
    codecId: 'c',
    frameWidth: 640,
    frameHeight: 360,
    framesPerSecond: 30,
    bytesReceived: bytes,
    packetsReceived: packets,
    packetsLost: lost,
    jitter: 0.003,
  },
];

test('statistics: rates are between two readings', () => {
  const first = readTrack(inbound(1000, 0, 0, 0), undefined);
  assert.equal(first?.figures.bitrateBps, undefined);
  const second = readTrack(inbound(2000, 125_000, 90, 10), first?.counters);
  assert.deepEqual(second?.figures, {
    codec: 'VP8',
    size: '640×360',
    fps: 30,
    bitrateBps: 1_000_000,
    loss: 0.1,
    roundTripMs: 12,
    jitterMs: 3,
  });
});

test('statistics: a sender’s loss and round trip are what the other side reports', () => {
  const report = (timestamp: number, sent: number, lost: number) => [
    { type: 'outbound-rtp', timestamp, bytesSent: sent * 100, packetsSent: sent },
    { type: 'remote-inbound-rtp', packetsLost: lost, roundTripTime: 0.05 },
  ];
  const first = readTrack(report(0, 0, 0), undefined);
  const second = readTrack(report(1000, 95, 5), first?.counters);
  assert.equal(second?.figures.loss, 0.05);
  assert.equal(second?.figures.roundTripMs, 50);
});

test('statistics: counters that began anew are no negative rate', () => {
  const first = readTrack(inbound(1000, 5_000, 10, 0), undefined);
  assert.equal(readTrack(inbound(2000, 100, 1, 0), first?.counters)?.figures.bitrateBps, undefined);
});

test('statistics: bit rates in words', () => {
  assert.deepEqual([undefined, 48_200, 1_440_000].map(bitrateText), ['–', '48 kbit/s', '1.4 Mbit/s']);
});
