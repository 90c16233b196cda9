import type { CodecSpec, HeaderExtensionKind } from '@sluice/contracts';

/** What a simulated client should send and receive. Setting it makes it so; what did not change goes on undisturbed. */
export interface PeerMedia {
  readonly headerExtensions: readonly { readonly kind: HeaderExtensionKind; readonly id: number }[];
  /** Transport-wide feedback was negotiated. */
  readonly transportCc: boolean;
  readonly video: readonly PeerCamera[];
  readonly audio: readonly PeerMicrophone[];
  readonly sinks: readonly PeerSink[];
}

/** A camera with its encoder (VP8). */
export interface PeerCamera {
  readonly mid: string;
  readonly payloadType: number;
  readonly rtxPayloadType?: number;
  readonly framesPerSecond: number;
  /** 1 to 3. */
  readonly temporalLayers: number;
  readonly muted: boolean;
  /** From the lowest; the first one's SSRC is the camera's name. */
  readonly encodings: readonly PeerEncoding[];
}

export interface PeerEncoding {
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  /** Empty: none. */
  readonly rid: string;
  readonly maxBitsPerSecond: number;
  /** With less it is not sent at all. */
  readonly minBitsPerSecond: number;
  readonly width: number;
  readonly height: number;
  readonly active: boolean;
}

/** A microphone with its encoder (Opus, 20 ms). */
export interface PeerMicrophone {
  readonly mid: string;
  readonly payloadType: number;
  /** Set: each packet carries the one before it as well (RFC 2198). */
  readonly redPayloadType?: number;
  readonly ssrc: number;
  readonly bitsPerSecond: number;
  /** In -dBov (RFC 6464): 0 is loudest, 127 silence. */
  readonly level: number;
  readonly muted: boolean;
}

/** A remote track. */
export interface PeerSink {
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  readonly kind: 'audio' | 'video';
  readonly mid: string;
  readonly codecs: readonly CodecSpec[];
  readonly nack: boolean;
  /** Nothing should come: its publisher is muted, or it is paused. */
  readonly idle: boolean;
}

/** What came of it, as a user would see it. Numbers grow from the start of each stream. */
export interface PeerMediaReport {
  readonly sent: readonly SentStreamReport[];
  readonly received: readonly ReceivedStreamReport[];
  /** 0: not measured. */
  readonly rttMs: number;
  /** Packets that no sink knew. */
  readonly unknownSource: number;
}

export interface SentStreamReport {
  readonly ssrc: number;
  readonly kind: 'audio' | 'video';
  readonly packets: number;
  readonly bytes: number;
  readonly resentPackets: number;
  /** Packets asked for. */
  readonly nacks: number;
  readonly frames: number;
  readonly keyFrames: number;
  readonly keyFramesAsked: number;
  /** What the encoding may use now; 0: it is not sent. */
  readonly targetBps: number;
  /** 0 to 1, as last reported by the other end. */
  readonly fractionLost: number;
}

export interface ReceivedStreamReport {
  readonly ssrc: number;
  readonly kind: 'audio' | 'video';
  /** Distinct packets. */
  readonly packets: number;
  readonly bytes: number;
  /** What the network took, repaired or not. */
  readonly lost: number;
  readonly recovered: number;
  readonly nacks: number;
  readonly keyFramesAsked: number;
  readonly jitterMs: number;
  /** Which simulated source it comes from: the SSRC of its first encoding at its publisher; 0 when it is none. */
  readonly source: number;
  /** Of video. */
  readonly frames?: VideoFramesReport;
  /** Of audio. */
  readonly audio?: AudioFramesReport;
  /** From sending to being complete (video) or there (audio), of simulated sources. */
  readonly delay: DelayReport;
}

export interface VideoFramesReport {
  readonly decoded: number;
  readonly dropped: number;
  readonly keyFrames: number;
  /** As browsers count them (webrtc-stats, freezeCount); one that lasts is counted as far as it goes. */
  readonly freezes: number;
  readonly frozenMs: number;
  readonly longestGapMs: number;
  /** Frames that came without what they refer to: a forwarder's defect, never the network's. */
  readonly brokenReferences: number;
  /** Frames that the source sent while this one watched. */
  readonly sent: number;
  readonly encoding: number;
  readonly encodingSwitches: number;
  /** When the first and the last frame were shown; absent before. */
  readonly firstUs?: number;
  readonly lastUs?: number;
}

export interface AudioFramesReport {
  readonly played: number;
  readonly concealed: number;
  /** Came after their time. */
  readonly late: number;
  /** Saved by RED or retransmission. */
  readonly redundant: number;
  readonly bufferMs: number;
  readonly firstUs?: number;
  readonly lastUs?: number;
}

export interface DelayReport {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}
