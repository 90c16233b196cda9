import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { seededRandom } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import type { Bus } from '../bus.ts';
import { busConformance } from '../conformance.ts';
import { NatsConfig } from './config.ts';
import { NatsBus } from './nats-bus.ts';
import { CuttableWay, NatsTestServer, natsMissing } from './test-server.ts';

let server: NatsTestServer;
let clouds = 0;
before(async () => {
  if (natsMissing === false) server = await NatsTestServer.start();
});
after(async () => await server?.[Symbol.asyncDispose]());

/** Leases are renewed three times within 3 s: steps shorter than that let each renewal have its answer. */
const STEP_US = 250_000;

/** Time is virtual; the server, the connections and what goes over them are real. */
busConformance(
  'NATS',
  async () => {
    const clock = new VirtualClock();
    const prefix = `cloud-${++clouds}`;
    const connected = new Map<Bus, { bus: NatsBus; way: CuttableWay }>();
    const buses = (): NatsBus[] => [...connected.values()].map(({ bus }) => bus);
    // What one has said before its flush ends, the server has given the others before theirs end.
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 2; i++) await Promise.all(buses().map((bus) => bus.flush().catch(() => undefined)));
    };
    // Virtual time passes only between tries to connect: those take real time.
    const untilConnected = async (bus: NatsBus): Promise<void> => {
      for (await bus.flush(); !bus.connected(); await bus.flush()) await clock.run(STEP_US);
    };
    const untilAway = async (bus: NatsBus): Promise<void> => {
      while (bus.connected()) await clock.run(0);
    };
    const of = (bus: Bus): { bus: NatsBus; way: CuttableWay } => {
      const found = connected.get(bus);
      assert.ok(found !== undefined);
      return found;
    };
    return {
      connect: async () => {
        const way = await CuttableWay.to(server.port);
        const config = NatsConfig.parse({ servers: [way.url], prefix });
        const bus = new NatsBus({ clock, random: seededRandom(connected.size + 1), config, name: 'conformance' });
        connected.set(bus, { bus, way });
        await untilConnected(bus);
        return bus;
      },
      settle,
      pass: async (us) => {
        for (let passed = 0; passed < us; passed += STEP_US) {
          await clock.run(Math.min(STEP_US, us - passed));
          await settle();
        }
      },
      cut: async (bus) => {
        of(bus).way.cut();
        await untilAway(of(bus).bus);
      },
      restore: async (bus) => {
        of(bus).way.restore();
        await untilConnected(of(bus).bus);
        await settle();
      },
      close: async () => {
        for (const { bus, way } of connected.values()) {
          await bus.close();
          await way[Symbol.asyncDispose]();
        }
        assert.equal(clock.pendingTimers(), 0, 'a closed bus leaves no timer');
      },
    };
  },
  natsMissing,
);
