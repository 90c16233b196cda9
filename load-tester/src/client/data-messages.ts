import { DataChannelReceiveState, DataPacket, DataPacket_Kind, UserPacket } from '@livekit/protocol';
import type { PeerChannel, PeerEvent } from '@sluice/packet-path';
import type { PeerPort } from './ports.ts';

export type Reliability = 'reliable' | 'lossy';

/** A message of someone else's. */
export interface ReceivedData {
  readonly identity: string;
  readonly participant: string;
  readonly payload: Uint8Array;
  readonly topic: string;
  readonly how: Reliability;
}

const labels = { reliable: '_reliable', lossy: '_lossy' } as const;

/** The channels that a client opens on the connection by which it sends. */
export const clientChannels: readonly PeerChannel[] = [
  { label: labels.lossy, protocol: '', ordered: false, maxRetransmits: 0 },
  { label: labels.reliable, protocol: '', ordered: true },
  { label: '_data_track', protocol: '', ordered: false, maxRetransmits: 0 },
];

/** Reliable messages that may wait for their channel or for a resume; SDKs keep some megabytes. */
const MOST_KEPT = 4_096;

interface Kept {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/**
 * A client's data messages by the rules of the SDKs: reliable ones are numbered, kept, and sent again after a resume
 * from where the server got to; what comes with a number that was there before is dropped.
 */
export class DataMessages {
  readonly #streams: Record<Reliability, number | undefined> = { reliable: undefined, lossy: undefined };
  #peer: PeerPort | undefined;
  #sequence = 0;
  /** Sent or to be sent, oldest first. */
  #kept: Kept[] = [];
  /** Of `#kept`, how many were handed to the channel. */
  #handed = 0;
  readonly #lastOf = new Map<string, number>();
  /** Repeated by a resume, or out of order. */
  duplicates = 0;
  /** Lossy ones that had no channel, reliable ones that were too many. */
  dropped = 0;

  /** The connection by which this client sends has changed. */
  attach(peer: PeerPort | undefined): void {
    this.#peer = peer;
    this.#streams.reliable = undefined;
    this.#streams.lossy = undefined;
    this.#handed = 0;
  }

  /** A new session: nothing of the old one counts. */
  restart(): void {
    this.#sequence = 0;
    this.#kept = [];
    this.#handed = 0;
    this.#lastOf.clear();
  }

  get open(): boolean {
    return this.#streams.reliable !== undefined && this.#streams.lossy !== undefined;
  }

  /** Reliable messages that the channel has not taken yet. */
  get waiting(): number {
    return this.#kept.length - this.#handed;
  }

  opened({ label, streamId }: PeerEvent & { type: 'channel-opened' }): void {
    if (label === labels.reliable) this.#streams.reliable = streamId;
    if (label === labels.lossy) this.#streams.lossy = streamId;
    this.flush();
  }

  send(payload: Uint8Array, how: Reliability, destinations: readonly string[], topic: string): void {
    const sequence = how === 'reliable' ? ++this.#sequence : 0;
    const bytes = new DataPacket({
      kind: how === 'reliable' ? DataPacket_Kind.RELIABLE : DataPacket_Kind.LOSSY,
      destinationIdentities: [...destinations],
      sequence,
      value: { case: 'user', value: new UserPacket({ payload, topic }) },
    }).toBinary();
    if (how === 'lossy') {
      const stream = this.#streams.lossy;
      if (stream === undefined || this.#peer?.send(stream, 'binary', bytes) !== 'ok') this.dropped++;
      return;
    }
    if (this.#kept.length >= MOST_KEPT) {
      if (this.#handed === 0) {
        this.dropped++;
        return;
      }
      this.#kept.shift();
      this.#handed--;
    }
    this.#kept.push({ sequence, bytes });
    this.flush();
  }

  /** Hands the channel as much as it takes. */
  flush(): void {
    const stream = this.#streams.reliable;
    if (stream === undefined || this.#peer === undefined) return;
    for (let next = this.#kept[this.#handed]; next !== undefined; next = this.#kept[this.#handed]) {
      if (this.#peer.send(stream, 'binary', next.bytes) !== 'ok') return;
      this.#handed++;
    }
  }

  /** The server has everything up to `last`; the rest is sent again. */
  resumeFrom(last: number): void {
    this.#kept = this.#kept.filter(({ sequence }) => sequence > last);
    this.#handed = 0;
    this.flush();
  }

  /** What came on a channel; undefined when it says nothing new. */
  received(bytes: Uint8Array): ReceivedData | undefined {
    const packet = DataPacket.fromBinary(bytes);
    const { participantSid, participantIdentity, sequence } = packet;
    if (packet.value.case !== 'user') return undefined;
    if (sequence > 0) {
      if (sequence <= (this.#lastOf.get(participantSid) ?? 0)) {
        this.duplicates++;
        return undefined;
      }
      this.#lastOf.set(participantSid, sequence);
    }
    const { payload, topic = '' } = packet.value.value;
    const how = packet.kind === DataPacket_Kind.RELIABLE ? 'reliable' : 'lossy';
    return { identity: participantIdentity, participant: participantSid, payload, topic, how };
  }

  receiveStates(): DataChannelReceiveState[] {
    return [...this.#lastOf].map(([publisherSid, lastSeq]) => new DataChannelReceiveState({ publisherSid, lastSeq }));
  }
}
