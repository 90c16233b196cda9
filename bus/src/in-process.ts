import { type Clock, type Logger, type Metrics, type RandomBytes, silentLogger, type Timer } from '@sluice/runtime';
import type { Bus, BusDocument, Lease, Reading, Scope } from './bus.ts';
import { exposeBusMetrics } from './bus-metrics.ts';
import { type BusConditions, Exchange, type HubCounters, type Item, type Member } from './exchange.ts';
import { checkAndFreeze } from './json-value.ts';
import { LeaseTable } from './lease-table.ts';
import { ReadingIndex } from './reading-index.ts';

export interface InProcessHubOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
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

/** Enough for every document of ten thousand sessions to be said again at once. */
const QUEUE_CAPACITY = 65_536;

/** The bus of processes that share one process: `sluice up`, tests, simulations. */
export class InProcessHub {
  readonly #clock: Clock;
  readonly #bodies: 'shared' | 'frozen';
  readonly #exchange: Exchange;
  readonly #leases: LeaseTable;
  readonly #connections = new Set<InProcessBus>();

  constructor(options: InProcessHubOptions) {
    const { clock, random, logger = silentLogger, queueCapacity = QUEUE_CAPACITY } = options;
    const { conditions = { delayUs: [0, 0], loss: 0 }, bodies = 'shared' } = options;
    this.#clock = clock;
    this.#bodies = bodies;
    this.#exchange = new Exchange({ clock, random, logger, conditions, queueCapacity });
    this.#leases = new LeaseTable(clock);
    if (options.metrics !== undefined) exposeBusMetrics(options.metrics, () => this.counters());
  }

  /** A connection for one process. */
  connect(): InProcessBus {
    const bus = new InProcessBus({
      clock: this.#clock,
      exchange: this.#exchange,
      leases: this.#leases,
      bodies: this.#bodies,
      closed: () => void this.#connections.delete(bus),
    });
    this.#connections.add(bus);
    return bus;
  }

  setConditions(conditions: BusConditions): void {
    this.#exchange.conditions = conditions;
  }

  /** The whole bus is away, with all that was on its way, until `restore`. */
  cut(): void {
    for (const bus of this.#connections) bus.cut();
  }

  restore(): void {
    for (const bus of this.#connections) bus.restore();
  }

  counters(): HubCounters {
    return this.#exchange.counters;
  }
}

/** What a connection shares with the others; only a hub has it. */
interface Shared {
  readonly clock: Clock;
  readonly exchange: Exchange;
  readonly leases: LeaseTable;
  readonly bodies: 'shared' | 'frozen';
  readonly closed: () => void;
}

/** One process's connection to a hub, made by `connect`. `cut` and `restore` are for simulations. */
export class InProcessBus implements Bus {
  readonly #shared: Shared;
  readonly #member: Member;
  readonly #readings = new ReadingIndex<BusDocument>();
  readonly #askings = new ReadingIndex<Scope>();
  readonly #returns = new Set<() => void>();
  #state: 'connected' | 'cut' | 'closed' = 'connected';
  #returnTimer: Timer | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
    this.#member = {
      connected: () => this.connected(),
      wants: (item) => this.#wants(item),
      takers: (item) => this.#takers(item),
    };
    shared.exchange.join(this.#member);
  }

  say(document: BusDocument): void {
    if (this.#shared.bodies === 'frozen') checkAndFreeze(document.body);
    this.#shared.exchange.pass(this.#member, { document });
  }

  read(kind: string, scope: Scope, reader: (document: BusDocument) => void): Reading {
    return this.#readings.open(kind, scope, reader);
  }

  askAgain(kind: string, scope: Scope): void {
    this.#shared.exchange.pass(this.#member, { asked: { kind, scope } });
  }

  onAskedAgain(kind: string, scope: Scope, sayAgain: (asked: Scope) => void): Reading {
    return this.#askings.open(kind, scope, sayAgain);
  }

  async acquire(name: string, durationUs: number, lost: () => void): Promise<Lease | undefined> {
    if (!this.connected()) return undefined;
    return this.#shared.leases.acquire({ name, durationUs, lost, holder: this, reachable: () => this.connected() });
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
    this.#state = 'closed';
    this.#returnTimer?.cancel();
    this.#readings.clear();
    this.#askings.clear();
    this.#returns.clear();
    const { leases, exchange, closed } = this.#shared;
    leases.releaseAll(this);
    exchange.leave(this.#member);
    closed();
  }

  /** Neither hears nor is heard, as when the network is away; its leases run out. */
  cut(): void {
    if (this.#state !== 'connected') return;
    this.#state = 'cut';
    this.#shared.exchange.forget(this.#member);
  }

  restore(): void {
    if (this.#state !== 'cut') return;
    this.#state = 'connected';
    this.#returnTimer ??= this.#shared.clock.setTimer(0, () => {
      this.#returnTimer = undefined;
      if (this.#state === 'connected') for (const listener of [...this.#returns]) listener();
    });
  }

  #wants(item: Item): boolean {
    if ('document' in item) return this.#readings.has(item.document.kind, item.document.scope);
    return this.#askings.has(item.asked.kind, item.asked.scope);
  }

  #takers(item: Item): (() => void)[] {
    if ('document' in item) {
      const { document } = item;
      return this.#readings.takers(document.kind, document.scope).map((take) => () => take(document));
    }
    const { kind, scope } = item.asked;
    return this.#askings.takers(kind, scope).map((take) => () => take(scope));
  }
}
