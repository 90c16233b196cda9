import { type Clock, type Logger, silentLogger, type Timer } from '@sluice/runtime';
import type { Bus, BusDocument, Reading, Scope } from './bus.ts';
import { compareVersions, type KindOf, SILENT_AFTER_US } from './documents.ts';

export interface DocumentReaderOptions<T> {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly kind: KindOf<T>;
  readonly scope: Scope;
  readonly logger?: Logger;
  /**
   * `newest`: each key's newest version is given once. `every`: all that arrives is given, for documents in parts whose
   * reader keeps the order itself; then nothing is kept here.
   */
  readonly order?: 'newest' | 'every';
  /** The document changed; null: it is no more. */
  readonly changed: (body: T | null, document: BusDocument) => void;
  /**
   * Nobody has said the document for `SILENT_AFTER_US` while the bus was there: its writer is gone. Called once; the
   * document stays known until it is said anew (then `changed` is called even for the same version) or `forget` is
   * called. Without this, a document whose writer is gone counts as removed.
   */
  readonly silent?: (body: T, document: BusDocument) => void;
}

interface Known<T> {
  readonly document: BusDocument;
  /** null: removed; kept for a while so that a stale owner cannot bring it back. */
  readonly body: T | null;
  heardUs: number;
  silent: boolean;
}

/** How long a removed document is remembered: longer than a stale owner goes on saying it. */
const REMOVED_FOR_US = 2 * SILENT_AFTER_US;
/** Those that fall silent one after the other are noticed together. */
const CHECK_STEP_US = 1_000_000;
/** A reader that misses something asks at most this often. */
const ASK_INTERVAL_US = 200_000;

/**
 * The reading end of one kind of document in one scope, or in all. Asks for everything at the start, takes only what is
 * valid and newer than what it has, and notices writers that fell silent.
 */
export class DocumentReader<T> {
  readonly #options: DocumentReaderOptions<T>;
  readonly #logger: Logger;
  readonly #readings: readonly Reading[];
  /** By scope and key, in the order in which they were last heard, oldest first. */
  readonly #known = new Map<string, Known<T>>();
  #invalid = 0;
  #stale = 0;
  /** Silence is counted from here on: it means nothing while the bus is away. */
  #listeningSinceUs: number;
  #checkTimer: Timer | undefined;
  #askTimer: Timer | undefined;
  #askedDuringTimer = false;

  constructor(options: DocumentReaderOptions<T>) {
    const { bus, clock, kind, scope, logger = silentLogger } = options;
    this.#options = options;
    this.#logger = logger;
    this.#listeningSinceUs = clock.nowUs();
    this.#readings = [
      bus.read(kind.name, scope, (document) => this.#heard(document)),
      bus.onReturn(() => {
        this.#listeningSinceUs = clock.nowUs();
        this.askAgain();
      }),
    ];
    this.askAgain();
  }

  /** Documents that were not what their kind says they are. */
  get invalid(): number {
    return this.#invalid;
  }

  /** Documents of an older version than the one known: late repetitions, or owners that do not know that they are over. */
  get stale(): number {
    return this.#stale;
  }

  /** How many documents it remembers, those removed a moment ago included. */
  get size(): number {
    return this.#known.size;
  }

  /** What it knows of one document. */
  get(scope: string, key: string): T | undefined {
    return this.#known.get(documentId(scope, key))?.body ?? undefined;
  }

  /** Every document that it knows. */
  *bodies(): Iterable<T> {
    for (const { body } of this.#known.values()) if (body !== null) yield body;
  }

  /** Asks the writers to say everything again: at once, or a moment later if it just did. */
  askAgain(): void {
    if (this.#askTimer !== undefined) {
      this.#askedDuringTimer = true;
      return;
    }
    const { bus, clock, kind, scope } = this.#options;
    bus.askAgain(kind.name, scope);
    this.#askTimer = clock.setTimer(ASK_INTERVAL_US, () => {
      this.#askTimer = undefined;
      if (!this.#askedDuringTimer) return;
      this.#askedDuringTimer = false;
      this.askAgain();
    });
  }

