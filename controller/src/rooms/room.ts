import type {
  Identity,
  Intent,
  LeaveReason,
  ParticipantId,
  ParticipantView,
  RoomId,
  RoomInfo,
  RoomName,
  TimeUs,
  TrackId,
  UnixMs,
} from '@sluice/contracts';
import { US_PER_S } from '@sluice/contracts';
import { counts, difference, type Member, type MemberView, nextVersion, supersedes, viewOf } from './member.ts';
import type { RoomLimits, RoomSettings } from './room-settings.ts';
import { Wanting } from './wanting.ts';

export type RoomInput =
  | { readonly type: 'intent'; readonly intent: Intent }
  /** The intent was taken back, or nobody says it any more. */
  | { readonly type: 'unspoken'; readonly participant: ParticipantId; readonly why: 'removed' | 'silent' };

/** What happened, for log lines and webhooks. */
export type RoomEvent =
  | { readonly type: 'entered'; readonly participant: MemberView }
  | { readonly type: 'left'; readonly participant: MemberView }
  | { readonly type: 'refused'; readonly participant: MemberView }
  | { readonly type: 'limited'; readonly participant: MemberView; readonly field: LimitedField }
  | { readonly type: 'ended'; readonly why: RoomDeadline };

export type LimitedField = 'name' | 'metadata' | 'attributes';
export type RoomDeadline = 'farewell' | 'departure-timeout' | 'empty-timeout';

export interface RoomSink {
  /** Somebody should say the view: see `takeChanges`. Called as often as something changes. */
  changed(): void;
  event(event: RoomEvent): void;
}

export interface RoomTime {
  readonly nowUs: TimeUs;
  readonly unixMs: UnixMs;
}

/** What changed since the last taking. */
export interface RoomChanges {
  readonly participants: readonly ParticipantView[];
  readonly forgotten: readonly ParticipantId[];
}

/** Those who left are shown this long, so that every reader has seen them leave. */
export const FAREWELL_US = 30 * US_PER_S;
/** Farewells shown at once; beyond it the oldest go. A storm of refused joins must not fill the view. */
export const MAX_FAREWELLS = 1_000;
/** The cloud's own limit of a room, whatever its settings say. */
export const MAX_MEMBERS = 20_000;

/**
 * One room: who is in it. The only place that decides who may enter, who of two equals stays, and when the room is
 * over. Pure: time comes with each input, effects go to the sink; whatever order the intents of different participants
 * come in, the room is the same.
 */
export class Room {
  readonly roomName: RoomName;
  readonly room: RoomId;
  readonly createdAtMs: UnixMs;
  readonly #settings: RoomSettings & RoomLimits;
  readonly #members = new Map<ParticipantId, Member>();
  readonly #identities = new Map<Identity, Set<ParticipantId>>();
  /** Who left and is still shown, and when it left; the earliest first. */
  readonly #farewells = new Map<ParticipantId, TimeUs>();
  readonly #wanting = new Wanting();
  /** Whose a track is. */
  readonly #owners = new Map<TrackId, ParticipantId>();
  readonly #dirty = new Set<ParticipantId>();
  readonly #forgotten = new Set<ParticipantId>();
  #present = 0;
  #counted = 0;
  #publishers = 0;
  /** When the room became empty; the timeout that runs depends on whether anyone was ever in it. */
  #emptySinceUs: TimeUs | undefined;
  #everEntered = false;

  constructor(
    of: { readonly roomName: RoomName; readonly room: RoomId; readonly createdAtMs: UnixMs },
    settings: RoomSettings & RoomLimits,
    nowUs: TimeUs,
  ) {
    this.roomName = of.roomName;
    this.room = of.room;
    this.createdAtMs = of.createdAtMs;
    this.#settings = settings;
    this.#emptySinceUs = nowUs;
  }

  /** How many are in it now. */
  get present(): number {
    return this.#present;
  }

  /** How many it knows, those who left or were refused included. */
  get remembered(): number {
    return this.#members.size;
  }

  info(): RoomInfo {
    return {
      room: this.room,
      roomName: this.roomName,
      metadata: '',
      createdAtMs: this.createdAtMs,
      emptyTimeoutS: this.#settings.emptyTimeoutS,
      departureTimeoutS: this.#settings.departureTimeoutS,
      maxParticipants: this.#settings.maxParticipants,
      numParticipants: this.#counted,
      numPublishers: this.#publishers,
    };
  }

