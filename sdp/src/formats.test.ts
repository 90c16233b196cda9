import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecName, formatProfile } from './formats.ts';

const profile = (name: string, fmtp: Record<string, string> = {}): string =>
  formatProfile({ name, parameters: new Map(Object.entries(fmtp)) });

test('a codec is known by its name without case; what carries no track is other', () => {
  assert.deepEqual(
    ['VP8', 'h264', 'Opus', 'PCMU', 'AV1', 'H265', 'rtx', 'telephone-event', 'AV1X'].map((name) => codecName({ name })),
    ['vp8', 'h264', 'opus', 'pcmu', 'av1', 'h265', 'other', 'other', 'other'],
  );
});

test('H.264: profile and packetization mode tell formats apart, the level does not', () => {
  const h264 = (level: string, mode = '1'): string =>
    profile('H264', { 'profile-level-id': level, 'packetization-mode': mode, 'level-asymmetry-allowed': '1' });
  assert.equal(h264('42e01f'), 'constrained-baseline;packetization-mode=1');
  assert.equal(h264('42E034'), h264('42e01f'));
  assert.notEqual(h264('42e01f', '0'), h264('42e01f', '1'));
  assert.equal(h264('42001f'), 'baseline;packetization-mode=1');
  assert.equal(h264('4d001f'), 'main;packetization-mode=1');
  assert.equal(h264('64001f'), 'high;packetization-mode=1');
  assert.equal(h264('640c1f'), 'constrained-high;packetization-mode=1');
  assert.equal(h264('f4001f'), 'high-444-predictive;packetization-mode=1');
});

test('H.264: nothing said is constrained baseline in packetization mode 0', () => {
  assert.equal(profile('H264'), 'constrained-baseline;packetization-mode=0');
});

test('H.264: a profile that is none is nobody’s', () => {
  assert.equal(profile('H264', { 'profile-level-id': 'nonsense' }), 'unknown;packetization-mode=0');
  assert.equal(
    profile('H264', { 'packetization-mode': 'x'.repeat(1000) }),
    'constrained-baseline;packetization-mode=unknown',
  );
});

test('VP9, AV1 and H.265 formats: defaults are the same as saying them', () => {
  assert.equal(profile('VP9'), profile('VP9', { 'profile-id': '0' }));
  assert.notEqual(profile('VP9'), profile('VP9', { 'profile-id': '2' }));
  assert.equal(profile('AV1'), profile('AV1', { 'level-idx': '8', profile: '0', tier: '0' }));
  assert.equal(profile('H265'), profile('H265', { 'level-id': '93', 'profile-id': '1', 'tier-flag': '0' }));
});

test('codecs with one format have an empty profile', () => {
  for (const name of ['opus', 'VP8', 'PCMU']) assert.equal(profile(name, { anything: '1' }), '');
});
