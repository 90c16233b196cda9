import { anyScope, type Bus, DocumentReader, NatsBus } from '@sluice/bus';
import { type NodeReport, nodeReportDocument, type RoomInfo, roomViewDocument } from '@sluice/contracts';
import { type Clock, silentLogger, systemClock, systemRandom } from '@sluice/runtime';
import { noBusInTime } from '../errors.ts';
import type { Output } from '../output.ts';
import { clusterConfiguration } from './flags.ts';
import { nodeTable, roomTable } from './ps-tables.ts';

/** The flags of `sluice ps`, as the command line gives them. */
export interface PsFlags {
  readonly config?: string;
  readonly bus?: string;
  readonly rooms?: true;
  readonly json?: true;
}

/** How long to wait for the bus. */
const CONNECT_WITHIN_US = 5_000_000;
const LOOK_AGAIN_US = 20_000;
/** Nodes say how they are each second, and everybody says again what is asked for at once. */
const LISTEN_US = 1_500_000;

/** Lists what a cloud's processes say of themselves. */
export async function ps({ rooms, json, ...flags }: PsFlags, output: Output): Promise<void> {
  const { bus: config } = clusterConfiguration('ps', flags, process.env);
  const clock = systemClock;
  const bus = new NatsBus({ clock, random: systemRandom, config, name: 'sluice ps', logger: silentLogger });
  try {
    await connected(bus, clock, config.servers);
    const seen = await listen(bus, clock, rooms === true);
    if (json) output.say(JSON.stringify(seen, undefined, 2));
    else
      output.say([nodeTable(seen.nodes), ...(seen.rooms === undefined ? [] : ['', roomTable(seen.rooms)])].join('\n'));
  } finally {
    await bus.close();
  }
}

async function connected(bus: NatsBus, clock: Clock, servers: readonly string[]): Promise<void> {
  const endUs = clock.nowUs() + CONNECT_WITHIN_US;
  while (!bus.connected()) {
    if (clock.nowUs() > endUs) throw noBusInTime(servers, bus.problem());
    await pause(clock, LOOK_AGAIN_US);
  }
}

interface Seen {
  readonly nodes: readonly NodeReport[];
  readonly rooms?: readonly RoomInfo[];
}

async function listen(bus: Bus, clock: Clock, withRooms: boolean): Promise<Seen> {
  const nodes = new DocumentReader({ bus, clock, kind: nodeReportDocument, scope: anyScope, changed: () => undefined });
  const rooms = new Map<string, RoomInfo>();
  const views = withRooms
    ? new DocumentReader({
        bus,
        clock,
        kind: roomViewDocument,
        scope: anyScope,
        order: 'every',
        changed: (view, { scope }) => {
          if (view === null) rooms.delete(scope);
          else rooms.set(scope, view.info);
        },
      })
    : undefined;
  await pause(clock, LISTEN_US);
  const seen = { nodes: [...nodes.bodies()], ...(withRooms ? { rooms: [...rooms.values()] } : {}) };
  nodes.close();
  views?.close();
  return seen;
}

const pause = (clock: Clock, us: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimer(us, () => resolve()));
