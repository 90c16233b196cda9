import {
  type Clock,
  errorMessage,
  type Logger,
  type Metrics,
  type RandomBytes,
  silentLogger,
  type Timer,
  uniform,
} from '@sluice/runtime';
import { anyScope, type Bus, type BusDocument, type Lease, type Reading, type Scope } from '../bus.ts';
import { type BusCounters, exposeBusMetrics } from '../bus-metrics.ts';
import type { NatsConfig } from './config.ts';
import { decodeDocument, decodeQuestion, encodeDocument, encodeQuestion } from './envelope.ts';
import { Leases } from './leases.ts';
import { Listeners } from './listeners.ts';
import type { DialNats, NatsSession } from './session.ts';
import { Subjects } from './subjects.ts';

export interface NatsBusOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly config: NatsConfig;
  /** Names the process at NATS, for its operator. */
  readonly name: string;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** NATS' own library when left out. */
  readonly dial?: DialNats;
}

export const natsDropReasons = ['away', 'queue-full', 'too-large', 'malformed'] as const;
export type NatsDropReason = (typeof natsDropReasons)[number];

/** The first try to come back is at once, the next ever later, each somewhere between half of its time and the whole. */
const RETRY_US = { least: 100_000, most: 1_000_000 };
/** At the longest retry times, about twice a minute. */
const SAY_EVERY_FAILURES = 40;
/** What may be on its way to the server without its word that it arrived: a few seconds of a slow network. */
const UNCONFIRMED_BYTES = 64 * 1024 * 1024;

/**
 * The bus over NATS. A connection is used from its beginning to its end and then replaced; nothing waits for the next
 * one: what was said while the bus was away is said again by its writers when it returns.
 */
