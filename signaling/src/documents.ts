import { type Bus, DocumentWriter } from '@sluice/bus';
import {
  type Intent,
  intentDocument,
  type SessionId,
  type SessionSpec,
  type SiteName,
  sessionSpecDocument,
  type WriterId,
} from '@sluice/contracts';
import type { Clock, Timer } from '@sluice/runtime';
import type { DocumentSink } from './ports.ts';

export interface BusDocumentsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly site: SiteName;
  readonly writer: WriterId;
}

/** A farewell is said again for so long: a reader that missed it must not take the participant for lost. */
const FAREWELL_US = 30_000_000;

/** Signaling's documents on the bus. */
export class BusDocuments implements DocumentSink {
  readonly #clock: Clock;
  readonly #site: SiteName;
  readonly #intents: DocumentWriter<Intent>;
  readonly #specs: DocumentWriter<SessionSpec | null>;
  readonly #farewells = new Set<Timer>();

  constructor({ bus, clock, site, writer }: BusDocumentsOptions) {
    this.#clock = clock;
    this.#site = site;
    this.#intents = new DocumentWriter({ bus, clock, kind: intentDocument, writer });
    this.#specs = new DocumentWriter({ bus, clock, kind: sessionSpecDocument, writer });
  }

  sayIntent(intent: Intent): void {
    const { roomName, participant, left } = intent;
    this.#intents.set(roomName, participant, intent);
    if (left === undefined) return;
    const timer = this.#clock.setTimer(FAREWELL_US, () => {
      this.#farewells.delete(timer);
      this.#intents.remove(roomName, participant);
    });
    this.#farewells.add(timer);
  }

  saySpec(spec: SessionSpec): void {
    this.#specs.set(this.#site, spec.session, spec);
  }

  dropSpec(session: SessionId): void {
    this.#specs.remove(this.#site, session);
  }

  /** Documents kept, for metrics. */
  get size(): { readonly intents: number; readonly specs: number } {
    return { intents: this.#intents.size, specs: this.#specs.size };
  }

  close(): void {
    for (const timer of this.#farewells) timer.cancel();
    this.#farewells.clear();
    this.#intents.close();
    this.#specs.close();
  }
}
