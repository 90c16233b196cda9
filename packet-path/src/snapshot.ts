import type { CodecSpec, IncomingTrackSpec, SessionId, sessionStates, TrackId } from '@sluice/contracts';
import type { AddressText } from './events.ts';

/** One RTP stream of an incoming track (an encoding, when the track is simulcast). */
export interface IncomingStreamSnapshot {
  readonly track: TrackId;
  readonly kind: IncomingTrackSpec['kind'];
  readonly mid: string;
  readonly rid: string;
  readonly ssrc: number;
  readonly codec: CodecSpec['codec'];
  readonly payloadType: number;
  /** Distinct packets, recovered ones included. */
  readonly packets: number;
  /** Of RTP payload. */
  readonly bytes: number;
  /** Cumulative (RFC 3550 §6.4.1); negative when duplicates outnumber losses. */
  readonly lost: number;
  /** Came by retransmission. */
  readonly recovered: number;
  readonly duplicates: number;
  readonly jitterMs: number;
  /** Sequence numbers asked for. */
  readonly nacks: number;
  /** Key frames asked for. */
  readonly plis: number;
  readonly keyFrames: number;
  /** Linear, 0 to 1. */
  readonly audioLevel: number;
  readonly audioActive: boolean;
  readonly lastPacketAtUs: number;
}

/** Both count from the lowest. */
export interface LayerSnapshot {
  readonly spatial: number;
  readonly temporal: number;
}

/** One outgoing stream: a subscription of the session's client. */
export interface OutgoingStreamSnapshot {
  readonly track: TrackId;
  readonly kind: IncomingTrackSpec['kind'];
  readonly mid: string;
  readonly ssrc: number;
  readonly codec: CodecSpec['codec'];
  readonly paused: boolean;
  /** Paused because the client's network does not carry it. */
  readonly heldBack: boolean;
  /** false: waits for a key frame, for packets, or is paused. */
  readonly flowing: boolean;
  /** The layer that flows; undefined when none does. */
  readonly layer?: LayerSnapshot;
  /** The layer that is aimed at: wished for, carried by the network, and there. */
  readonly target: LayerSnapshot;
  /** Forwarded in order; of audio: packets. */
  readonly frames: number;
  readonly keyFrames: number;
  readonly layerSwitches: number;
  /** Without retransmissions. */
  readonly packets: number;
  readonly bytes: number;
  readonly resentPackets: number;
  readonly resentBytes: number;
  readonly nacks: number;
  readonly plis: number;
  /** 0 to 1, of the client's last report; so are `lost` and `jitterMs`. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly jitterMs: number;
}

export interface DataSnapshot {
  readonly messagesIn: number;
  readonly bytesIn: number;
  readonly messagesOut: number;
  readonly bytesOut: number;
  /** Accepted for sending, not yet acknowledged. */
  readonly bufferedBytes: number;
  readonly openChannels: number;
  /** Highest reliable sequence received from the client; 0 before any. */
  readonly lastReliableSequence: number;
}

/** What is known of the way to a client that gives transport-wide feedback. */
export interface SendSnapshot {
  /** How fast we may send, by delay and loss. */
  readonly targetBps: number;
  /** How much arrives; 0 until known. */
  readonly ackedBps: number;
  /** 0 to 1, over the last seconds. */
  readonly loss: number;
  /** The share of it that does not come from sending too much. */
  readonly inherentLoss: number;
  /** What packets wait at the bottleneck. */
  readonly queueMs: number;
  readonly bytesInFlight: number;
}

/** Numbers of one session. Times are on the monotonic clock that `process.hrtime` reads. */
export interface SessionSnapshot {
  readonly session: SessionId;
  readonly state: (typeof sessionStates)[number];
  readonly remote: AddressText;
  readonly landedAtUs: number;
  /** 0 until connected. */
  readonly connectedAtUs: number;
  /** Smoothed; 0 until measured. */
  readonly rttMs: number;
  readonly datagramsIn: number;
  readonly bytesIn: number;
  readonly datagramsOut: number;
  readonly bytesOut: number;
  /** Undefined before the first subscription, and without transport-wide feedback. */
  readonly send?: SendSnapshot;
  readonly incoming: readonly IncomingStreamSnapshot[];
  readonly outgoing: readonly OutgoingStreamSnapshot[];
  readonly data: DataSnapshot;
}

/** What one shard's sockets and queues did; all zero in the manual packet path. */
export interface IoSnapshot {
  readonly datagramsReceived: number;
  readonly bytesReceived: number;
  readonly receiveCalls: number;
  readonly datagramsSent: number;
  readonly bytesSent: number;
  readonly sendCalls: number;
  /** Bursts that the kernel would not take whole. */
  readonly burstsSplit: number;
  readonly rounds: number;
  readonly sleeps: number;
  /** CPU time of the shard's thread, user and kernel. */
  readonly cpuUs: number;
  readonly drops: Readonly<Record<string, number>>;
}

/** One shard since its start. The names in `counters` and `drops` are metric labels. */
export interface ShardSnapshot {
  readonly shard: number;
  readonly sessions: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly drops: Readonly<Record<string, number>>;
  readonly io: IoSnapshot;
}

export interface PathSnapshot {
  readonly shards: readonly ShardSnapshot[];
}
