import { type AddTrackRequest, RequestResponse_Reason } from '@livekit/protocol';
import {
  makeTrackId,
  type Permissions,
  type RandomBytes,
  type TrackId,
  type TrackView,
  type VideoLayer,
  videoQualities,
} from '@sluice/contracts';
import { type AnnouncedTrack, announcedTrack, type Refusal, readAddTrack } from '../messages/add-track.ts';
import type { PendingTrack, PublishedTrack } from '../negotiation/index.ts';

export type Announced =
  | { readonly ok: true; readonly track: AnnouncedTrack }
  | { readonly ok: false; readonly refusal: Refusal };

export type Changed = 'changed' | 'same' | 'unknown';

/** What an answer of ours settled. */
export interface Settled {
  readonly published: readonly PublishedTrack[];
  readonly unpublished: readonly TrackId[];
  readonly unpublishable: readonly TrackId[];
}

interface Pending {
  readonly announced: AnnouncedTrack;
  readonly sinceUs: number;
}

/** An announcement whose offer has not come by now never will: clients give a publication 10 s. */
const PENDING_FOR_US = 60_000_000;

/** What one participant publishes: tracks announced by `add_track`, and tracks that stand in its SDP. */
export class Publishing {
  readonly #random: RandomBytes;
  readonly #maxTracks: number;
  #pending: Pending[] = [];
  readonly #published = new Map<TrackId, TrackView>();

  constructor(random: RandomBytes, maxTracks: number) {
    this.#random = random;
    this.#maxTracks = maxTracks;
  }

  /** Tracks that others may know of. */
  get tracks(): TrackView[] {
    return [...this.#published.values()];
  }

  /** Gives an announced track its id. The same announcement again gets the same answer. */
  announce(request: AddTrackRequest, permissions: Permissions, nowUs: number): Announced {
    const read = readAddTrack(request, permissions);
    if (!read.ok) return read;
    this.#pending = this.#pending.filter(({ sinceUs }) => nowUs - sinceUs < PENDING_FOR_US);
    const known = this.#pending.find(({ announced }) => announced.cid === request.cid);
    if (known !== undefined) return { ok: true, track: known.announced };
    if (this.#pending.length + this.#published.size >= this.#maxTracks) {
      const message = `a participant may publish ${this.#maxTracks} tracks`;
      return { ok: false, refusal: { reason: RequestResponse_Reason.LIMIT_EXCEEDED, message } };
    }
    const announced = announcedTrack(request, read, makeTrackId(read.kind, read.source, this.#random));
    this.#pending.push({ announced, sinceUs: nowUs });
    return { ok: true, track: announced };
  }

  /** Announced and in no SDP yet, oldest first. */
  get pending(): PendingTrack[] {
    return this.#pending.map(({ announced: { view, cids } }) => ({
      track: view.track,
      kind: view.kind,
      cids,
      codec: view.mimeType,
      stereo: view.stereo,
      disableDtx: view.disableDtx,
    }));
  }

  /** Takes over what an answer settled; the announcements that no codec could serve come back. */
  settle({ published, unpublished, unpublishable }: Settled): AnnouncedTrack[] {
    for (const track of unpublished) this.#published.delete(track);
    for (const track of published) {
      const pending = this.#pending.find(({ announced }) => announced.view.track === track.track);
      if (pending !== undefined) this.#published.set(track.track, settledView(pending.announced.view, track));
    }
    const refused = this.#pending.filter(({ announced }) => unpublishable.includes(announced.view.track));
    const done = new Set([...published.map(({ track }) => track), ...unpublishable]);
    this.#pending = this.#pending.filter(({ announced }) => !done.has(announced.view.track));
    return refused.map(({ announced }) => announced);
  }

  mute(track: string, muted: boolean): Changed {
    return this.#change(track, (view) => (view.muted === muted ? view : { ...view, muted }));
  }

  setAudioFeatures(track: string, features: readonly number[]): Changed {
    const audioFeatures = [...features].slice(0, 16);
    return this.#change(track, (view) => ({ ...view, audioFeatures }));
  }

  setDimensions(track: string, widthPx: number, heightPx: number): Changed {
    return this.#change(track, (view) =>
      view.widthPx === widthPx && view.heightPx === heightPx ? view : { ...view, widthPx, heightPx },
    );
  }

  /** Published, or announced and on its way. */
  knows(track: string): boolean {
    return (
      this.#published.has(track as TrackId) || this.#pending.some(({ announced }) => announced.view.track === track)
    );
  }

  /** Tracks that stand against the permissions; announced ones are forgotten at once. */
  forbidden(permissions: Permissions): TrackId[] {
    const allowed = ({ source }: TrackView): boolean =>
      permissions.canPublish &&
      (permissions.canPublishSources.length === 0 || permissions.canPublishSources.includes(source));
    this.#pending = this.#pending.filter(({ announced }) => allowed(announced.view));
    return this.tracks.filter((view) => !allowed(view)).map(({ track }) => track);
  }

  remove(track: TrackId): void {
    this.#published.delete(track);
  }

  #change(id: string, change: (view: TrackView) => TrackView): Changed {
    const track = id as TrackId;
    const view = this.#published.get(track);
    if (view !== undefined) {
      const changed = change(view);
      this.#published.set(track, changed);
      return changed === view ? 'same' : 'changed';
    }
    const at = this.#pending.findIndex(({ announced }) => announced.view.track === track);
    const pending = this.#pending[at];
    if (pending === undefined) return 'unknown';
    this.#pending[at] = { ...pending, announced: { ...pending.announced, view: change(pending.announced.view) } };
    return 'same';
  }
}

/** What was announced, corrected by what the SDP says. */
function settledView(view: TrackView, { mimeType, rids }: PublishedTrack): TrackView {
  return { ...view, mimeType, layers: settledLayers(view.layers, rids), simulcast: rids.length > 1 };
}

/**
 * Each layer with the RID that carries it. Clients that name none announce as many layers as they send; the lowest goes
 * with the first RID.
 */
function settledLayers(layers: readonly VideoLayer[], rids: readonly string[]): VideoLayer[] {
  if (rids.length === 0) return [...layers];
  if (layers.some(({ rid }) => rid !== '')) return layers.filter(({ rid }) => rids.includes(rid));
  const ascending = [...layers].sort((a, b) => videoQualities.indexOf(a.quality) - videoQualities.indexOf(b.quality));
  const ordered = lowestFirst(rids);
  return ascending.slice(0, ordered.length).map((layer, i) => ({ ...layer, rid: ordered[i] ?? '' }));
}

/** SDKs call their streams `q`, `h` and `f`, and browsers do not agree on the order in which they offer them. */
const sdkRids = ['q', 'h', 'f'];

const lowestFirst = (rids: readonly string[]): readonly string[] =>
  rids.every((rid) => sdkRids.includes(rid)) ? sdkRids.filter((rid) => rids.includes(rid)) : rids;