export class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #logger: Logger;
  readonly #subjects: Subjects;
  readonly #listeners = new Listeners();
  readonly #leases: Leases;
  readonly #returns = new Set<() => void>();
  readonly #otherServers = new Set<string>();
  readonly #drops: Record<NatsDropReason, number> = { away: 0, 'queue-full': 0, 'too-large': 0, malformed: 0 };
  readonly #stopMetrics: () => void;
  #session: NatsSession | undefined;
  #dialing: Promise<void> | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  #connectedBefore = false;
  #problem: string | undefined = 'not connected yet';
  #leaseProblem: string | undefined;
  #unconfirmedBytes = 0;
  #confirming = false;
  #said = 0;
  #delivered = 0;
  #readerErrors = 0;
  #closed = false;

  constructor(options: NatsBusOptions) {
    const { clock, random, config, logger = silentLogger, metrics } = options;
    this.#options = options;
    this.#logger = logger;
    this.#subjects = new Subjects(config.prefix);
    this.#leases = new Leases({
      clock,
      holder: Buffer.from(random(12)).toString('base64url'),
      store: () => this.#session?.leases,
      answered: (problem) => this.#leasesAnswered(problem),
    });
    this.#stopMetrics = metrics === undefined ? () => {} : this.#expose(metrics);
    this.#dial();
  }

  say(document: BusDocument): void {
    const { kind, scope } = document;
    this.#publish(kind, this.#subjects.document(kind, scope), () => encodeDocument(document));
  }

  read(kind: string, scope: Scope, reader: (document: BusDocument) => void): Reading {
    return this.#listeners.open(this.#subjects.documents(kind, scope), (payload) => {
      const document = decodeDocument(payload);
      if (document === undefined || document.kind !== kind) this.#drops.malformed++;
      else if (scope === anyScope || document.scope === scope) this.#give(kind, () => reader(document));
    });
  }

  askAgain(kind: string, scope: Scope): void {
    this.#publish(kind, this.#subjects.question(kind, scope), () => encodeQuestion(scope));
  }

  onAskedAgain(kind: string, scope: Scope, sayAgain: (asked: Scope) => void): Reading {
    const take = (payload: Uint8Array): void => {
      const asked = decodeQuestion(payload);
      if (asked === undefined) this.#drops.malformed++;
      else if (asked === anyScope || scope === anyScope || asked === scope) this.#give(kind, () => sayAgain(asked));
    };
    const readings = this.#subjects.questions(kind, scope).map((subject) => this.#listeners.open(subject, take));
    return {
      close: () => {
        for (const reading of readings) reading.close();
      },
    };
  }

  async acquire(name: string, durationUs: number, lost: () => void): Promise<Lease | undefined> {
    return await this.#leases.acquire(name, durationUs, lost);
  }

  onReturn(listener: () => void): Reading {
    const entry = (): void => listener();
    this.#returns.add(entry);
    return { close: () => void this.#returns.delete(entry) };
  }

  connected(): boolean {
    return this.#session !== undefined;
  }

  /** What keeps this process from working over this bus, for people; undefined: nothing. */
  problem(): string | undefined {
    return this.#problem ?? this.#leaseProblem;
  }

  /**
   * A try to connect that was going on has ended; if connected, everything said has reached the server, and everything
   * it had for this process was delivered.
   */
  async flush(): Promise<void> {
    await this.#dialing;
    await this.#session?.flush();
  }

  counters(): BusCounters {
    return {
      said: this.#said,
      delivered: this.#delivered,
      readerErrors: this.#readerErrors,
      drops: { ...this.#drops },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry?.cancel();
    this.#listeners.clear();
    this.#returns.clear();
    this.#stopMetrics();
    await this.#leases.close();
    const session = this.#session;
    this.#session = undefined;
    await session?.flush().catch(() => undefined);
    await session?.close();
    await this.#dialing;
  }

  #publish(kind: string, subject: string, encode: () => Uint8Array): void {
    this.#said++;
    const session = this.#session;
    if (session === undefined) {
      this.#drops.away++;
      return;
    }
    if (this.#unconfirmedBytes > UNCONFIRMED_BYTES) {
      this.#drops['queue-full']++;
      return;
    }
    const payload = encode();
    if (payload.length > session.maxPayloadBytes) {
      this.#drops['too-large']++;
      const { length: bytes } = payload;
      this.#logger.error('bus.document-too-large', { kind, bytes, mostBytes: session.maxPayloadBytes });
      return;
    }
    session.publish(subject, payload);
    this.#unconfirmedBytes += payload.length;
    if (!this.#confirming) void this.#confirm(session);
  }

  /** Lets the server tell, once per round trip, that what was published has arrived. */
  async #confirm(session: NatsSession): Promise<void> {
    this.#confirming = true;
    while (this.#unconfirmedBytes > 0 && this.#session === session) {
      const bytes = this.#unconfirmedBytes;
      try {
        await session.flush();
      } catch {
        break; // the connection has ended
      }
      if (this.#session === session) this.#unconfirmedBytes -= bytes;
    }
    if (this.#session === session) this.#confirming = false;
  }

  #give(kind: string, give: () => void): void {
    try {
      give();
      this.#delivered++;
    } catch (error) {
      this.#readerErrors++;
      this.#logger.error('bus.reader-failed', { kind, error });
    }
  }

  #dial(): void {
    this.#dialing = this.#connect().catch((error: unknown) => this.#away(errorMessage(error)));
  }

  async #connect(): Promise<void> {
    const session = await this.#dialer()({
      moreServers: [...this.#otherServers],
      refused: (what) => this.#logger.error('bus.refused', { problem: what }),
    });
    if (this.#closed) return await session.close();
    for (const server of session.others) this.#otherServers.add(server);
    this.#listeners.use(session);
    // The server knows every subscription before anybody is told that the bus is there.
    await session.flush();
    if (this.#closed) return await session.close();
    this.#session = session;
    this.#unconfirmedBytes = 0;
    this.#confirming = false;
    this.#failures = 0;
    this.#problem = undefined;
    void session.ended.then((why) => {
      if (this.#session === session) this.#away(why);
    });
    this.#logger.info('bus.connected', { server: session.server });
    if (this.#connectedBefore) this.#leases.returned();
    this.#connectedBefore = true;
    for (const listener of [...this.#returns]) this.#give('', listener);
  }

  #dialer(): DialNats {
    const { dial, config, name } = this.#options;
    // NATS' library is loaded by who uses it alone.
    return dial ?? (async (request) => (await import('./dial.ts')).dialWith(config, name)(request));
  }

  #away(why: string): void {
    const { clock, config, random } = this.#options;
    if (this.#closed) return;
    const wasConnected = this.#session !== undefined;
    this.#session = undefined;
    this.#listeners.use(undefined);
    // A process waits for its bus for as long as it takes, and says so now and then.
    if (wasConnected || why !== this.#problem || this.#failures % SAY_EVERY_FAILURES === 0) {
      this.#logger.warn('bus.away', { servers: config.servers.join(' '), problem: why });
    }
    this.#problem = why;
    const wholeUs =
      this.#failures === 0 ? RETRY_US.least : Math.min(RETRY_US.least * 2 ** this.#failures, RETRY_US.most);
    this.#failures++;
    this.#retry = clock.setTimer(wholeUs * (0.5 + uniform(random) / 2), () => this.#dial());
  }

  #leasesAnswered(problem: unknown): void {
    const text = problem === undefined ? undefined : errorMessage(problem);
    if (text !== undefined && text !== this.#leaseProblem && this.connected()) {
      this.#logger.warn('bus.no-leases', { problem: text, advice: 'NATS needs JetStream: start it with -js.' });
    }
    this.#leaseProblem = text;
  }

  #expose(metrics: Metrics): () => void {
    const stopCounters = exposeBusMetrics(metrics, () => this.counters());
    const connected = { name: 'sluice_bus_connected', help: '1 while the bus is there, 0 while it is away.' };
    const stopConnected = metrics.read('gauge', connected, () => [{ value: this.connected() ? 1 : 0 }]);
    return () => {
      stopCounters();
      stopConnected();
    };
  }
}
