import { type BusDocument, DocumentReader, DocumentWriter } from '@sluice/bus';
import {
  type SessionId,
  type SessionSpec,
  type SessionStatus,
  sessionSpecDocument,
  sessionStatusDocument,
} from '@sluice/contracts';
import { PacketPathError, type PacketPathEvent, type Version } from '@sluice/packet-path';
import { errorMessage, type Timer } from '@sluice/runtime';
import type { MediaNodePorts, PacketPathPort } from '../ports.ts';
import type { Assessment } from '../quality/qualities.ts';
import type { SessionList } from '../report/inspection.ts';
import {
  SessionTable,
  type SessionTableEvent,
  type SessionTableInput,
  type SessionTableSink,
  STATUS_INTERVAL_US,
} from './session-table.ts';
import { UnknownFragments } from './unknown-fragments.ts';

/** What happened in this run, by name, for metrics. */
export interface ReconcilerCounters {
  readonly specsInvalid: number;
  readonly specsStale: number;
  /** They do not stand where their body says they are. */
  readonly specsMisaddressed: number;
  /** The packet path would not have them. */
  readonly specsRefused: number;
  /** The table was full. */
  readonly specsBeyondLimit: number;
  readonly askedForUnknown: number;
  readonly eventsLost: number;
}

/** Sessions looked at in one step: what a look costs the shards stays bounded, however many sessions there are. */
const LOOKS_PER_STEP = 50;
/** Shards that do not answer are not asked more. */
const MAX_UNANSWERED_LOOKS = 100;

/**
 * Makes the packet path equal to the specs of the site and says what became of the sessions. Carries between the bus,
 * the packet path and the `SessionTable`, which decides.
 */
export class Reconciler implements SessionList {
  readonly #ports: MediaNodePorts;
  readonly #path: PacketPathPort;
  readonly #assessed: (assessment: Assessment) => void;
  readonly #specs: DocumentReader<SessionSpec>;
  readonly #statuses: DocumentWriter<SessionStatus>;
  readonly #table = new SessionTable();
  readonly #unknown = new UnknownFragments();
  readonly #sink: SessionTableSink;
  /** Specs that the packet path was too busy to take. */
  readonly #unapplied = new Map<SessionId, { readonly spec: SessionSpec; readonly version: Version }>();
  /** Sessions to be looked at next; those of which events were lost, whatever is found. */
  #looks: SessionId[] = [];
  readonly #mustLook = new Set<SessionId>();
  #unanswered = 0;
  #deadlineTimer: Timer | undefined;
  #stepTimer: Timer | undefined;
  #counters = { specsMisaddressed: 0, specsRefused: 0, specsBeyondLimit: 0, askedForUnknown: 0, eventsLost: 0 };

