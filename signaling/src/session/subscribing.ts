import { SubscriptionError } from '@livekit/protocol';
import {
  type Identity,
  MAX_WANTS,
  type ParticipantId,
  type ParticipantView,
  type TrackId,
  type TrackView,
  type TrackWant,
} from '@sluice/contracts';
import type { WantedTrack } from '../negotiation/index.ts';
import { defaultSettings, sameSettings, type TrackSettings, usefulQuality, wishOf } from './track-settings.ts';

/** Who is subscribing. */
export interface Subscriber {
  readonly participant: ParticipantId;
  readonly identity: Identity;
}

/** A publisher let this subscriber have a track, or takes it away. */
export interface PermissionChange {
  readonly participant: ParticipantId;
  readonly track: TrackId;
  readonly allowed: boolean;
}

export interface UnmetWish {
  readonly track: TrackId;
  readonly error: SubscriptionError;
}

export interface SubscribingOptions {
  readonly autoSubscribe: boolean;
  readonly permitted: boolean;
  readonly maxWishes: number;
  /** The client says at which size it shows each video; until it has, the lowest quality is enough. */
  readonly adaptiveStream: boolean;
  /** Video may be held back when the client's network does not carry it. */
  readonly mayPause: boolean;
}

/** Clients may ask for a track before it is published; this long they are not told that there is none. */
const WISH_FOR_US = 60_000_000;

interface Available {
  readonly owner: ParticipantId;
  readonly view: TrackView;
  readonly allowed: boolean;
}

const noTracks: ReadonlySet<TrackId> = new Set();

/**
 * Which tracks of the room one participant should receive: everything or nothing by default, its own wishes as
 * exceptions, what the publishers permit as the limit.
 */
export class Subscribing {
  readonly #me: Subscriber;
  readonly #autoSubscribe: boolean;
  readonly #maxWishes: number;
  /** May it subscribe at all? */
  #permitted: boolean;
  /** Tracks of others, in the order in which they were published. */
  readonly #available = new Map<TrackId, Available>();
  readonly #tracksOf = new Map<ParticipantId, Set<TrackId>>();
  /** Exceptions to the default. */
  readonly #wishes = new Map<TrackId, boolean>();
  /** Wished for and not there yet, since when; oldest first. */
  readonly #unmet = new Map<TrackId, number>();
  readonly #settings = new Map<TrackId, TrackSettings>();
  readonly #unset: TrackSettings;
  readonly #mayPause: boolean;
  /** Tracks that their publishers keep from this subscriber, and those of them that the client knows of. */
  readonly #denied = new Map<TrackId, ParticipantId>();
  readonly #toldDenied = new Map<TrackId, ParticipantId>();
  #changed = false;

  constructor(me: Subscriber, options: SubscribingOptions) {
    this.#me = me;
    this.#autoSubscribe = options.autoSubscribe;
    this.#permitted = options.permitted;
    this.#maxWishes = options.maxWishes;
    this.#unset = defaultSettings(options.adaptiveStream ? 'low' : 'high');
    this.#mayPause = options.mayPause;
  }

  /** True once after something changed in what is wanted. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  permit(permitted: boolean): void {
    if (this.#permitted !== permitted) this.#changed = true;
    this.#permitted = permitted;
  }

  /** Takes over what the room says of another participant. */
  participantChanged(view: ParticipantView): void {
    const owner = view.participant;
    const now = view.left === undefined && !view.permissions.hidden ? view.tracks : [];
    const after = new Set(now.map(({ track }) => track));
    for (const track of this.tracksOf(owner)) if (!after.has(track)) this.#forget(track);
    for (const track of now) {
      const allowed = this.#allowedBy(view, track.track);
      const known = this.#available.get(track.track);
      if (known === undefined || known.allowed !== allowed || !sameStream(known.view, track)) this.#changed = true;
      this.#available.set(track.track, { owner, view: track, allowed });
      this.#unmet.delete(track.track);
      if (allowed) this.#denied.delete(track.track);
      else this.#denied.set(track.track, owner);
    }
    if (after.size > 0) this.#tracksOf.set(owner, after);
    else this.#tracksOf.delete(owner);
  }

  knows(track: TrackId): boolean {
    return this.#available.has(track);
  }

  tracksOf(owner: ParticipantId): ReadonlySet<TrackId> {
    return this.#tracksOf.get(owner) ?? noTracks;
  }