  /** Everyone who is shown: who is here, and who left a moment ago. */
  participants(): ParticipantView[] {
    return [...this.#members.values()].filter(({ shown }) => shown).map((member) => this.#show(member));
  }

  /** What changed since this was last called. */
  takeChanges(): RoomChanges {
    const participants = [...this.#dirty].flatMap((sid) => {
      const member = this.#members.get(sid);
      return member?.shown === true ? [this.#show(member)] : [];
    });
    const forgotten = [...this.#forgotten];
    this.#dirty.clear();
    this.#forgotten.clear();
    return { participants, forgotten };
  }

  handle(input: RoomInput, time: RoomTime, out: RoomSink): void {
    switch (input.type) {
      case 'intent':
        this.#intent(input.intent, time, out);
        break;
      case 'unspoken':
        this.#unspoken(input.participant, input.why, time, out);
        break;
    }
  }

  nextDeadline(): { readonly atUs: TimeUs; readonly reason: RoomDeadline } | undefined {
    const [oldest] = this.#farewells.values();
    const farewell = oldest === undefined ? undefined : ({ atUs: oldest + FAREWELL_US, reason: 'farewell' } as const);
    const end = this.#endDeadline();
    if (farewell === undefined || end === undefined) return farewell ?? end;
    return farewell.atUs <= end.atUs ? farewell : end;
  }

  /** Does what is due at `time`. */
  onDeadline({ nowUs }: RoomTime, out: RoomSink): void {
    for (const [sid, leftUs] of this.#farewells) {
      if (leftUs + FAREWELL_US > nowUs) break;
      this.#hide(sid, out);
    }
    const end = this.#endDeadline();
    if (end !== undefined && end.atUs <= nowUs) out.event({ type: 'ended', why: end.reason });
  }

  #endDeadline(): { readonly atUs: TimeUs; readonly reason: RoomDeadline } | undefined {
    if (this.#emptySinceUs === undefined) return undefined;
    const { departureTimeoutS, emptyTimeoutS } = this.#settings;
    return this.#everEntered
      ? { atUs: this.#emptySinceUs + departureTimeoutS * US_PER_S, reason: 'departure-timeout' }
      : { atUs: this.#emptySinceUs + emptyTimeoutS * US_PER_S, reason: 'empty-timeout' };
  }

  #intent(intent: Intent, time: RoomTime, out: RoomSink): void {
    const member = this.#members.get(intent.participant);
    if (member === undefined) {
      if (intent.left === undefined) this.#join(intent, time, out);
    } else if (member.view.left !== undefined) {
      this.#setSpokenFor(member, intent.left === undefined);
    } else if (intent.left !== undefined) {
      this.#leave({ ...member, spokenFor: false }, intent.left, time, out);
    } else {
      this.#update(member, intent, time, out);
    }
  }

  #join(intent: Intent, time: RoomTime, out: RoomSink): void {
    const view = viewOf(intent, nextVersion(0, intent.joinedAtMs, time.unixMs));
    const rivals = this.#rivalsOf(intent.identity);
    const reason = this.#refusal(intent, view, rivals);
    if (reason !== undefined) {
      this.#refuse(view, reason, time, out);
      return;
    }
    for (const rival of rivals) if (rival.view.left === undefined) this.#leave(rival, 'duplicate-identity', time, out);
    this.#emptySinceUs = undefined;
    this.#everEntered = true;
    this.#put({ view, wants: intent.wants, entered: true, spokenFor: true, shown: true }, out);
    out.event({ type: 'entered', participant: view });
  }

  /** Why it may not enter; undefined: it may. */
  #refusal(intent: Intent, view: MemberView, rivals: readonly Member[]): LeaveReason | undefined {
    if (rivals.some((rival) => supersedes(rival.view, view))) return 'duplicate-identity';
    if (this.#excess(intent) !== undefined) return 'join-failure';
    // Who takes the place of an older session of its own needs no other.
    const replaces = rivals.some((rival) => rival.view.left === undefined);
    return this.#isFull(view) && !replaces ? 'room-full' : undefined;
  }

  /** Sessions of an identity, here or gone. */
  #rivalsOf(identity: Identity): Member[] {
    const sids = [...(this.#identities.get(identity) ?? [])];
    return sids.flatMap((sid) => this.#members.get(sid) ?? []).filter(({ entered }) => entered);
  }

  #refuse(view: MemberView, left: LeaveReason, { nowUs }: RoomTime, out: RoomSink): void {
    const refused: MemberView = { ...view, left };
    // An older session of a known identity was in the room as far as its successors are concerned; others never were.
    const entered = left === 'duplicate-identity';
    this.#put({ view: refused, wants: [], entered, spokenFor: true, shown: true }, out);
    this.#farewell(view.participant, nowUs, out);
    out.event({ type: 'refused', participant: refused });
  }

  #update(member: Member, intent: Intent, time: RoomTime, out: RoomSink): void {
    const { version, identity, joinedAtMs } = member.view;
    // Who it is never changes, whatever is said of it later.
    const within = this.#withinLimits(member.view, { ...intent, identity, joinedAtMs }, out);
    const changed = difference(member.view, within);
    if (changed === 'none') {
      this.#want(member, within.wants, out);
      return;
    }
    const view = viewOf(within, changed === 'version' ? nextVersion(version, joinedAtMs, time.unixMs) : version);
    this.#put({ ...member, view, wants: within.wants }, out);
  }

  #unspoken(participant: ParticipantId, why: 'removed' | 'silent', time: RoomTime, out: RoomSink): void {
    const member = this.#members.get(participant);
    if (member === undefined) return;
    const reason = why === 'removed' ? 'signal-close' : 'connection-timeout';
    if (member.view.left === undefined) this.#leave({ ...member, spokenFor: false }, reason, time, out);
    else this.#setSpokenFor(member, false);
  }

  #leave(member: Member, left: LeaveReason, time: RoomTime, out: RoomSink): void {
    const { version, joinedAtMs } = member.view;
    const speaking = { active: false, level: 0 };
    const view = { ...member.view, speaking, left, version: nextVersion(version, joinedAtMs, time.unixMs) };
    this.#put({ ...member, view, wants: [] }, out);
    if (this.#present === 0) this.#emptySinceUs = time.nowUs;
    this.#farewell(view.participant, time.nowUs, out);
    out.event({ type: 'left', participant: view });
  }

  #farewell(participant: ParticipantId, nowUs: TimeUs, out: RoomSink): void {
    this.#farewells.set(participant, nowUs);
    const [oldest] = this.#farewells.keys();
    if (this.#farewells.size > MAX_FAREWELLS && oldest !== undefined) this.#hide(oldest, out);
  }

  /** Its farewell is over. Who is still spoken for is remembered, so that it cannot enter once more. */
  #hide(sid: ParticipantId, out: RoomSink): void {
    this.#farewells.delete(sid);
    const member = this.#members.get(sid);
    if (member === undefined) return;
    if (member.spokenFor) this.#members.set(sid, { ...member, shown: false });
    else this.#forget(member.view);
    this.#forgotten.add(sid);
    this.#dirty.delete(sid);
    out.changed();
  }

