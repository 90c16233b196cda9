import { StreamState, StreamStateInfo } from '@livekit/protocol';
import type { ParticipantId, SessionId, TrackId } from '@sluice/contracts';

/** Which tracks nodes hold back for lack of bandwidth, and what the client was told of it. */
export class StreamStates {
  readonly #heldBack = new Map<SessionId, readonly TrackId[]>();
  readonly #told = new Map<TrackId, ParticipantId>();

  /** What a node says of one peer connection. */
  see(session: SessionId, heldBack: readonly TrackId[]): void {
    if (heldBack.length > 0) this.#heldBack.set(session, heldBack);
    else this.#heldBack.delete(session);
  }

  /** What the client is to be told. `ownerOf`: whose a track is; undefined: the client does not receive it. */
  take(ownerOf: (track: TrackId) => ParticipantId | undefined): StreamStateInfo[] {
    const infos: StreamStateInfo[] = [];
    const tell = (track: TrackId, participantSid: ParticipantId, state: StreamState): void =>
      void infos.push(new StreamStateInfo({ participantSid, trackSid: track, state }));
    const heldBack = new Set([...this.#heldBack.values()].flat());
    for (const [track, owner] of this.#told) {
      if (heldBack.has(track) && ownerOf(track) !== undefined) continue;
      this.#told.delete(track);
      if (ownerOf(track) !== undefined) tell(track, owner, StreamState.ACTIVE);
    }
    for (const track of heldBack) {
      const owner = ownerOf(track);
      if (owner === undefined || this.#told.has(track)) continue;
      this.#told.set(track, owner);
      tell(track, owner, StreamState.PAUSED);
    }
    return infos;
  }
}
