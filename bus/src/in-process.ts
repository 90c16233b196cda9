import {
  BoundedQueue,
  type Clock,
  type Logger,
  type RandomBytes,
  silentLogger,
  type Timer,
  uniform,
} from '@sluice/runtime';
import type { Bus, BusDocument, Lease, Reading, Scope } from './bus.ts';
import { checkAndFreeze } from './json-value.ts';
import { LeaseTable } from './lease-table.ts';
import { ReadingIndex } from './reading-index.ts';

/** How the way between two processes is. A simulation changes it while it runs. */
export interface BusConditions {
  /** Each document takes at least this long, and at most that. Order within a way is kept. */
  readonly delayUs: readonly [least: number, most: number];
  /** Share of documents and questions that never arrive, 0 to 1. */
  readonly loss: number;
}

export interface InProcessHubOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger?: Logger;
  /** At the start: nothing is lost and everything arrives in the next turn. */
  readonly conditions?: BusConditions;
  /**
   * `shared`: readers get the very object that was said. `frozen`: it is frozen, and what JSON could not carry throws;
   * for tests, so that sharing a process never becomes sharing state.
   */
  readonly bodies?: 'shared' | 'frozen';
  /** What may wait on the way from one process to another; beyond it the oldest is dropped and counted. */
  readonly queueCapacity?: number;
}

/** What happened to what was said, since the start. */
export interface HubCounters {
  readonly said: number;
  readonly delivered: number;
  /** By reason. */
  readonly drops: Readonly<Record<HubDropReason, number>>;
  /** Readers that threw. */
  readonly readerErrors: number;
}

export const hubDropReasons = ['away', 'lost', 'queue-full'] as const;
export type HubDropReason = (typeof hubDropReasons)[number];

type Item = { readonly document: BusDocument } | { readonly asked: { readonly kind: string; readonly scope: Scope } };

/** Enough for every document of ten thousand sessions to be said again at once. */
const QUEUE_CAPACITY = 65_536;

/** The bus of processes that share one process: `sluice up`, tests, simulations. */
export class InProcessHub {
  readonly clock: Clock;
  readonly leases: LeaseTable;
  readonly #random: RandomBytes;
  readonly #logger: Logger;
  readonly #bodies: 'shared' | 'frozen';
  readonly #queueCapacity: number;
  readonly #connections = new Set<InProcessBus>();
  readonly #ways = new Map<InProcessBus, Map<InProcessBus, Way>>();
  readonly #drops: Record<HubDropReason, number> = { away: 0, lost: 0, 'queue-full': 0 };
  #conditions: BusConditions;
  #said = 0;
  #delivered = 0;
  #readerErrors = 0;

  constructor(options: InProcessHubOptions) {
    this.clock = options.clock;
    this.leases = new LeaseTable(options.clock);
    this.#random = options.random;
    this.#logger = options.logger ?? silentLogger;
    this.#conditions = options.conditions ?? { delayUs: [0, 0], loss: 0 };
    this.#bodies = options.bodies ?? 'shared';
    this.#queueCapacity = options.queueCapacity ?? QUEUE_CAPACITY;
  }

  /** A connection for one process. */
  connect(): InProcessBus {
    const bus = new InProcessBus(this);
    this.#connections.add(bus);
    return bus;
  }

  setConditions(conditions: BusConditions): void {
    this.#conditions = conditions;
  }

