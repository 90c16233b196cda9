import { isDeepStrictEqual } from 'node:util';
import { type Bus, DocumentReader, DocumentWriter, type InProcessHub } from '@sluice/bus';
import {
  type Intent,
  intentDocument,
  makeWriterId,
  NodeReport,
  nodeReportDocument,
  type ParticipantId,
  type ParticipantView,
  RoomInfo,
  type RoomView,
  roomViewDocument,
  type SessionSpec,
  SessionStatus,
  SiteCertificate,
  sessionSpecDocument,
  sessionStatusDocument,
  siteCertificateDocument,
} from '@sluice/contracts';
import { type Clock, seededRandom } from '@sluice/runtime';

export interface TestCloudOptions {
  readonly hub: InProcessHub;
  readonly clock: Clock;
  readonly site: string;
}

/**
 * What stands around a signaling server, as far as its documents go: a controller that shows every intent, and a node
 * that connects every session at once. For tests of this package, which must not import those processes.
 */
export class TestCloud {
  readonly specs = new Map<string, SessionSpec>();
  readonly #bus: Bus;
  readonly #views: DocumentWriter<RoomView>;
  readonly #statuses: DocumentWriter<SessionStatus>;
  readonly #reports: DocumentWriter<NodeReport>;
  readonly #certificates: DocumentWriter<SiteCertificate>;
  readonly #readers: { close(): void }[];
  readonly #rooms = new Map<string, Map<ParticipantId, ParticipantView>>();
  readonly #intents = new Map<string, Intent>();
  readonly #site: string;

  constructor({ hub, clock, site }: TestCloudOptions) {
    const bus = hub.connect();
    const writer = makeWriterId(seededRandom(99));
    this.#bus = bus;
    this.#site = site;
    this.#views = new DocumentWriter({ bus, clock, kind: roomViewDocument, writer });
    this.#statuses = new DocumentWriter({ bus, clock, kind: sessionStatusDocument, writer });
    this.#reports = new DocumentWriter({ bus, clock, kind: nodeReportDocument, writer });
    this.#certificates = new DocumentWriter({ bus, clock, kind: siteCertificateDocument, writer });
    const intents = new DocumentReader({
      bus,
      clock,
      kind: intentDocument,
      scope: 'room',
      changed: (intent) => {
        if (intent === null) return;
        this.#intents.set(intent.identity, intent);
        this.show(intent);
      },
    });
    const specs = new DocumentReader({
      bus,
      clock,
      kind: sessionSpecDocument,
      scope: site,
      changed: (spec, { key }) => this.#apply(key, spec),
    });
    this.#readers = [intents, specs];
  }

  /** The site has a node and a certificate from now on. */
  open(): this {
    const report = { node: 'ND_test', site: this.#site, draining: false, load: 0, drops: {}, links: [], sessions: 0 };
    const counts = { incomingTracks: 0, outgoingTracks: 0, packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0 };
    const publicAddresses = [{ address: '192.0.2.1', port: 7882 }];
    this.#reports.set(this.#site, 'ND_test', NodeReport.parse({ ...report, ...counts, publicAddresses }));
    const fingerprints = [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }];
    const certificate = { site: this.#site, certificatePem: '', sealedPrivateKey: '', notAfterMs: 0, fingerprints };
    this.#certificates.set(this.#site, this.#site, SiteCertificate.parse(certificate));
    return this;
  }

  /** What was last heard of somebody. */
  lastIntent(identity: string): Intent {
    const intent = this.#intents.get(identity);
    if (intent === undefined) throw new Error(`nothing was heard of ${identity}`);
    return intent;
  }

  /** Those that left are shown no longer. */
  forgetLeft(): void {
    for (const room of this.#rooms.values()) {
      for (const [participant, { left }] of room) if (left !== undefined) room.delete(participant);
    }
  }

  show(intent: Intent, over: Partial<ParticipantView> = {}): void {
    const { roomName, known: _, wants: __, ...fields } = intent;
    const room = this.#rooms.get(roomName) ?? new Map<ParticipantId, ParticipantView>();
    this.#rooms.set(roomName, room);
    const before = room.get(intent.participant);
    const view = { ...fields, wanted: [], version: before?.version ?? 1, ...over };
    if (!isDeepStrictEqual(before, view))
      room.set(intent.participant, { ...view, version: (before?.version ?? 0) + 1 });
    const info = RoomInfo.parse({
      room: 'RM_test',
      roomName,
      metadata: '',
      createdAtMs: 1,
      emptyTimeoutS: 300,
      departureTimeoutS: 20,
      maxParticipants: 0,
      numParticipants: room.size,
      numPublishers: 0,
    });
    this.#views.set(roomName, roomName, {
      info,
      complete: true,
      since: 0,
      part: 0,
      parts: 1,
      participants: [...room.values()].map((each) => ({ ...each, wanted: this.#wantedOf(each) })),
      forgotten: [],
    });
  }

  close(): Promise<void> {
    for (const reader of this.#readers) reader.close();
    for (const writer of [this.#views, this.#statuses, this.#reports, this.#certificates]) writer.close();
    return this.#bus.close();
  }

  /** Of each of its tracks, what whoever said so last wants. */
  #wantedOf({ tracks }: ParticipantView): ParticipantView['wanted'] {
    const wants = [...this.#intents.values()].flatMap(({ left, wants }) => (left === undefined ? wants : []));
    return tracks.flatMap(({ track }) => wants.findLast((want) => want.track === track) ?? []);
  }

  #apply(session: string, spec: SessionSpec | null): void {
    if (spec === null) {
      this.specs.delete(session);
      return;
    }
    this.specs.set(session, spec);
    // Nothing is up before the client's fingerprint is known.
    const state = spec.remoteFingerprints.length > 0 ? 'connected' : 'landed';
    const status = {
      session,
      room: spec.room,
      node: 'ND_test',
      state,
      startedTracks: [],
      lastDataSequence: 0,
      audio: [],
    };
    this.#statuses.set(spec.room, session, SessionStatus.parse(status));
  }
}
