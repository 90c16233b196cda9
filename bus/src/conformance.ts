import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyScope, type Bus, type BusDocument, type Lease, type Scope } from './bus.ts';

/** A bus under test: several processes' connections to one bus, and the power to let time pass and to take it away. */
export interface BusFixture {
  /** A connection for one more process. */
  connect(): Promise<Bus>;
  /** Lets everything said so far arrive. */
  settle(): Promise<void>;
  /** Lets time pass, for leases. */
  pass(us: number): Promise<void>;
  /** Takes one process's connection away, and gives it back. */
  cut(bus: Bus): Promise<void>;
  restore(bus: Bus): Promise<void>;
  close(): Promise<void>;
}

const document = (over: Partial<BusDocument> = {}): BusDocument => ({
  kind: 'thing',
  scope: 'room',
  key: 'a',
  writer: 'WR_1',
  epoch: 1,
  generation: 1,
  body: { name: 'x' },
  ...over,
});

/** A lease of this length is renewed often enough to be told from one that runs out. */
const LEASE_US = 3_000_000;

/** What every adapter of the bus must do. Registers one test per claim; `skip` says why it cannot be tried here. */
export function busConformance(
  adapter: string,
  makeFixture: () => Promise<BusFixture>,
  skip: string | false = false,
): void {
  const claim = (name: string, check: (fixture: BusFixture) => Promise<void>): void => {
    test(`bus (${adapter}): ${name}`, { skip }, async () => {
      const fixture = await makeFixture();
      try {
        await check(fixture);
      } finally {
        await fixture.close();
      }
    });
  };

  documentClaims(claim);
  askingClaims(claim);
  leaseClaims(claim);
  outageClaims(claim);
}

type Claim = (name: string, check: (fixture: BusFixture) => Promise<void>) => void;

function documentClaims(claim: Claim): void {
  claim('a document reaches every reader of its kind and scope, the sayer included, and nobody else', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    const heard: string[] = [];
    const hear = (who: string) => (got: BusDocument) => heard.push(`${who} ${got.kind} ${got.scope}`);
    a.read('thing', 'room', hear('a'));
    b.read('thing', 'room', hear('b'));
    b.read('thing', anyScope, hear('b-any'));
    b.read('thing', 'hall', hear('b-hall'));
    b.read('other', 'room', hear('b-other'));
    await on.settle();
    a.say(document());
    a.say(document({ scope: 'hall' }));
    await on.settle();
    assert.deepEqual(heard.sort(), [
      'a thing room',
      'b thing room',
      'b-any thing hall',
      'b-any thing room',
      'b-hall thing hall',
    ]);
  });

  claim('a document arrives as JSON carries it', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    const heard: BusDocument[] = [];
    b.read('thing', 'Ünï * > .  room', (got) => heard.push(got));
    await on.settle();
    const body = { text: '☎ "quoted" \u0000', list: [1, 2.5, -0.1, null, true], deep: { empty: {}, none: [] } };
    const said = document({ scope: 'Ünï * > .  room', key: 'key.with *', generation: 2 ** 52, body });
    const copy = structuredClone(said);
    a.say(said);
    await on.settle();
    assert.deepEqual(heard, [copy]);
  });

  claim('null tells that a document is no more', async (on) => {
    const a = await on.connect();
    const heard: unknown[] = [];
    a.read('thing', 'room', ({ body }) => heard.push(body));
    await on.settle();
    a.say(document({ body: null }));
    await on.settle();
    assert.deepEqual(heard, [null]);
  });

  claim('documents of one writer arrive in the order said', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    const heard: number[] = [];
    b.read('thing', anyScope, ({ generation }) => heard.push(generation));
    await on.settle();
    const generations = Array.from({ length: 500 }, (_, i) => i);
    for (const generation of generations) a.say(document({ generation, scope: generation % 2 ? 'room' : 'hall' }));
    await on.settle();
    assert.deepEqual(heard, generations);
  });

  claim('nothing is delivered from within say or read', async (on) => {
    const a = await on.connect();
    let heard = 0;
    a.read('thing', 'room', () => heard++);
    await on.settle();
    a.say(document());
    assert.equal(heard, 0);
    await on.settle();
    assert.equal(heard, 1);
  });

  claim('a closed reading hears nothing, not even what was on its way', async (on) => {
    const a = await on.connect();
    let heard = 0;
    const reading = a.read('thing', 'room', () => heard++);
    await on.settle();
    a.say(document());
    reading.close();
    reading.close();
    await on.settle();
    assert.equal(heard, 0);
  });

  claim('a reader that throws keeps neither others nor itself from the next document', async (on) => {
    const a = await on.connect();
    const heard: string[] = [];
    a.read('thing', 'room', () => {
      heard.push('bad');
      throw new Error('a reader of a test');
    });
    a.read('thing', 'room', () => heard.push('good'));
    await on.settle();
    a.say(document());
    a.say(document({ generation: 2 }));
    await on.settle();
    assert.deepEqual(heard.sort(), ['bad', 'bad', 'good', 'good']);
  });

  claim('readers that answer each other do not keep anyone waiting', async (on) => {
    const a = await on.connect();
    const heard: number[] = [];
    a.read('thing', 'ping', ({ generation }) => {
      heard.push(generation);
      if (generation < 5) a.say(document({ scope: 'ping', generation: generation + 1 }));
    });
    await on.settle();
    a.say(document({ scope: 'ping', generation: 1 }));
    for (let i = 0; i < 5; i++) await on.settle();
    assert.deepEqual(heard, [1, 2, 3, 4, 5]);
  });

  claim('a document of half a mebibyte passes', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    let length = 0;
    b.read('thing', 'room', ({ body }) => {
      length = (body as string).length;
    });
    await on.settle();
    a.say(document({ body: 'x'.repeat(512 * 1024) }));
    await on.settle();
    assert.equal(length, 512 * 1024);
  });
}

