import type { ConnectionQuality, SessionId, SessionSpec, SessionStatus, TimeUs, TrackId } from '@sluice/contracts';
import { US_PER_MS, US_PER_S } from '@sluice/contracts';
import type { PacketPathEvent, SessionSnapshot, Version } from '@sluice/packet-path';
import { type Assessment, heldBackTracks, Qualities } from '../quality/qualities.ts';
import type { SessionSummary } from '../report/inspection.ts';

export type SessionTableInput =
  | { readonly type: 'spec'; readonly spec: SessionSpec; readonly version: Version }
  /** The session is no more, says its owner. */
  | { readonly type: 'spec-removed'; readonly session: SessionId }
  /** Nobody says the spec any more. It is heard as `spec` again when the owner, or another, returns. */
  | { readonly type: 'owner-silent'; readonly session: SessionId }
  | { readonly type: 'event'; readonly event: PacketPathEvent }
  /** What a session is; undefined: the packet path does not hold it. */
  | { readonly type: 'observed'; readonly session: SessionId; readonly snapshot: SessionSnapshot | undefined };

/** A status without what is the same for all sessions of a node. */
export type StatusBody = Omit<SessionStatus, 'node'>;

export interface SessionTableSink {
  apply(spec: SessionSpec, version: Version): void;
  drop(session: SessionId): void;
  /** Under the epoch of the spec: a later owner's statuses are newer. */
  say(status: StatusBody, epoch: number): void;
  /** Nothing is said of the session any more. */
  forget(status: Pick<StatusBody, 'session' | 'room'>): void;
  /** What a session did in the last seconds, and how good that was. */
  assessed(assessment: Assessment): void;
  event(event: SessionTableEvent): void;
}

/** For log lines and counters. */
export type SessionTableEvent =
  | { readonly type: 'landed' | 'connected' | 'orphaned'; readonly spec: SessionSpec }
  | { readonly type: 'closed'; readonly spec: SessionSpec; readonly reason: CloseReason }
  | { readonly type: 'refused'; readonly spec: SessionSpec };

type CloseReason = NonNullable<SessionStatus['closeReason']>;
type State = 'waiting' | SessionStatus['state'];

interface Entry {
  spec: SessionSpec;
  version: Version;
  state: State;
  closeReason: CloseReason | undefined;
  readonly startedTracks: Set<TrackId>;
  readonly audio: Map<TrackId, { readonly active: boolean; readonly level: number }>;
  lastDataSequence: number;
  pausedTracks: readonly TrackId[];
}

/** Loudness and data sequences change all the time: said at most this often. */
export const STATUS_INTERVAL_US = 200 * US_PER_MS;
/**
 * A call whose signaling died goes on until its client has found another one, which takes SDKs seconds; after this long
 * nobody will come, and nobody in the room sees the participant any more.
 */
export const ORPHAN_GRACE_US = 300 * US_PER_S;
/** Specs of a site that one node holds: at 10 KiB each, 500 MiB. Beyond it new ones are refused and counted. */
export const MAX_SPECS = 50_000;

/**
 * Every session of the site as it should be, beside what it is. Makes the packet path equal to the specs and says what
 * became of those that landed here. Pure: time comes with each input, effects go to the sink.
 */
export class SessionTable {
  readonly #entries = new Map<SessionId, Entry>();
  readonly #qualities = new Qualities();
  /** Sessions with something unsaid that may wait. */
  readonly #unsaid = new Set<SessionId>();
  /** Sessions that go on without an owner, and since when; the earliest first. */
  readonly #orphans = new Map<SessionId, TimeUs>();
  #lastSaidUs = -STATUS_INTERVAL_US;

  get size(): number {
    return this.#entries.size;
  }

  /** Sessions that landed here and are not closed, and their tracks. */
  counts(): { readonly sessions: number; readonly incomingTracks: number; readonly outgoingTracks: number } {
    let [sessions, incomingTracks, outgoingTracks] = [0, 0, 0];
    for (const { state, spec } of this.#entries.values()) {
      if (!isHere(state)) continue;
      sessions++;
      incomingTracks += spec.incoming.length;
      outgoingTracks += spec.outgoing.length;
    }
    return { sessions, incomingTracks, outgoingTracks };
  }

  /** Sessions of one kind: those that are here, or all whose spec stands. */
  *sessions(which: 'here' | 'open'): Iterable<SessionId> {
    for (const [session, { state }] of this.#entries) {
      if (isHere(state) || (which === 'open' && state === 'waiting')) yield session;
    }
  }

