/**
 * The bus: how processes meet. It carries documents, not calls: each has one writer, says *what should be* or *what
 * is*, and heals by repetition. The bus keeps nothing: a reader that starts late asks "say again", and the writers do.
 * Processes use it through `DocumentWriter` and `DocumentReader`, which keep epochs and generations.
 */

/** One saying of one document. */
export interface BusDocument {
  /** Which kind; see contracts' `documentKinds`. */
  readonly kind: string;
  /** Who reads it: a site, a room, a node. */
  readonly scope: string;
  /** Which one it is within kind and scope. */
  readonly key: string;
  /** Which run of which process says it. */
  readonly writer: string;
  /** Fences owners: a higher epoch wins, a lower one is ignored. */
  readonly epoch: number;
  /** Grows with each change within an epoch; saying the same generation again changes nothing. */
  readonly generation: number;
  /** What JSON can carry; null: the document is no more. */
  readonly body: unknown;
}

export interface Reading {
  /** Idempotent. Nothing is delivered after it. */
  close(): void;
}

/** Every scope of a kind. */
export const anyScope = Symbol('any scope');
export type Scope = string | typeof anyScope;

export interface Lease {
  readonly name: string;
  /** Higher than that of every earlier holder. */
  readonly epoch: number;
  /** Gives it back at once, so that others need not wait for it to run out. */
  release(): Promise<void>;
}

/** One process's connection to the bus. */
export interface Bus {
  /** Hands a document to everyone who reads its kind and scope. Never blocks; lost when the bus is away. */
  say(document: BusDocument): void;
  /** Documents of one writer arrive in the order said, never from within `say` or `read`. */
  read(kind: string, scope: Scope, reader: (document: BusDocument) => void): Reading;
  /** Asks all writers of kind and scope to say their documents again. */
  askAgain(kind: string, scope: Scope): void;
  /** Calls `sayAgain` whenever someone asked for this kind in `scope` or in any scope, with the scope that was asked. */
  onAskedAgain(kind: string, scope: Scope, sayAgain: (asked: Scope) => void): Reading;
  /**
   * Tries to own `name` for `durationUs`, renewed by the adapter until released or lost; undefined when another holds
   * it or the bus is away. `lost` is called once if it could not be renewed in time: the owner must stop acting at once.
   */
  acquire(name: string, durationUs: number, lost: () => void): Promise<Lease | undefined>;
  /** Calls `listener` each time the bus came back after it was away: writers then say everything again. */
  onReturn(listener: () => void): Reading;
  /** False while the bus is away, as far as this process knows. Silence means something only while it is true. */
  connected(): boolean;
  /** Ends every reading and releases every lease of this process. */
  close(): Promise<void>;
}
