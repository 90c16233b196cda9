import type { Clock, Timer } from '@sluice/runtime';
import { anyScope, type Bus, type Reading, type Scope } from './bus.ts';
import { type KindOf, REPEAT_US } from './documents.ts';

export interface DocumentWriterOptions<T> {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly kind: KindOf<T>;
  /** Names this run of this process. */
  readonly writer: string;
}

/** A document too large to be said whole at each change. Each list of bodies is said under one generation. */
export interface PartedDocument<T> {
  /** What changed since generation `since`; the whole when that is 0. */
  changes(since: number): readonly T[];
  /** All of it, for those who ask again. */
  whole(): readonly T[];
  /** A body by which a reader notices that it missed `generation`, for the repetition. */
  reminder(generation: number): T;
}

interface Written<T> {
  readonly scope: string;
  readonly key: string;
  readonly epoch: number;
  readonly generation: number;
  readonly whole: () => readonly T[];
  readonly repetition: () => readonly T[];
  saidUs: number;
}

/** Epoch of a document that never changes owners. */
export const FIRST_EPOCH = 1;

/** How often one scope is said again, however many ask: a room of a thousand readers may all ask at once. */
const SAY_AGAIN_INTERVAL_US = 100_000;
/** Repetitions are spread in steps of this length. */
const REPEAT_STEP_US = REPEAT_US / 20;

/**
 * The writing end of one kind of document, for all documents of that kind that this process owns. Keeps the newest of
 * each, counts its generations, says them again when asked, when the bus returns, and every `REPEAT_US`.
 */
export class DocumentWriter<T> {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #kind: KindOf<T>;
  readonly #writer: string;
  /** By scope and key, in the order in which they were last said, oldest first. */
  readonly #documents = new Map<string, Written<T>>();
  readonly #idsByScope = new Map<string, Set<string>>();
  readonly #readings: readonly Reading[];
  /** Scopes that were said again a moment ago, and whether they were asked for once more since. */
  readonly #saidAgain = new Map<Scope, { timer: Timer; askedSince: boolean }>();
  /** Highest generation of a removed document: a document that is set anew stays above its former life. */
  #removedGeneration = 0;
  #repeatTimer: Timer | undefined;