  *summaries(): Iterable<SessionSummary> {
    for (const entry of this.#entries.values()) yield this.#summaryOf(entry);
  }

  summary(session: SessionId): { readonly summary: SessionSummary; readonly spec: SessionSpec } | undefined {
    const entry = this.#entries.get(session);
    return entry && { summary: this.#summaryOf(entry), spec: entry.spec };
  }

  handle(input: SessionTableInput, nowUs: TimeUs, out: SessionTableSink): void {
    switch (input.type) {
      case 'spec':
        this.#spec(input.spec, input.version, out);
        break;
      case 'spec-removed':
        this.#end(input.session, 'dropped', out);
        break;
      case 'owner-silent':
        this.#ownerSilent(input.session, nowUs, out);
        break;
      case 'event':
        this.#event(input.event, out);
        break;
      case 'observed':
        this.#observed(input.session, input.snapshot, nowUs, out);
        break;
    }
  }

  nextDeadline(): { readonly atUs: TimeUs; readonly reason: 'status' | 'orphan' } | undefined {
    const [orphanedUs] = this.#orphans.values();
    const orphan =
      orphanedUs === undefined ? undefined : { atUs: orphanedUs + ORPHAN_GRACE_US, reason: 'orphan' as const };
    if (this.#unsaid.size === 0) return orphan;
    const status = { atUs: this.#lastSaidUs + STATUS_INTERVAL_US, reason: 'status' as const };
    return orphan !== undefined && orphan.atUs < status.atUs ? orphan : status;
  }

  /** Does what is due at `nowUs`. */
  onDeadline(nowUs: TimeUs, out: SessionTableSink): void {
    for (const [session, orphanedUs] of this.#orphans) {
      if (orphanedUs + ORPHAN_GRACE_US > nowUs) break;
      this.#end(session, 'dropped', out);
    }
    if (this.#unsaid.size === 0 || this.#lastSaidUs + STATUS_INTERVAL_US > nowUs) return;
    this.#lastSaidUs = nowUs;
    for (const session of this.#unsaid) {
      const entry = this.#entries.get(session);
      if (entry !== undefined) this.#say(entry, out);
    }
  }

  #spec(spec: SessionSpec, version: Version, out: SessionTableSink): void {
    const entry = this.#entries.get(spec.session);
    if (entry === undefined) {
      this.#enter(spec, version, out);
      return;
    }
    const newOwner = version.epoch > entry.version.epoch;
    this.#orphans.delete(spec.session);
    entry.spec = spec;
    entry.version = version;
    // A closed session has lost its keys: its owner must make another one, and only a later owner may not know that.
    if (entry.state === 'closed' && !newOwner) return;
    if (entry.state === 'closed') revive(entry);
    out.apply(spec, version);
    this.#keepTracks(entry);
    if (newOwner && isHere(entry.state)) this.#say(entry, out);
  }

  #enter(spec: SessionSpec, version: Version, out: SessionTableSink): void {
    if (this.#entries.size >= MAX_SPECS) {
      out.event({ type: 'refused', spec });
      return;
    }
    this.#entries.set(spec.session, makeEntry(spec, version));
    out.apply(spec, version);
  }

  #summaryOf({ spec: { session, room, participant, identity }, state }: Entry): SessionSummary {
    return { session, room, participant, identity, state, quality: this.#qualities.said(session) };
  }

  #ownerSilent(session: SessionId, nowUs: TimeUs, out: SessionTableSink): void {
    const entry = this.#entries.get(session);
    if (entry === undefined) return;
    if (!isHere(entry.state)) {
      this.#end(session, 'dropped', out);
      return;
    }
    this.#orphans.set(session, nowUs);
    out.event({ type: 'orphaned', spec: entry.spec });
  }

  #event(event: PacketPathEvent, out: SessionTableSink): void {
    if (!('session' in event)) return;
    const entry = this.#entries.get(event.session);
    if (entry === undefined || entry.state === 'closed') return;
    switch (event.type) {
      case 'landed':
      case 'connected':
        this.#become(entry, event.type, out);
        break;
      case 'closed':
        // Dropped was what this table wanted, of a session that it has ended already.
        if (event.reason !== 'dropped') this.#close(entry, event.reason, out);
        break;
      case 'track-started':
        if (entry.startedTracks.has(event.track) || !isHere(entry.state)) break;
        entry.startedTracks.add(event.track);
        this.#say(entry, out);
        break;
      case 'audio-activity':
        if (!isHere(entry.state)) break;
        entry.audio.set(event.track, { active: event.active, level: event.level });
        this.#unsaid.add(event.session);
        break;
      case 'moved':
      case 'data-channel-opened':
        break;
    }
  }

  #become(entry: Entry, state: 'landed' | 'connected', out: SessionTableSink): void {
    if (entry.state === state || entry.state === 'connected') return;
    entry.state = state;
    this.#say(entry, out);
    out.event({ type: state, spec: entry.spec });
  }

