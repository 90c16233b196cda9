import type { SeededRandom } from './random.ts';

/** How packets are lost: independently, or in bursts (Gilbert–Elliott: a good and a bad state, each with its own loss). */
export type Loss =
  | { readonly kind: 'random'; readonly probability: number }
  | {
      readonly kind: 'bursts';
      /** Per packet, from good to bad. */
      readonly toBad: number;
      /** Per packet, from bad to good; 1 / mean burst length. */
      readonly toGood: number;
      readonly lossInBad: number;
    };

/** One direction of a path. What is not named is perfect. */
export interface Conditions {
  readonly delayMs?: number;
  /** Standard deviation of the delay that is added; packets keep their order unless `reorder`. */
  readonly jitterMs?: number;
  readonly loss?: Loss;
  /** Bottleneck, in bits per second of UDP payload plus `headerBytes` each. */
  readonly rateBps?: number;
  /** What the bottleneck's queue holds before it drops its tail; default: 200 ms at the rate. */
  readonly queueBytes?: number;
  /** Probability that a packet overtakes the ones before it. */
  readonly reorder?: number;
  readonly duplicate?: number;
  /** Nothing passes. */
  readonly down?: boolean;
}

export type DropCause = 'down' | 'loss' | 'queue';

export interface LinkSink {
  deliver(atUs: number, datagram: Uint8Array): void;
}

/** IPv4 and UDP headers: what a datagram costs on a link beyond its payload. */
const HEADER_BYTES = 28;
const DEFAULT_QUEUE_MS = 200;

/** One direction between two addresses: decides when, and whether, a datagram arrives. Pure but for its generator. */
export class Link {
  readonly drops: Record<DropCause, number> = { down: 0, loss: 0, queue: 0 };
  /** What got through, without headers. */
  carriedBytes = 0;
  #conditions: Conditions;
  readonly #random: SeededRandom;
  #bad = false;
  #busyUntilUs = 0;
  #lastArrivalUs = 0;

  constructor(conditions: Conditions, random: SeededRandom) {
    this.#conditions = conditions;
    this.#random = random;
  }

  /** From now on. What is under way arrives as it was. */
  change(conditions: Conditions): void {
    this.#conditions = conditions;
  }

  send(datagram: Uint8Array, nowUs: number, sink: LinkSink): void {
    const c = this.#conditions;
    if (c.down === true) return this.#drop('down');
    if (this.#lost(c.loss)) return this.#drop('loss');
    const sentUs = this.#throughBottleneck(datagram.length, nowUs, c);
    if (sentUs === undefined) return this.#drop('queue');
    this.carriedBytes += datagram.length;
    const copies = this.#random.chance(c.duplicate ?? 0) ? 2 : 1;
    for (let i = 0; i < copies; i++) sink.deliver(this.#arrival(sentUs, c), datagram);
  }

  get conditions(): Conditions {
    return this.#conditions;
  }

  /** What a packet that is sent now waits for those before it. */
  waitingUs(nowUs: number): number {
    return Math.max(0, this.#busyUntilUs - nowUs);
  }

  /** Without jitter and queue. */
  get delayUs(): number {
    return (this.#conditions.delayMs ?? 0) * 1000;
  }

  /** How long one small packet takes that waits in no queue; undefined: it is lost. */
  passage(): number | undefined {
    const c = this.#conditions;
    if (c.down === true || this.#lost(c.loss)) return undefined;
    return Math.round(((c.delayMs ?? 0) + this.#jitterMs(c)) * 1000);
  }

  #drop(cause: DropCause): void {
    this.drops[cause] += 1;
  }

  #lost(loss: Loss | undefined): boolean {
    if (loss === undefined) return false;
    if (loss.kind === 'random') return this.#random.chance(loss.probability);
    if (this.#random.chance(this.#bad ? loss.toGood : loss.toBad)) this.#bad = !this.#bad;
    return this.#bad && this.#random.chance(loss.lossInBad);
  }

  /** When the last bit has left the bottleneck; undefined when its queue is full. */
  #throughBottleneck(bytes: number, nowUs: number, c: Conditions): number | undefined {
    if (c.rateBps === undefined) return nowUs;
    const usPerByte = 8_000_000 / c.rateBps;
    const waitingUs = Math.max(0, this.#busyUntilUs - nowUs);
    const queueBytes = c.queueBytes ?? (c.rateBps / 8) * (DEFAULT_QUEUE_MS / 1000);
    if (waitingUs / usPerByte > queueBytes) return undefined;
    this.#busyUntilUs = nowUs + waitingUs + (bytes + HEADER_BYTES) * usPerByte;
    return this.#busyUntilUs;
  }

  #arrival(sentUs: number, c: Conditions): number {
    const atUs = Math.round(sentUs + ((c.delayMs ?? 0) + this.#jitterMs(c)) * 1000);
    if (this.#random.chance(c.reorder ?? 0)) return Math.round(sentUs + (c.delayMs ?? 0) * 500);
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, atUs);
    return this.#lastArrivalUs;
  }

  #jitterMs({ jitterMs }: Conditions): number {
    return jitterMs === undefined ? 0 : Math.abs(this.#random.normal(0, jitterMs));
  }
}
