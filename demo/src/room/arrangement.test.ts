import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrange, fills } from './arrangement.ts';

test('arrangement: two people side by side on a desk, one above the other on a phone', () => {
  assert.equal(arrange(2, { widthPx: 1280, heightPx: 640 }, 8).columns, 2);
  assert.equal(arrange(2, { widthPx: 360, heightPx: 600 }, 8).columns, 1);
});

test('arrangement: nothing sticks out, whatever the number and the space', () => {
  for (const widthPx of [320, 360, 800, 1920]) {
    for (const heightPx of [200, 640, 1080]) {
      for (let count = 1; count <= 25; count += 1) {
        const { columns, rows, tile } = arrange(count, { widthPx, heightPx }, 8);
        assert.ok(columns * rows >= count);
        assert.ok(columns * tile.widthPx + (columns - 1) * 8 <= widthPx, `${count} in ${widthPx}×${heightPx}`);
        assert.ok(rows * tile.heightPx + (rows - 1) * 8 <= heightPx, `${count} in ${widthPx}×${heightPx}`);
      }
    }
  }
});

test('arrangement: no space is no size, not a crash', () => {
  assert.deepEqual(arrange(3, { widthPx: 0, heightPx: 0 }, 8).tile, { widthPx: 0, heightPx: 0 });
});

test('fills: a portrait phone picture is shown whole in a wide tile', () => {
  assert.equal(fills(9 / 16, 16 / 9), false);
  assert.equal(fills(4 / 3, 16 / 9), true);
});