function askingClaims(claim: Claim): void {
  claim('a question reaches the writers of its scope and those of any scope, and tells them the scope', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    const asked: string[] = [];
    const hear = (who: string) => (scope: Scope) => asked.push(`${who} ${String(scope)}`);
    a.onAskedAgain('thing', 'room', hear('room'));
    a.onAskedAgain('thing', 'hall', hear('hall'));
    a.onAskedAgain('thing', anyScope, hear('any'));
    a.onAskedAgain('other', 'room', hear('other'));
    await on.settle();
    b.askAgain('thing', 'room');
    await on.settle();
    assert.deepEqual(asked.sort(), ['any room', 'room room']);
  });

  claim('a question for any scope reaches every writer of the kind', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    const asked: string[] = [];
    a.onAskedAgain('thing', 'room', (scope) => asked.push(`room ${scope === anyScope}`));
    a.onAskedAgain('thing', anyScope, (scope) => asked.push(`any ${scope === anyScope}`));
    const other = a.onAskedAgain('other', anyScope, () => asked.push('other'));
    await on.settle();
    b.askAgain('thing', anyScope);
    await on.settle();
    assert.deepEqual(asked.sort(), ['any true', 'room true']);
    other.close();
    b.askAgain('other', anyScope);
    await on.settle();
    assert.equal(asked.length, 2);
  });
}

function leaseClaims(claim: Claim): void {
  claim('a lease has one holder, for as long as it is there', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    let lost = 0;
    const lease = await a.acquire('rooms', LEASE_US, () => lost++);
    assert.ok(lease !== undefined);
    for (let i = 0; i < 4; i++) {
      await on.pass(LEASE_US);
      assert.equal(await b.acquire('rooms', LEASE_US, () => {}), undefined);
      assert.equal(await a.acquire('rooms', LEASE_US, () => {}), undefined);
    }
    assert.equal(lost, 0);
    assert.ok((await b.acquire('others', LEASE_US, () => {})) !== undefined);
  });

  claim('a released lease can be had at once, with a higher epoch', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    let lost = 0;
    const first = await a.acquire('rooms', LEASE_US, () => lost++);
    await first?.release();
    await first?.release();
    const second = await b.acquire('rooms', LEASE_US, () => {});
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(second.epoch > first.epoch, `${second.epoch} > ${first.epoch}`);
    assert.equal(lost, 0, 'who releases does not lose');
  });

  claim('who closes in order gives its leases back', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    await a.acquire('rooms', LEASE_US, () => {});
    await a.close();
    assert.ok((await b.acquire('rooms', LEASE_US, () => {})) !== undefined);
  });

  claim('who cannot renew is told in time, and another takes over with a higher epoch', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    let lost = 0;
    const first = await a.acquire('rooms', LEASE_US, () => lost++);
    await on.cut(a);
    await on.pass(LEASE_US + LEASE_US / 4);
    assert.equal(lost, 1);
    const second = await acquireSoon(on, b);
    assert.ok(first !== undefined && second !== undefined && second.epoch > first.epoch);
    await on.restore(a);
    assert.equal(await a.acquire('rooms', LEASE_US, () => {}), undefined);
    await first.release();
    assert.equal(await a.acquire('rooms', LEASE_US, () => {}), undefined, 'a lost lease releases nothing');
    assert.equal(lost, 1);
  });

  claim('a short absence costs no lease', async (on) => {
    const a = await on.connect();
    let lost = 0;
    await a.acquire('rooms', LEASE_US, () => lost++);
    await on.cut(a);
    await on.pass(LEASE_US / 4);
    await on.restore(a);
    await on.pass(3 * LEASE_US);
    assert.equal(lost, 0);
  });
}

/** Asks now and then, as who waits for a lease does: some adapters count its time from when they first saw it. */
async function acquireSoon(on: BusFixture, bus: Bus): Promise<Lease | undefined> {
  for (let i = 0; i < 8; i++) {
    const lease = await bus.acquire('rooms', LEASE_US, () => {});
    if (lease !== undefined) return lease;
    await on.pass(LEASE_US / 4);
  }
  return undefined;
}

function outageClaims(claim: Claim): void {
  claim('while it is away nothing passes and nothing throws; when it returns, listeners are told', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    let heard = 0;
    let returns = 0;
    b.read('thing', 'room', () => heard++);
    b.onReturn(() => returns++);
    await on.settle();
    await on.cut(b);
    assert.equal(b.connected(), false);
    a.say(document());
    b.say(document());
    b.askAgain('thing', 'room');
    assert.equal(await b.acquire('rooms', LEASE_US, () => {}), undefined);
    await on.settle();
    assert.deepEqual([heard, returns], [0, 0]);
    await on.restore(b);
    await on.settle();
    assert.deepEqual([heard, returns, b.connected()], [0, 1, true]);
    a.say(document({ generation: 2 }));
    await on.settle();
    assert.equal(heard, 1, 'readings outlive an outage');
  });

  claim('a closed connection is silent, and closing twice is fine', async (on) => {
    const [a, b] = [await on.connect(), await on.connect()];
    let heard = 0;
    b.read('thing', 'room', () => heard++);
    await on.settle();
    await b.close();
    await b.close();
    a.say(document());
    b.say(document());
    await on.settle();
    assert.equal(heard, 0);
    assert.equal(b.connected(), false);
  });
}