  #setSpokenFor(member: Member, spokenFor: boolean): void {
    if (!spokenFor && !member.shown) this.#forget(member.view);
    else this.#members.set(member.view.participant, { ...member, spokenFor });
  }

  #show({ view }: Member): ParticipantView {
    return { ...view, wanted: view.left === undefined ? this.#wanting.of(view.tracks) : [] };
  }

  /** Nothing but what it wants of others is new of a member; they are shown anew where that makes a difference. */
  #want(member: Member, wants: Intent['wants'], out: RoomSink): void {
    this.#members.set(member.view.participant, { ...member, wants });
    this.#wantInstead(member.wants, wants, out);
  }

  #wantInstead(before: Intent['wants'], after: Intent['wants'], out: RoomSink): void {
    for (const track of this.#wanting.replace(before, after)) {
      const owner = this.#owners.get(track);
      if (owner === undefined) continue;
      this.#dirty.add(owner);
      out.changed();
    }
  }

  #own(before: MemberView | undefined, { participant, tracks }: MemberView): void {
    for (const { track } of before?.tracks ?? []) this.#disown(track, participant);
    for (const { track } of tracks) this.#owners.set(track, participant);
  }

  #disown(track: TrackId, participant: ParticipantId): void {
    if (this.#owners.get(track) === participant) this.#owners.delete(track);
  }

  #put(member: Member, out: RoomSink): void {
    const { participant, identity } = member.view;
    const before = this.#members.get(participant);
    this.#own(before?.view, member.view);
    this.#wantInstead(before?.wants ?? [], member.wants, out);
    this.#tally(before, -1);
    this.#members.set(participant, member);
    this.#tally(member, 1);
    const sids = this.#identities.get(identity) ?? new Set();
    this.#identities.set(identity, sids.add(participant));
    this.#dirty.add(participant);
    this.#forgotten.delete(participant);
    out.changed();
  }

  #tally(member: Member | undefined, by: 1 | -1): void {
    if (member === undefined || member.view.left !== undefined) return;
    this.#present += by;
    if (!counts(member.view)) return;
    this.#counted += by;
    if (member.view.tracks.length > 0) this.#publishers += by;
  }

  #forget({ participant, identity, tracks }: MemberView): void {
    this.#members.delete(participant);
    for (const { track } of tracks) this.#disown(track, participant);
    const sids = this.#identities.get(identity);
    sids?.delete(participant);
    if (sids?.size === 0) this.#identities.delete(identity);
  }

  #isFull(view: MemberView): boolean {
    const { maxParticipants } = this.#settings;
    return this.#present >= MAX_MEMBERS || (maxParticipants > 0 && counts(view) && this.#counted >= maxParticipants);
  }

  /** Which field of it is larger than the room allows. */
  #excess({ name, metadata, attributes }: Intent): LimitedField | undefined {
    const { maxNameCharacters, maxMetadataBytes, maxAttributesBytes } = this.#settings;
    if (name.length > maxNameCharacters) return 'name';
    if (Buffer.byteLength(metadata) > maxMetadataBytes) return 'metadata';
    const attributesBytes = Object.entries(attributes)
      .flat()
      .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return attributesBytes > maxAttributesBytes ? 'attributes' : undefined;
  }

  /** The intent, with what is too large left as it was. */
  #withinLimits(before: MemberView, intent: Intent, out: RoomSink): Intent {
    const field = this.#excess(intent);
    if (field === undefined) return intent;
    out.event({ type: 'limited', participant: before, field });
    return this.#withinLimits(before, { ...intent, [field]: before[field] }, out);
  }
}
