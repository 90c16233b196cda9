import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpdateTrackSettings, VideoQuality } from '@livekit/protocol';
import type { VideoLayer } from '@sluice/contracts';
import fc from 'fast-check';
import { readTrackSettings, usefulQuality, wishOf } from './track-settings.ts';

const layer = (quality: VideoLayer['quality'], widthPx: number, heightPx: number): VideoLayer => ({
  quality,
  widthPx,
  heightPx,
  bitrateBps: 0,
  rid: '',
});
const three = [layer('low', 320, 180), layer('medium', 640, 360), layer('high', 1280, 720)];
const two = [layer('medium', 640, 360), layer('low', 320, 180)];

const useful = (layers: VideoLayer[], settings: Partial<UpdateTrackSettings>): string =>
  usefulQuality({ layers }, readTrackSettings(new UpdateTrackSettings(settings)));
const counted = (layers: VideoLayer[], settings: Partial<UpdateTrackSettings>): string =>
  wishOf({ layers }, readTrackSettings(new UpdateTrackSettings(settings)), true).quality;

test('track settings: a size chooses the smallest layer that covers it, whatever quality is asked for', () => {
  const quality = VideoQuality.HIGH;
  assert.equal(useful(three, { width: 200, height: 100, quality }), 'low');
  assert.equal(useful(three, { width: 320, height: 180, quality }), 'low');
  assert.equal(useful(three, { width: 321, height: 180, quality }), 'medium');
  assert.equal(useful(three, { width: 100, height: 400, quality }), 'high');
  assert.equal(useful(three, { width: 4000, height: 2000, quality: VideoQuality.LOW }), 'high', 'as good as it gets');
});

test('track settings: without a size the quality asked for counts, as far as the track has it', () => {
  assert.equal(useful(three, { quality: VideoQuality.MEDIUM }), 'medium');
  assert.equal(useful(two, { quality: VideoQuality.HIGH }), 'medium');
  assert.equal(useful([layer('high', 640, 360)], { quality: VideoQuality.LOW }), 'high');
  assert.equal(useful([], { quality: VideoQuality.LOW }), 'low');
});

test('track settings: the packet path counts layers, so that the top is the top however few there are', () => {
  assert.equal(counted(two, { quality: VideoQuality.HIGH }), 'high');
  assert.equal(counted(two, { quality: VideoQuality.LOW }), 'low');
  assert.equal(counted(three, { quality: VideoQuality.MEDIUM }), 'medium');
  assert.equal(counted([layer('low', 320, 180), layer('high', 1280, 720)], { quality: VideoQuality.MEDIUM }), 'low');
});

test('track settings: a quality that means nothing shows nothing, and no number is beyond its bound', () => {
  assert.ok(readTrackSettings(new UpdateTrackSettings({ quality: VideoQuality.OFF })).disabled);
  const most = new UpdateTrackSettings({ width: 2 ** 31, height: 2 ** 31, fps: 2 ** 31, priority: 2 ** 31 });
  const { widthPx, heightPx, maxFps, priority } = readTrackSettings(most);
  assert.deepEqual([widthPx, heightPx, maxFps, priority], [65_535, 65_535, 240, 65_535]);
});

test('track settings: shown larger, a track is never worth less', () => {
  const px = fc.integer({ min: 1, max: 2_000 });
  const rank = ['low', 'medium', 'high'];
  fc.assert(
    fc.property(px, px, fc.nat(500), fc.nat(500), fc.subarray(three), (width, height, dx, dy, layers) => {
      const small = rank.indexOf(useful(layers, { width, height }));
      assert.ok(rank.indexOf(useful(layers, { width: width + dx, height: height + dy })) >= small);
    }),
  );
});