  constructor(ports: MediaNodePorts, path: PacketPathPort, assessed: (assessment: Assessment) => void) {
    this.#ports = ports;
    this.#path = path;
    this.#assessed = assessed;
    this.#sink = this.#makeSink();
    const { bus, clock, logger, site, writer } = ports;
    this.#statuses = new DocumentWriter({ bus, clock, kind: sessionStatusDocument, writer });
    this.#specs = new DocumentReader({
      bus,
      clock,
      logger,
      kind: sessionSpecDocument,
      scope: site,
      changed: (spec, document) => this.#specChanged(spec, document),
      silent: (spec, { scope, key }) => {
        this.#specs.forget(scope, key); // heard as new when it is said again
        this.#handle({ type: 'owner-silent', session: spec.session });
      },
    });
    this.#stepTimer = clock.setTimer(STATUS_INTERVAL_US, () => this.#step());
  }

  counts(): ReturnType<SessionTable['counts']> & { readonly specs: number } {
    return { ...this.#table.counts(), specs: this.#table.size };
  }

  summaries(): ReturnType<SessionList['summaries']> {
    return this.#table.summaries();
  }

  summary(session: SessionId): ReturnType<SessionList['summary']> {
    return this.#table.summary(session);
  }

  counters(): ReconcilerCounters {
    return { ...this.#counters, specsInvalid: this.#specs.invalid, specsStale: this.#specs.stale };
  }

  /** What the packet path told. */
  event(event: PacketPathEvent): void {
    switch (event.type) {
      case 'unknown-username-fragment':
        this.#unknownFragment(event.usernameFragment);
        break;
      case 'events-lost':
        this.#eventsLost(event.count);
        break;
      default:
        this.#handle({ type: 'event', event });
    }
  }

  /** Ends every session that is here, and says so. */
  close(): void {
    for (const session of [...this.#table.sessions('here')]) this.#handle({ type: 'spec-removed', session });
    this.#deadlineTimer?.cancel();
    this.#stepTimer?.cancel();
    this.#stepTimer = undefined;
    this.#specs.close();
    this.#statuses.close();
  }

  #specChanged(spec: SessionSpec | null, { scope, key, epoch, generation, writer }: BusDocument): void {
    if (spec === null) {
      this.#handle({ type: 'spec-removed', session: key as SessionId });
      return;
    }
    if (spec.session !== key || spec.site !== scope) {
      this.#counters.specsMisaddressed++;
      this.#specs.forget(scope, key);
      this.#ports.logger.warn('session.spec-misaddressed', { sessionId: key, writer });
      return;
    }
    this.#unknown.known(spec.localCredentials.map(({ usernameFragment }) => usernameFragment));
    this.#handle({ type: 'spec', spec, version: { epoch, generation } });
  }

  #unknownFragment(usernameFragment: string): void {
    if (!this.#unknown.seen(usernameFragment, this.#ports.clock.nowUs())) return;
    this.#counters.askedForUnknown++;
    this.#specs.askAgain();
  }

  #eventsLost(count: number): void {
    this.#counters.eventsLost += count;
    this.#ports.logger.warn('packet-path.events-lost', { count });
    for (const session of this.#table.sessions('open')) this.#mustLook.add(session);
  }

  #handle(input: SessionTableInput): void {
    this.#table.handle(input, this.#ports.clock.nowUs(), this.#sink);
    this.#armDeadline();
  }

  #armDeadline(): void {
    const { clock } = this.#ports;
    const deadline = this.#table.nextDeadline();
    this.#deadlineTimer?.cancel();
    this.#deadlineTimer = undefined;
    if (deadline === undefined) return;
    this.#deadlineTimer = clock.setTimer(deadline.atUs - clock.nowUs(), () => {
      this.#table.onDeadline(clock.nowUs(), this.#sink);
      this.#armDeadline();
    });
  }

  /** What is done five times a second: specs that could not be applied, and a look at some of the sessions. */
  #step(): void {
    this.#stepTimer = this.#ports.clock.setTimer(STATUS_INTERVAL_US, () => this.#step());
    for (const [session, { spec, version }] of [...this.#unapplied]) {
      this.#unapplied.delete(session);
      this.#apply(spec, version);
    }
    this.#lookAround();
  }

  #lookAround(): void {
    if (this.#unanswered >= MAX_UNANSWERED_LOOKS) return;
    const must = [...this.#mustLook].slice(0, LOOKS_PER_STEP);
    for (const session of must) this.#mustLook.delete(session);
    if (this.#looks.length === 0) this.#looks = [...this.#table.sessions('here')];
    const may = this.#looks.splice(0, LOOKS_PER_STEP - must.length);
    for (const session of must) void this.#look(session, 'must');
    for (const session of may) void this.#look(session, 'may');
  }

  /** A session that is not found has closed, and the event says so; unless events were lost. */
  async #look(session: SessionId, why: 'must' | 'may'): Promise<void> {
    this.#unanswered++;
    try {
      const snapshot = await this.#path.snapshot(session);
      if (this.#stepTimer === undefined) return;
      if (snapshot !== undefined || why === 'must') this.#handle({ type: 'observed', session, snapshot });
    } catch (error) {
      if (why === 'must') this.#mustLook.add(session);
      this.#ports.logger.debug('session.look-failed', { sessionId: session, problem: errorMessage(error) });
    } finally {
      this.#unanswered--;
    }
  }

  #makeSink(): SessionTableSink {
    const { node } = this.#ports;
    return {
      apply: (spec, version) => this.#apply(spec, version),
      drop: (session) => this.#drop(session),
      say: (status, epoch) => this.#statuses.set(status.room, status.session, { ...status, node }, epoch),
      forget: ({ room, session }) => this.#statuses.remove(room, session),
      assessed: (assessment) => this.#assessed(assessment),
      event: (event) => this.#tableEvent(event),
    };
  }

  #apply(spec: SessionSpec, version: Version): void {
    try {
      this.#path.apply(spec, version);
      this.#unapplied.delete(spec.session);
    } catch (error) {
      if (error instanceof PacketPathError && error.code === 'PACKET_PATH_BUSY') {
        this.#unapplied.set(spec.session, { spec, version });
        return;
      }
      this.#counters.specsRefused++;
      this.#ports.logger.error('session.spec-refused', { sessionId: spec.session, roomId: spec.room, error });
    }
  }

  #drop(session: SessionId): void {
    this.#unapplied.delete(session);
    try {
      this.#path.drop(session);
    } catch (error) {
      this.#ports.logger.error('session.drop-failed', { sessionId: session, error });
    }
  }

  #tableEvent(event: SessionTableEvent): void {
    const { logger } = this.#ports;
    const { session: sessionId, room: roomId, participant: participantId } = event.spec;
    const fields = { sessionId, roomId, participantId };
    switch (event.type) {
      case 'landed':
      case 'connected':
        logger.info(`session.${event.type}`, fields);
        break;
      case 'orphaned':
        logger.warn('session.orphaned', fields);
        break;
      case 'closed':
        logger.info('session.closed', { ...fields, reason: event.reason });
        break;
      case 'refused':
        this.#counters.specsBeyondLimit++;
        logger.error('session.spec-beyond-limit', fields);
        break;
    }
  }
}
