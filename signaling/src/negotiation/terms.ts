import type {
  DataSpec,
  Fingerprint,
  ParticipantId,
  RandomBytes,
  SessionSpec,
  TrackId,
  TrackWish,
} from '@sluice/contracts';

/** What of a `SessionSpec` a negotiation decides. The session's owner adds ids and permissions. */
export type NegotiatedSpec = Pick<
  SessionSpec,
  | 'localCredentials'
  | 'remoteCredentials'
  | 'dtlsRole'
  | 'remoteFingerprints'
  | 'headerExtensions'
  | 'incoming'
  | 'outgoing'
> & {
  /** Absent while there is no data section. */
  readonly data?: NegotiatedData;
};

/** `DataSpec` but for who may say what to whom. */
export type NegotiatedData = Omit<DataSpec, 'hidden' | 'publish' | 'receive'>;

export type MediaKind = 'audio' | 'video';

/** How the site is reached: what stands in every description of ours. */
export interface SiteTransport {
  /** Literal IP addresses, best first; each becomes a host candidate. */
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  /** Of the site's certificate. Another hash name than before makes libwebrtc clients start DTLS anew. */
  readonly fingerprint: Fingerprint;
}

export interface NegotiationOptions {
  readonly random: RandomBytes;
  /** Most media sections a peer connection may have; a description with more is refused, more tracks wait. */
  readonly maxSections: number;
  /** Our DTLS role when the client leaves it to us (`actpass`). */
  readonly preferredDtlsRole: SessionSpec['dtlsRole'];
  /**
   * Where we offer: whether a section that one track has left may take another. `never` is for Safari, with which
   * LiveKit's own server does not do so either.
   */
  readonly reuseSections: 'when-free' | 'never';
}

/** A track that the client has announced (`add_track`) and that has no section yet. */
export interface PendingTrack {
  readonly track: TrackId;
  readonly kind: MediaKind;
  /** The client's own ids of it, primary first: `AddTrackRequest.cid`, then those of its simulcast codecs. */
  readonly cids: readonly string[];
  /** The codec it asks to send, as it wrote it (`vp9`, `video/VP9`); empty: whatever its section lists first. */
  readonly codec: string;
  readonly stereo: boolean;
  readonly disableDtx: boolean;
}

/** A track that the client should receive. */
export interface WantedTrack {
  readonly track: TrackId;
  /** Whose it is: with the track's id it makes the msid that SDKs split. */
  readonly participant: ParticipantId;
  readonly kind: MediaKind;
  /** As in `TrackView.mimeType`. */
  readonly mimeType: string;
  readonly stereo: boolean;
  readonly paused: boolean;
  /** Of video: what the client has a use for. */
  readonly wish?: TrackWish;
}

/** An announced track has found its section. */
export interface PublishedTrack {
  readonly track: TrackId;
  readonly kind: MediaKind;
  readonly mid: string;
  /** Settled: what the client sends, as `video/VP8`. */
  readonly mimeType: string;
  /** RIDs that the client offered and we accepted, in its order; empty: one stream. */
  readonly rids: readonly string[];
}

/** Where the wanted tracks stand. The same for both kinds of peer connection. */
export interface Placement {
  /** Tracks no longer wanted are out of it already; new ones come in when client and we have agreed. */
  readonly spec: NegotiatedSpec;
  /** A description must be exchanged before sections say what is wanted: we offer, or ask the client to. */
  readonly renegotiate: boolean;
  /** Sections that the client must add first (`media_sections_requirement`); always 0 where we offer. */
  readonly missing: Readonly<Record<MediaKind, number>>;
  /** Wanted tracks whose codec this client has not. */
  readonly unsupported: readonly TrackId[];
}

/** What we answer to a client's offer. */
export interface Answer extends Placement {
  readonly ok: true;
  readonly sdp: string;
  /** Which of the wanted tracks stands in which section: `SessionDescription.mid_to_track_id`. */
  readonly midToTrackId: Readonly<Record<string, TrackId>>;
  /** Pending tracks that now have a section, in section order. */
  readonly published: readonly PublishedTrack[];
  /** Tracks whose section no longer sends: the only way a client unpublishes. */
  readonly unpublished: readonly TrackId[];
  /** Pending tracks whose section has no codec that we carry. They keep no section; forget them. */
  readonly unpublishable: readonly TrackId[];
}

/** What we offer to a client. */
export interface Offer extends Placement {
  readonly sdp: string;
  readonly midToTrackId: Readonly<Record<string, TrackId>>;
}

/** A client's answer was taken. `renegotiate`: something changed while it was under way. */
export interface Agreed extends Placement {
  readonly ok: true;
}