  /** Forgets a document; it is taken anew when it is said again. */
  forget(scope: string, key: string): void {
    this.#known.delete(documentId(scope, key));
  }

  close(): void {
    for (const reading of this.#readings) reading.close();
    this.#askTimer?.cancel();
    this.#checkTimer?.cancel();
    this.#known.clear();
  }

  #heard(document: BusDocument): void {
    if (this.#options.order === 'every') {
      const body = this.#parse(document);
      if (body !== undefined) this.#options.changed(body, document);
      return;
    }
    const id = documentId(document.scope, document.key);
    const known = this.#known.get(id);
    const order = known === undefined ? 1 : compareVersions(document, known.document);
    if (order < 0) this.#stale++;
    // The same version has the same body: what is only repeated is not looked at.
    else if (known !== undefined && order === 0) this.#repeated(id, known);
    else this.#take(id, document, known);
  }

  /** undefined: not valid. */
  #parse(document: BusDocument): T | null | undefined {
    if (document.body === null) return null;
    const parsed = this.#options.kind.schema.safeParse(document.body);
    if (parsed.success) return parsed.data;
    this.#invalid++;
    // A broken writer repeats itself: the first, second, fourth, eighth … is worth a line.
    if ((this.#invalid & (this.#invalid - 1)) !== 0) return undefined;
    const { kind, scope, key, writer } = document;
    this.#logger.warn('bus.invalid-document', {
      kind,
      scope,
      key,
      writer,
      count: this.#invalid,
      problem: parsed.error.message,
    });
    return undefined;
  }

  #take(id: string, document: BusDocument, before: Known<T> | undefined): void {
    const body = this.#parse(document);
    if (body === undefined) return;
    this.#keep(id, { document, body, heardUs: this.#options.clock.nowUs(), silent: false });
    const wasThere = before !== undefined && before.body !== null;
    if (body !== null || wasThere) this.#options.changed(body, document);
  }

  #repeated(id: string, known: Known<T>): void {
    this.#keep(id, { ...known, heardUs: this.#options.clock.nowUs(), silent: false });
    if (known.silent) this.#options.changed(known.body, known.document);
  }

  #keep(id: string, known: Known<T>): void {
    this.#known.delete(id); // to the end of the order
    this.#known.set(id, known);
    this.#checkTimer ??= this.#options.clock.setTimer(SILENT_AFTER_US, () => this.#check());
  }

  #check(): void {
    const { bus, clock } = this.#options;
    this.#checkTimer = undefined;
    const nextUs = bus.connected() ? this.#checkSilence(clock.nowUs()) : SILENT_AFTER_US;
    if (this.#known.size === 0 || this.#checkTimer !== undefined) return;
    this.#checkTimer = clock.setTimer(Math.max(nextUs, CHECK_STEP_US), () => this.#check());
  }

  /** How long until the next one may have fallen silent. */
  #checkSilence(nowUs: number): number {
    let nextUs = SILENT_AFTER_US;
    for (const [id, known] of this.#known) {
      const silentUs = nowUs - Math.max(known.heardUs, this.#listeningSinceUs);
      if (silentUs < SILENT_AFTER_US) return Math.min(nextUs, SILENT_AFTER_US - silentUs);
      if (known.body !== null) this.#fellSilent(known.body, id, known);
      else if (silentUs >= REMOVED_FOR_US) this.#known.delete(id);
      else nextUs = Math.min(nextUs, REMOVED_FOR_US - silentUs);
    }
    return nextUs;
  }

  #fellSilent(body: T, id: string, known: Known<T>): void {
    if (known.silent) return;
    known.silent = true;
    if (this.#options.silent !== undefined) {
      this.#options.silent(body, known.document);
    } else {
      this.#known.delete(id);
      this.#options.changed(null, known.document);
    }
  }
}

const documentId = (scope: string, key: string): string => `${scope}\u0000${key}`;