  constructor({ bus, clock, kind, writer }: DocumentWriterOptions<T>) {
    this.#bus = bus;
    this.#clock = clock;
    this.#kind = kind;
    this.#writer = writer;
    this.#readings = [
      bus.onAskedAgain(kind.name, anyScope, (scope) => this.#asked(scope)),
      bus.onReturn(() => this.#asked(anyScope)),
    ];
  }

  /** How many documents it keeps. */
  get size(): number {
    return this.#documents.size;
  }

  has(scope: string, key: string): boolean {
    return this.#documents.has(documentId(scope, key));
  }

  /** Says what the document now is. `epoch` is its owner's; leave it out where a document never changes owners. */
  set(scope: string, key: string, body: T, epoch: number = FIRST_EPOCH): void {
    const whole = (): readonly T[] => [body];
    const { now } = this.#write({ scope, key, epoch, whole, repetition: whole });
    this.#say(now, [body]);
  }

  /** The same for a document that is said in parts. */
  setParts(scope: string, key: string, document: PartedDocument<T>, epoch: number = FIRST_EPOCH): void {
    const { before, now } = this.#write({
      scope,
      key,
      epoch,
      whole: () => document.whole(),
      repetition: () => [document.reminder(now.generation)],
    });
    // What was said under another epoch is nothing to build on.
    this.#say(now, document.changes(before?.epoch === epoch ? before.generation : 0));
  }

  /** Says once that the document is no more, and forgets it. */
  remove(scope: string, key: string): void {
    const written = this.#documents.get(documentId(scope, key));
    if (written === undefined) return;
    const generation = this.#nextGeneration(written);
    this.#removedGeneration = Math.max(this.#removedGeneration, generation);
    this.#delete(written);
    this.#say({ ...written, generation }, [null]);
  }

  /** Forgets a document without a word: another owner says it from now on. */
  forget(scope: string, key: string): void {
    const written = this.#documents.get(documentId(scope, key));
    if (written !== undefined) this.#delete(written);
  }

  /** Says all documents of a scope again, at once. */
  sayAgain(scope: Scope): void {
    const ids = scope === anyScope ? this.#documents.keys() : (this.#idsByScope.get(scope) ?? []);
    for (const id of [...ids]) this.#repeat(id, 'whole');
  }

  /** Stops saying. Nothing is removed: the owner may be going on elsewhere. */
  close(): void {
    for (const reading of this.#readings) reading.close();
    for (const { timer } of this.#saidAgain.values()) timer.cancel();
    this.#saidAgain.clear();
    this.#repeatTimer?.cancel();
    this.#repeatTimer = undefined;
    this.#documents.clear();
    this.#idsByScope.clear();
  }

  #write(document: Omit<Written<T>, 'generation' | 'saidUs'>): { before: Written<T> | undefined; now: Written<T> } {
    const id = documentId(document.scope, document.key);
    const before = this.#documents.get(id);
    const now = { ...document, generation: this.#nextGeneration(before), saidUs: this.#clock.nowUs() };
    this.#documents.delete(id); // to the end of the order
    this.#documents.set(id, now);
    const ids = this.#idsByScope.get(document.scope) ?? new Set();
    this.#idsByScope.set(document.scope, ids.add(id));
    this.#repeatTimer ??= this.#clock.setTimer(REPEAT_STEP_US, () => this.#repeatDue());
    return { before, now };
  }

  #delete({ scope, key }: Written<T>): void {
    const id = documentId(scope, key);
    this.#documents.delete(id);
    const ids = this.#idsByScope.get(scope);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsByScope.delete(scope);
  }

  /** Wall-clock milliseconds, so that a later run of the same owner goes on above; counted on where that is too slow. */
  #nextGeneration(before: Written<T> | undefined): number {
    return Math.max((before?.generation ?? this.#removedGeneration) + 1, this.#clock.unixMs());
  }

  #say({ scope, key, epoch, generation }: Omit<Written<T>, 'saidUs'>, bodies: readonly (T | null)[]): void {
    for (const body of bodies) {
      this.#bus.say({ kind: this.#kind.name, scope, key, writer: this.#writer, epoch, generation, body });
    }
  }

  #repeat(id: string, what: 'whole' | 'repetition'): void {
    const written = this.#documents.get(id);
    if (written === undefined) return;
    written.saidUs = this.#clock.nowUs();
    this.#documents.delete(id);
    this.#documents.set(id, written);
    this.#say(written, written[what]());
  }

  #repeatDue(): void {
    this.#repeatTimer = undefined;
    const dueUs = this.#clock.nowUs() - REPEAT_US;
    if (this.#bus.connected()) {
      // What is repeated moves to the end, where it is no longer due.
      for (const [id, { saidUs }] of this.#documents) {
        if (saidUs > dueUs) break;
        this.#repeat(id, 'repetition');
      }
    }
    if (this.#documents.size > 0) {
      this.#repeatTimer = this.#clock.setTimer(REPEAT_STEP_US, () => this.#repeatDue());
    }
  }

  #asked(scope: Scope): void {
    if (scope !== anyScope && !this.#idsByScope.has(scope)) return;
    const recent = this.#saidAgain.get(scope);
    if (recent !== undefined) {
      recent.askedSince = true;
      return;
    }
    this.sayAgain(scope);
    const timer = this.#clock.setTimer(SAY_AGAIN_INTERVAL_US, () => {
      const askedSince = this.#saidAgain.get(scope)?.askedSince === true;
      this.#saidAgain.delete(scope);
      if (askedSince) this.#asked(scope);
    });
    this.#saidAgain.set(scope, { timer, askedSince: false });
  }
}

/** A scope or key may hold any character but this one, which no name or id has. */
const documentId = (scope: string, key: string): string => `${scope}\u0000${key}`;