  #observed(session: SessionId, snapshot: SessionSnapshot | undefined, nowUs: TimeUs, out: SessionTableSink): void {
    const entry = this.#entries.get(session);
    if (entry === undefined || entry.state === 'closed') return;
    if (snapshot === undefined || snapshot.state === 'closed') {
      if (isHere(entry.state)) this.#close(entry, 'dropped', out);
      return;
    }
    if (snapshot.data.lastReliableSequence > entry.lastDataSequence) {
      entry.lastDataSequence = snapshot.data.lastReliableSequence;
      this.#unsaid.add(session);
    }
    for (const { track, packets, kind, audioActive, audioLevel } of snapshot.incoming) {
      if (packets > 0 && !entry.startedTracks.has(track)) {
        entry.startedTracks.add(track);
        this.#unsaid.add(session);
      }
      if (kind === 'audio' && entry.audio.get(track)?.active !== audioActive && packets > 0) {
        entry.audio.set(track, { active: audioActive, level: audioLevel });
        this.#unsaid.add(session);
      }
    }
    this.#become(entry, snapshot.state, out);
    this.#assess(entry, snapshot, nowUs, out);
  }

  #assess(entry: Entry, snapshot: SessionSnapshot, nowUs: TimeUs, out: SessionTableSink): void {
    if (snapshot.state !== 'connected') return;
    const pausedTracks = heldBackTracks(snapshot);
    if (pausedTracks.join() !== entry.pausedTracks.join()) {
      entry.pausedTracks = pausedTracks;
      this.#unsaid.add(entry.spec.session);
    }
    const assessment = this.#qualities.observe(entry.spec, snapshot, nowUs);
    if (assessment === undefined) return;
    if (assessment.news) this.#unsaid.add(entry.spec.session);
    out.assessed(assessment);
  }

  /** The packet path ended it. Its owner is told, and says what becomes of it; without an owner that was the end. */
  #close(entry: Entry, reason: CloseReason, out: SessionTableSink): void {
    const { session } = entry.spec;
    const orphan = this.#orphans.has(session);
    out.drop(session);
    this.#sayClosed(entry, reason, out);
    if (orphan) this.#remove(entry, out);
  }

  /** It is no more. */
  #end(session: SessionId, reason: CloseReason, out: SessionTableSink): void {
    const entry = this.#entries.get(session);
    if (entry === undefined) return;
    if (entry.state !== 'closed') out.drop(session);
    if (isHere(entry.state)) this.#sayClosed(entry, reason, out);
    this.#remove(entry, out);
  }

  #sayClosed(entry: Entry, reason: CloseReason, out: SessionTableSink): void {
    entry.state = 'closed';
    entry.closeReason = reason;
    entry.pausedTracks = [];
    this.#qualities.forget(entry.spec.session);
    this.#say(entry, out);
    out.event({ type: 'closed', spec: entry.spec, reason });
  }

  #remove({ spec: { session, room }, state }: Entry, out: SessionTableSink): void {
    this.#entries.delete(session);
    this.#orphans.delete(session);
    this.#unsaid.delete(session);
    this.#qualities.forget(session);
    if (state === 'closed') out.forget({ session, room });
  }

  #say(entry: Entry, out: SessionTableSink): void {
    this.#unsaid.delete(entry.spec.session);
    out.say(statusOf(entry, this.#qualities.said(entry.spec.session)), entry.version.epoch);
  }

  /** Forgets what was seen of tracks that the spec no longer has. */
  #keepTracks({ spec, startedTracks, audio }: Entry): void {
    const tracks = new Set(spec.incoming.map(({ track }) => track));
    for (const track of startedTracks) {
      if (tracks.has(track)) continue;
      startedTracks.delete(track);
      this.#unsaid.add(spec.session);
    }
    for (const track of audio.keys()) if (!tracks.has(track)) audio.delete(track);
  }
}

const isHere = (state: State): boolean => state === 'landed' || state === 'connected';

const makeEntry = (spec: SessionSpec, version: Version): Entry => ({
  spec,
  version,
  state: 'waiting',
  closeReason: undefined,
  startedTracks: new Set(),
  audio: new Map(),
  lastDataSequence: 0,
  pausedTracks: [],
});

function revive(entry: Entry): void {
  entry.state = 'waiting';
  entry.closeReason = undefined;
  entry.startedTracks.clear();
  entry.audio.clear();
}

function statusOf(entry: Entry, quality: ConnectionQuality | undefined): StatusBody {
  const { spec, state, closeReason, startedTracks, audio, lastDataSequence, pausedTracks } = entry;
  if (state === 'waiting') throw new Error(`session ${spec.session} has not landed: there is nothing to say of it`);
  return {
    session: spec.session,
    room: spec.room,
    state,
    ...(closeReason === undefined ? {} : { closeReason }),
    startedTracks: [...startedTracks],
    lastDataSequence,
    audio: [...audio].map(([track, { active, level }]) => ({ track, active, level })),
    ...(quality === undefined ? {} : { quality }),
    pausedTracks: [...pausedTracks],
  };
}
