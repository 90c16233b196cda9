import { BoundedQueue, type Clock, type Logger, type RandomBytes, type Timer, uniform } from '@sluice/runtime';
import type { BusDocument, Scope } from './bus.ts';

/** How the way between two processes is. A simulation changes it while it runs. */
export interface BusConditions {
  /** Each document takes at least this long, and at most that. Order within a way is kept. */
  readonly delayUs: readonly [least: number, most: number];
  /** Share of documents and questions that never arrive, 0 to 1. */
  readonly loss: number;
}

export const hubDropReasons = ['away', 'lost', 'queue-full'] as const;
export type HubDropReason = (typeof hubDropReasons)[number];

/** What happened to what was said, since the start. */
export interface HubCounters {
  readonly said: number;
  readonly delivered: number;
  readonly drops: Readonly<Record<HubDropReason, number>>;
  /** Readers that threw. */
  readonly readerErrors: number;
}

/** What crosses: a document, or the question for documents. */
export type Item =
  | { readonly document: BusDocument }
  | { readonly asked: { readonly kind: string; readonly scope: Scope } };

/** One process, as the exchange sees it. */
export interface Member {
  connected(): boolean;
  wants(item: Item): boolean;
  /** Who takes an item that has arrived, each as a call. */
  takers(item: Item): (() => void)[];
}

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly conditions: BusConditions;
  /** What may wait on the way from one process to another; beyond it the oldest is dropped and counted. */
  readonly queueCapacity: number;
}

/** Carries items between the processes that share one: a way of its own from each to each. */
export class Exchange {
  conditions: BusConditions;
  readonly #options: ExchangeOptions;
  readonly #members = new Set<Member>();
  readonly #ways = new Map<Member, Map<Member, Way>>();
  readonly #drops: Record<HubDropReason, number> = { away: 0, lost: 0, 'queue-full': 0 };
  #said = 0;
  #delivered = 0;
  #readerErrors = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.conditions = options.conditions;
  }

  get counters(): HubCounters {
    return {
      said: this.#said,
      delivered: this.#delivered,
      drops: { ...this.#drops },
      readerErrors: this.#readerErrors,
    };
  }

  join(member: Member): void {
    this.#members.add(member);
  }

  leave(member: Member): void {
    this.forget(member);
    this.#members.delete(member);
    this.#ways.delete(member);
    for (const ways of this.#ways.values()) ways.delete(member);
  }

  /** Hands an item to every member that wants it. */
  pass(from: Member, item: Item): void {
    this.#said++;
    if (!from.connected()) {
      this.#drops.away++;
      return;
    }
    for (const to of this.#members) if (to.connected() && to.wants(item)) this.#send(from, to, item);
  }

  /** What is on its way from or to a member will not arrive. */
  forget(member: Member): void {
    const from = [...(this.#ways.get(member)?.values() ?? [])];
    const to = [...this.#ways.values()].flatMap((ways) => ways.get(member) ?? []);
    for (const way of [...from, ...to]) this.#drops.away += way.clear();
  }

  #send(from: Member, to: Member, item: Item): void {
    const { delayUs, loss } = this.conditions;
    const { random } = this.#options;
    if (loss > 0 && uniform(random) < loss) {
      this.#drops.lost++;
      return;
    }
    const [least, most] = delayUs;
    const delay = most > least ? least + Math.floor(uniform(random) * (most - least + 1)) : least;
    if (!this.#way(from, to).send(item, delay)) this.#drops['queue-full']++;
  }

  #way(from: Member, to: Member): Way {
    const ways = this.#ways.get(from) ?? new Map<Member, Way>();
    this.#ways.set(from, ways);
    const { clock, queueCapacity } = this.#options;
    const way = ways.get(to) ?? new Way(clock, queueCapacity, (item) => this.#deliver(to, item));
    ways.set(to, way);
    return way;
  }

  #deliver(to: Member, item: Item): void {
    for (const take of to.takers(item)) {
      try {
        take();
        this.#delivered++;
      } catch (error) {
        this.#readerErrors++;
        const kind = 'document' in item ? item.document.kind : item.asked.kind;
        this.#options.logger.error('bus.reader-failed', { kind, error });
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
