import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrackView, TrackWant, WantedQuality } from '@sluice/contracts';
import fc from 'fast-check';
import { Dynacast, FIRST_OFF_AFTER_US, OFF_AFTER_US } from './dynacast.ts';
import { SECOND, trackView } from './test-session.ts';

const layers = [{ quality: 'low', widthPx: 320, heightPx: 180, bitrateBps: 0, rid: 'q' }];
const VIDEO: TrackView = trackView('v1', { layers });

/** A publisher of one track and the time. */
class Stage {
  readonly dynacast = new Dynacast();
  nowUs = 0;

  wanted(quality: WantedQuality | 'nobody', view = VIDEO): string[] {
    const wants: TrackWant[] = quality === 'nobody' ? [] : [{ track: view.track, quality }];
    this.dynacast.see([view], wants, this.nowUs);
    return this.orders();
  }

  pass(us: number): string[] {
    this.nowUs += us;
    return this.orders();
  }

  orders(): string[] {
    return this.dynacast.takeOrders(this.nowUs).map(({ upTo }) => upTo);
  }
}

test('dynacast: nothing is turned off before the first subscriber had time to come', () => {
  const stage = new Stage();
  assert.deepEqual(stage.wanted('nobody'), []);
  assert.equal(stage.dynacast.nextUs(), FIRST_OFF_AFTER_US);
  assert.deepEqual(stage.pass(FIRST_OFF_AFTER_US - 1), []);
  assert.deepEqual(stage.pass(1), ['off']);
  assert.equal(stage.dynacast.nextUs(), undefined);
});

test('dynacast: on at once, off after 5 s, and only if nobody came back meanwhile', () => {
  const stage = new Stage();
  stage.wanted('low');
  assert.deepEqual(stage.pass(FIRST_OFF_AFTER_US), ['low']);
  assert.deepEqual(stage.wanted('high'), ['high']);
  assert.deepEqual(stage.wanted('low'), []);
  assert.deepEqual(stage.pass(OFF_AFTER_US - SECOND), []);
  assert.deepEqual(stage.wanted('high'), [], 'it was never off');
  assert.deepEqual(stage.wanted('low'), []);
  assert.deepEqual(stage.pass(OFF_AFTER_US - 1), []);
  assert.deepEqual(stage.wanted('medium'), [], 'less than it sends all the same');
  assert.deepEqual(stage.pass(1), ['medium']);
});

test('dynacast: what has no layers is left alone, and what is unpublished is forgotten', () => {
  const stage = new Stage();
  stage.wanted('nobody', trackView('a1'));
  assert.deepEqual(stage.pass(60 * SECOND), []);
  stage.wanted('nobody');
  stage.dynacast.see([], [], stage.nowUs);
  assert.equal(stage.dynacast.nextUs(), undefined);
});

test('dynacast: a publisher is told of its first subscriber once, also of one that does not look', () => {
  const { dynacast } = new Stage();
  dynacast.see([VIDEO], [], 0);
  assert.deepEqual(dynacast.takeSubscribed(), []);
  dynacast.see([VIDEO], [{ track: VIDEO.track, quality: 'off' }], 0);
  assert.deepEqual(dynacast.takeSubscribed(), [VIDEO.track]);
  dynacast.see([VIDEO], [], 0);
  dynacast.see([VIDEO], [{ track: VIDEO.track, quality: 'high' }], 0);
  assert.deepEqual(dynacast.takeSubscribed(), []);
});

test('dynacast: nobody ever waits for a layer, and in the end nothing is sent that nobody wants', () => {
  const rank = ['off', 'low', 'medium', 'high'];
  const step = fc.tuple(fc.constantFrom('nobody', 'off', 'low', 'medium', 'high'), fc.nat(8 * SECOND));
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const stage = new Stage();
      let sent = 'high';
      let last = 'off';
      const follow = (orders: string[]): void => {
        sent = orders.at(-1) ?? sent;
      };
      for (const [wanted, us] of steps) {
        follow(stage.wanted(wanted as WantedQuality));
        last = wanted === 'nobody' ? 'off' : wanted;
        assert.ok(rank.indexOf(sent) >= rank.indexOf(last));
        follow(stage.pass(us));
      }
      follow(stage.pass(FIRST_OFF_AFTER_US));
      assert.equal(sent, last);
    }),
  );
});
