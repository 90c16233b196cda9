import { type Bus, type BusDocument, DocumentReader } from '@sluice/bus';
import {
  type RoomChange,
  type RoomId,
  type RoomName,
  type RoomView,
  RoomViewReader,
  roomViewDocument,
  type SessionStatus,
  sessionStatusDocument,
} from '@sluice/contracts';
import type { Clock, Logger } from '@sluice/runtime';

export interface RoomWatchOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly roomName: RoomName;
  readonly changed: (change: RoomChange) => void;
  /** What a node says of a session in the room. */
  readonly status: (status: SessionStatus) => void;
}

/** One room as its controller and the nodes show it, for all sessions of this process that are in it. */
export class RoomWatch {
  readonly #options: RoomWatchOptions;
  readonly view = new RoomViewReader();
  readonly #views: DocumentReader<RoomView>;
  #statuses: { readonly room: RoomId; readonly reader: DocumentReader<SessionStatus> } | undefined;

  constructor(options: RoomWatchOptions) {
    const { bus, clock, logger, roomName } = options;
    this.#options = options;
    this.#views = new DocumentReader({
      bus,
      clock,
      logger,
      kind: roomViewDocument,
      scope: roomName,
      order: 'every',
      changed: (body, document) => this.#heard(body, document),
    });
  }

  close(): void {
    this.#views.close();
    this.#statuses?.reader.close();
  }

  #heard(view: RoomView | null, version: BusDocument): void {
    const outcome = this.view.apply(version, view);
    if (outcome.type === 'gap') this.#views.askAgain();
    if (outcome.type !== 'changed') return;
    // Before the sessions hear of it: those that enter now want to know what becomes of their transports.
    if (!outcome.change.ended) this.#watchStatuses(outcome.change.info.room);
    this.#options.changed(outcome.change);
  }

  #watchStatuses(room: RoomId): void {
    if (this.#statuses?.room === room) return;
    const { bus, clock, logger, status } = this.#options;
    this.#statuses?.reader.close();
    const changed = (body: SessionStatus | null): void => {
      if (body !== null) status(body);
    };
    const reader = new DocumentReader({ bus, clock, logger, kind: sessionStatusDocument, scope: room, changed });
    this.#statuses = { room, reader };
  }
}