  /** What publishers took away or gave back since the client was last told; clients take everything as allowed. */
  takePermissionChanges(): PermissionChange[] {
    const changes: PermissionChange[] = [];
    for (const [track, participant] of this.#toldDenied) {
      if (this.#denied.has(track)) continue;
      this.#toldDenied.delete(track);
      if (this.#available.has(track)) changes.push({ participant, track, allowed: true });
    }
    for (const [track, participant] of this.#denied) {
      if (this.#toldDenied.has(track)) continue;
      this.#toldDenied.set(track, participant);
      changes.push({ participant, track, allowed: false });
    }
    return changes;
  }

  /** False when the client has more wishes than are kept. */
  wish(track: TrackId, subscribe: boolean, nowUs: number): boolean {
    if (!this.#wishes.has(track) && this.#wishes.size >= this.#maxWishes) return false;
    this.#wishes.set(track, subscribe);
    this.#unmet.delete(track);
    if (subscribe && !this.#available.has(track)) this.#unmet.set(track, nowUs);
    this.#changed = true;
    return true;
  }

  /** A client that comes back says all its exceptions, and what it does not show; the rest of its settings stands. */
  restart(): void {
    this.#wishes.clear();
    this.#unmet.clear();
    for (const [track, settings] of this.#settings) this.#settings.set(track, { ...settings, disabled: false });
    this.#changed = true;
  }

  /** How the client shows a track. Packets of one that it does not show are held back; the track keeps its section. */
  set(track: TrackId, settings: TrackSettings): void {
    const before = this.#settings.get(track);
    if (before === undefined && this.#settings.size >= this.#maxWishes) return;
    if (before === undefined || !sameSettings(before, settings)) this.#changed = true;
    this.#settings.set(track, settings);
  }

  /** The client does not show it; whatever else it said of it stands. */
  disable(track: TrackId): void {
    this.set(track, { ...this.#settingsOf(track), disabled: true });
  }

  /** What it has a use for, of the tracks that it receives. */
  wants(received: ReadonlySet<TrackId>): TrackWant[] {
    const wants: TrackWant[] = [];
    for (const track of received) {
      const view = this.#available.get(track)?.view;
      if (view === undefined || wants.length >= MAX_WANTS) continue;
      const settings = this.#settingsOf(track);
      const useful = view.kind === 'audio' ? 'high' : usefulQuality(view, settings);
      wants.push({ track, quality: settings.disabled ? 'off' : useful });
    }
    return wants;
  }

  ownerOf(track: TrackId): ParticipantId | undefined {
    return this.#available.get(track)?.owner;
  }

  /** The whole list, in the order in which the tracks were published. */
  wanted(): WantedTrack[] {
    if (!this.#permitted) return [];
    const wanted: WantedTrack[] = [];
    for (const [track, { owner, view, allowed }] of this.#available) {
      if (!allowed || !(this.#wishes.get(track) ?? this.#autoSubscribe)) continue;
      const { kind, mimeType, stereo } = view;
      const settings = this.#settingsOf(track);
      const wish = kind === 'video' ? { wish: wishOf(view, settings, this.#mayPause) } : {};
      wanted.push({ track, participant: owner, kind, mimeType, stereo, paused: settings.disabled, ...wish });
    }
    return wanted;
  }

  /** Wishes that no track came for in time; each is told once and kept. */
  unmetWishes(nowUs: number): UnmetWish[] {
    const unmet: UnmetWish[] = [];
    for (const [track, sinceUs] of this.#unmet) {
      if (nowUs - sinceUs < WISH_FOR_US) break;
      this.#unmet.delete(track);
      unmet.push({ track, error: SubscriptionError.SE_TRACK_NOTFOUND });
    }
    return unmet;
  }

  /** When the next wish should be looked at again. */
  nextWishUs(): number | undefined {
    for (const sinceUs of this.#unmet.values()) return sinceUs + WISH_FOR_US;
    return undefined;
  }

  #settingsOf(track: TrackId): TrackSettings {
    return this.#settings.get(track) ?? this.#unset;
  }

  #forget(track: TrackId): void {
    this.#available.delete(track);
    // Track ids are never used again.
    this.#wishes.delete(track);
    this.#settings.delete(track);
    this.#denied.delete(track);
    this.#changed = true;
  }

  #allowedBy({ subscriptionPermission }: ParticipantView, track: TrackId): boolean {
    if (subscriptionPermission.allParticipants) return true;
    return subscriptionPermission.trackPermissions.some(
      (permission) =>
        (permission.participant === this.#me.participant || permission.identity === this.#me.identity) &&
        (permission.allTracks || permission.tracks.includes(track)),
    );
  }
}

/** Nothing changed that a subscriber's SDP or spec says. */
const sameStream = (a: TrackView, b: TrackView): boolean =>
  a.kind === b.kind && a.mimeType === b.mimeType && a.stereo === b.stereo && sameLayers(a.layers, b.layers);

const sameLayers = (a: TrackView['layers'], b: TrackView['layers']): boolean =>
  a.length === b.length &&
  a.every((layer, i) => {
    const other = b[i];
    return layer.quality === other?.quality && layer.widthPx === other.widthPx && layer.heightPx === other.heightPx;
  });