  /** The whole bus is away, with all that was on its way, until `restore`. */
  cut(): void {
    for (const bus of this.#connections) bus.cut();
  }

  restore(): void {
    for (const bus of this.#connections) bus.restore();
  }

  counters(): HubCounters {
    return {
      said: this.#said,
      delivered: this.#delivered,
      drops: { ...this.#drops },
      readerErrors: this.#readerErrors,
    };
  }

  /** For connections only: hands an item to every connection that wants it. */
  pass(from: InProcessBus, item: Item): void {
    this.#said++;
    if (this.#bodies === 'frozen' && 'document' in item) checkAndFreeze(item.document.body);
    if (!from.connected()) {
      this.#drops.away++;
      return;
    }
    for (const to of this.#connections) if (to.connected() && to.wants(item)) this.#pass(from, to, item);
  }

  /** For connections only: what is on its way from or to it will not arrive. */
  forget(bus: InProcessBus): void {
    const ways = [
      ...(this.#ways.get(bus)?.values() ?? []),
      ...[...this.#ways.values()].flatMap((to) => to.get(bus) ?? []),
    ];
    for (const way of ways) this.#drops.away += way.clear();
  }

  /** For connections only. */
  remove(bus: InProcessBus): void {
    this.forget(bus);
    this.#connections.delete(bus);
    this.#ways.delete(bus);
    for (const ways of this.#ways.values()) ways.delete(bus);
  }

  #pass(from: InProcessBus, to: InProcessBus, item: Item): void {
    const { delayUs, loss } = this.#conditions;
    if (loss > 0 && uniform(this.#random) < loss) {
      this.#drops.lost++;
      return;
    }
    const [least, most] = delayUs;
    const delay = most > least ? least + Math.floor(uniform(this.#random) * (most - least + 1)) : least;
    if (!this.#way(from, to).send(item, delay)) this.#drops['queue-full']++;
  }

  #way(from: InProcessBus, to: InProcessBus): Way {
    let ways = this.#ways.get(from);
    if (ways === undefined) {
      ways = new Map();
      this.#ways.set(from, ways);
    }
    let way = ways.get(to);
    if (way === undefined) {
      way = new Way(this.clock, this.#queueCapacity, (item) => this.#deliver(to, item));
      ways.set(to, way);
    }
    return way;
  }

  #deliver(to: InProcessBus, item: Item): void {
    for (const give of to.takers(item)) {
      try {
        give();
        this.#delivered++;
      } catch (error) {
        this.#readerErrors++;
        this.#logger.error('bus.reader-failed', {
          kind: 'document' in item ? item.document.kind : item.asked.kind,
          error,
        });
      }
    }
  }
}

/** The way from one process to another: in order, each item due at its time. */
class Way {
  readonly #clock: Clock;
  readonly #deliver: (item: Item) => void;
  readonly #queue: BoundedQueue<{ readonly dueUs: number; readonly item: Item }>;
  #lastDueUs = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, capacity: number, deliver: (item: Item) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
    this.#queue = new BoundedQueue(capacity, 'drop-oldest');
  }

  /** False when something had to be dropped for it. */
  send(item: Item, delayUs: number): boolean {
    // An item never overtakes the one before it, also when the delay shrinks.
    this.#lastDueUs = Math.max(this.#lastDueUs, this.#clock.nowUs() + delayUs);
    const kept = this.#queue.push({ dueUs: this.#lastDueUs, item });
    this.#timer ??= this.#clock.setTimer(delayUs, () => this.#flush());
    return kept;
  }

  /** How many items were on their way. */
  clear(): number {
    this.#timer?.cancel();
    this.#timer = undefined;
    return this.#queue.drain().length;
  }

  #flush(): void {
    this.#timer = undefined;
    const nowUs = this.#clock.nowUs();
    // What readers say now is for the next turn: they never starve others by talking to themselves.
    for (let left = this.#queue.length; left > 0; left--) {
      const head = this.#queue.peek();
      if (head === undefined || head.dueUs > nowUs) break;
      this.#queue.shift();
      this.#deliver(head.item);
    }
    const next = this.#queue.peek();
    if (next !== undefined) this.#timer ??= this.#clock.setTimer(next.dueUs - nowUs, () => this.#flush());
  }
}

/** One process's connection to the hub. `cut` and `restore` are for simulations. */
export class InProcessBus implements Bus {
  readonly #hub: InProcessHub;
  readonly #readings = new ReadingIndex<BusDocument>();
  readonly #askings = new ReadingIndex<Scope>();
  readonly #returns = new Set<() => void>();
  #state: 'connected' | 'cut' | 'closed' = 'connected';
  #returnTimer: Timer | undefined;

  constructor(hub: InProcessHub) {
    this.#hub = hub;
  }

  say(document: BusDocument): void {
    this.#hub.pass(this, { document });
  }

  read(kind: string, scope: Scope, reader: (document: BusDocument) => void): Reading {
    return this.#readings.open(kind, scope, reader);
  }

  askAgain(kind: string, scope: Scope): void {
    this.#hub.pass(this, { asked: { kind, scope } });
  }

  onAskedAgain(kind: string, scope: Scope, sayAgain: (asked: Scope) => void): Reading {
    return this.#askings.open(kind, scope, sayAgain);
  }

  async acquire(name: string, durationUs: number, lost: () => void): Promise<Lease | undefined> {
    if (this.#state !== 'connected') return undefined;
    return this.#hub.leases.acquire({ name, durationUs, lost, holder: this, reachable: () => this.connected() });
  }

  onReturn(listener: () => void): Reading {
    const entry = (): void => listener();
    this.#returns.add(entry);
    return { close: () => void this.#returns.delete(entry) };
  }

  connected(): boolean {
    return this.#state === 'connected';
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#hub.leases.releaseAll(this);
    this.#state = 'closed';
    this.#returnTimer?.cancel();
    this.#readings.clear();
    this.#askings.clear();
    this.#returns.clear();
    this.#hub.remove(this);
  }

  /** Neither hears nor is heard, as when the network is away; its leases run out. */
  cut(): void {
    if (this.#state !== 'connected') return;
    this.#state = 'cut';
    this.#hub.forget(this);
  }

  restore(): void {
    if (this.#state !== 'cut') return;
    this.#state = 'connected';
    this.#returnTimer ??= this.#hub.clock.setTimer(0, () => {
      this.#returnTimer = undefined;
      if (this.#state === 'connected') for (const listener of [...this.#returns]) listener();
    });
  }

  /** For the hub. */
  wants(item: Item): boolean {
    if ('document' in item) return this.#readings.has(item.document.kind, item.document.scope);
    return this.#askings.has(item.asked.kind, item.asked.scope);
  }

  /** For the hub: who takes it, now that it has arrived. */
  takers(item: Item): (() => void)[] {
    if ('document' in item) {
      const { document } = item;
      return this.#readings.takers(document.kind, document.scope).map((take) => () => take(document));
    }
    const { kind, scope } = item.asked;
    return this.#askings.takers(kind, scope).map((take) => () => take(scope));
  }
}
