import { ParticipantInfo, ParticipantInfo_State, SpeakerInfo } from '@livekit/protocol';
import type { Identity, ParticipantId, ParticipantView } from '@sluice/contracts';
import { protoLeaveReason } from '../messages/enums.ts';
import { participantMessage } from '../messages/room-messages.ts';

/** Updates for a client, in the order in which they must reach it: those who went strictly before those who came. */
export interface RosterChange {
  readonly gone: readonly ParticipantInfo[];
  readonly here: readonly ParticipantInfo[];
}

interface Told {
  readonly participant: ParticipantId;
  readonly joinedAtMs: number;
  readonly version: number;
}

/** So many of those who left are remembered for a client that comes back and may have missed it. */
const MOST_GONE = 1024;

/**
 * What one client has been told of its room. SDKs know participants by identity, and a goodbye that comes late removes
 * the identity's newer participant: so an older sid of an identity is never mentioned again once a newer one was, and
 * nobody is told of its own predecessor.
 */
export class Roster {
  readonly #me: { readonly participant: ParticipantId; readonly identity: Identity };
  readonly #told = new Map<Identity, Told>();
  readonly #gone = new Map<Identity, ParticipantInfo>();
  readonly #speaking = new Map<ParticipantId, number>();

  constructor(me: { readonly participant: ParticipantId; readonly identity: Identity }) {
    this.#me = me;
  }

  /** The others, for a client that joins. */
  others(views: Iterable<ParticipantView>): ParticipantInfo[] {
    return this.changed([...views]).here.filter(({ identity }) => identity !== this.#me.identity);
  }

  /** What to tell of those that changed. */
  changed(views: readonly ParticipantView[]): RosterChange {
    const gone: ParticipantInfo[] = [];
    const here = new Map<Identity, ParticipantInfo>();
    const concerned = views.filter((view) => view.identity !== this.#me.identity || this.#isMe(view));
    const leaving = (view: ParticipantView): boolean =>
      view.left !== undefined || (view.permissions.hidden && !this.#isMe(view));
    for (const view of concerned.filter(leaving)) this.#leave(view, gone);
    for (const view of concerned.filter((view) => !leaving(view))) this.#arrive(view, gone, here);
    return { gone, here: [...here.values()] };
  }

  /** Everything once more, for a client that comes back: it may have missed anything. */
  all(views: Iterable<ParticipantView>): RosterChange {
    this.#told.clear();
    const { here } = this.changed([...views]);
    return { gone: [...this.#gone.values()], here };
  }

  /** Who speaks that did not, who no longer does, who is louder; `hears` tells whom this client listens to. */
  speakersChanged(views: readonly ParticipantView[], hears: (participant: ParticipantId) => boolean): SpeakerInfo[] {
    const changes: SpeakerInfo[] = [];
    for (const { participant, speaking, left } of views) {
      const before = this.#speaking.get(participant) ?? 0;
      const audible =
        left === undefined && speaking.active && (participant === this.#me.participant || hears(participant));
      const now = audible ? Math.max(1, Math.round(speaking.level * LOUDNESS_STEPS)) : 0;
      if (now === before) continue;
      if (now === 0) this.#speaking.delete(participant);
      else this.#speaking.set(participant, now);
      changes.push(new SpeakerInfo({ sid: participant, level: now / LOUDNESS_STEPS, active: now > 0 }));
    }
    return changes;
  }

  #leave(view: ParticipantView, gone: ParticipantInfo[]): void {
    if (this.#told.get(view.identity)?.participant !== view.participant) return;
    const info = participantMessage(view.left === undefined ? { ...view, left: 'client-initiated' } : view);
    this.#told.delete(view.identity);
    this.#speaking.delete(view.participant);
    this.#remember(view.identity, info);
    gone.push(info);
  }

  #arrive(view: ParticipantView, gone: ParticipantInfo[], here: Map<Identity, ParticipantInfo>): void {
    const told = this.#told.get(view.identity);
    if (told !== undefined && told.participant !== view.participant) {
      if (isOlder(view, told)) return;
      // Unless the older one would only have been told of now.
      if (!here.has(view.identity)) gone.push(replacedMessage(view.identity, told));
    } else if (told !== undefined && view.version <= told.version) {
      return;
    }
    const { participant, joinedAtMs, version } = view;
    this.#told.set(view.identity, { participant, joinedAtMs, version });
    this.#gone.delete(view.identity);
    here.set(view.identity, participantMessage(view));
  }

  #remember(identity: Identity, info: ParticipantInfo): void {
    this.#gone.delete(identity);
    this.#gone.set(identity, info);
    for (const oldest of this.#gone.keys()) {
      if (this.#gone.size <= MOST_GONE) break;
      this.#gone.delete(oldest);
    }
  }

  #isMe(view: ParticipantView): boolean {
    return view.participant === this.#me.participant;
  }
}

/** Loudness is told in eighths, as the stock server does: finer steps would be noise to everyone in the room. */
const LOUDNESS_STEPS = 8;

/** Of two holders of an identity, the later to join counts; the larger sid on a tie. */
const isOlder = (
  a: { joinedAtMs: number; participant: string },
  b: { joinedAtMs: number; participant: string },
): boolean => a.joinedAtMs < b.joinedAtMs || (a.joinedAtMs === b.joinedAtMs && a.participant < b.participant);

/** The goodbye of a participant whose successor is already here. */
function replacedMessage(identity: Identity, { participant, joinedAtMs, version }: Told): ParticipantInfo {
  return new ParticipantInfo({
    sid: participant,
    identity,
    state: ParticipantInfo_State.DISCONNECTED,
    joinedAt: BigInt(Math.floor(joinedAtMs / 1000)),
    joinedAtMs: BigInt(joinedAtMs),
    version,
    disconnectReason: protoLeaveReason('duplicate-identity'),
  });
}
