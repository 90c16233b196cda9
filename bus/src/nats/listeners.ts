import type { Reading } from '../bus.ts';
import type { NatsSession } from './session.ts';

type Take = (payload: Uint8Array) => void;

interface Listened {
  readonly takes: Set<Take>;
  subscription: { unsubscribe(): void } | undefined;
}

/** What a process listens to, by subject: one subscription each, however many listen, on whichever connection is open. */
export class Listeners {
  readonly #subjects = new Map<string, Listened>();
  #session: NatsSession | undefined;

  open(subject: string, take: Take): Reading {
    const entry: Take = (payload) => take(payload);
    const listened = this.#subjects.get(subject) ?? this.#begin(subject);
    listened.takes.add(entry);
    return { close: () => this.#close(subject, entry) };
  }

  /** Subscribes everything on a new connection; undefined: none is open. */
  use(session: NatsSession | undefined): void {
    this.#session = session;
    for (const [subject, listened] of this.#subjects) listened.subscription = this.#subscribe(subject, listened);
  }

  clear(): void {
    for (const { takes, subscription } of this.#subjects.values()) {
      takes.clear();
      subscription?.unsubscribe();
    }
    this.#subjects.clear();
  }

  #begin(subject: string): Listened {
    const listened: Listened = { takes: new Set(), subscription: undefined };
    this.#subjects.set(subject, listened);
    listened.subscription = this.#subscribe(subject, listened);
    return listened;
  }

  #subscribe(subject: string, { takes }: Listened): Listened['subscription'] {
    return this.#session?.subscribe(subject, (payload) => {
      for (const take of [...takes]) if (takes.has(take)) take(payload);
    });
  }

  #close(subject: string, entry: Take): void {
    const listened = this.#subjects.get(subject);
    if (listened === undefined || !listened.takes.delete(entry) || listened.takes.size > 0) return;
    listened.subscription?.unsubscribe();
    this.#subjects.delete(subject);
  }
}
