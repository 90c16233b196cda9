import { type ParticipantInfo, ParticipantInfo_State, type TrackInfo, TrackType } from '@livekit/protocol';

/** A track that someone else publishes, as the server tells it. */
export interface RemoteTrack {
  readonly track: string;
  readonly kind: 'audio' | 'video';
  readonly muted: boolean;
  readonly participant: string;
  readonly identity: string;
}

/**
 * The others in the room, by the rules of the SDKs: known by identity, a goodbye removes whoever has that identity, and
 * what is older than what is known is passed over.
 */
export class Roster {
  readonly #byIdentity = new Map<string, ParticipantInfo>();

  get identities(): string[] {
    return [...this.#byIdentity.keys()];
  }

  /** What an update says of others; `me` is passed over. */
  update(participants: readonly ParticipantInfo[], me: { readonly sid: string; readonly identity: string }): void {
    for (const info of participants) {
      if (info.sid === me.sid || info.identity === me.identity) continue;
      const known = this.#byIdentity.get(info.identity);
      if (info.state === ParticipantInfo_State.DISCONNECTED) this.#byIdentity.delete(info.identity);
      else if (known?.sid !== info.sid || known.version <= info.version) this.#byIdentity.set(info.identity, info);
    }
  }

  clear(): void {
    this.#byIdentity.clear();
  }

  participant(identity: string): ParticipantInfo | undefined {
    return this.#byIdentity.get(identity);
  }

  tracks(): RemoteTrack[] {
    return [...this.#byIdentity.values()].flatMap((info) => info.tracks.map((track) => remoteTrack(info, track)));
  }

  find(track: string): RemoteTrack | undefined {
    for (const info of this.#byIdentity.values()) {
      const found = info.tracks.find(({ sid }) => sid === track);
      if (found !== undefined) return remoteTrack(info, found);
    }
    return undefined;
  }
}

const remoteTrack = ({ sid, identity }: ParticipantInfo, track: TrackInfo): RemoteTrack => ({
  track: track.sid,
  kind: track.type === TrackType.AUDIO ? 'audio' : 'video',
  muted: track.muted,
  participant: sid,
  identity,
});
