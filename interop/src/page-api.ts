/** What the bare test page can do; `page/call.ts` implements it with the unmodified livekit-client. */
export interface InteropPage {
  join(options: JoinOptions): Promise<JoinedRoom>;
  publishCamera(options: CameraOptions): Promise<string>;
  publishMicrophone(): Promise<string>;
  unpublish(sid: string): Promise<void>;
  setMuted(sid: string, muted: boolean): Promise<void>;
  /** What arrives from the others, by now. */
  received(): Promise<ReceivedTrack[]>;
  /** What is sent, by now. */
  sent(): Promise<SentTrack[]>;
  participants(): ParticipantView[];
  /** Room and engine events since the join, in order, for the message of a failed test. */
  events(): string[];
  connectionState(): string;
  sendData(options: SendDataOptions): Promise<void>;
  /** Data messages so far, in order of arrival. */
  dataReceived(): DataMessageView[];
  maxMessageBytes(): number | undefined;
  /** The server's ICE username fragments of this client's sessions. */
  serverFragments(): string[];
  sendText(text: string, topic: string): Promise<void>;
  textsReceived(): TextView[];
  setMetadata(change: { metadata?: string; name?: string; attributes?: Record<string, string> }): Promise<void>;
  setSubscribed(trackSid: string, subscribed: boolean): void;
  setEnabled(trackSid: string, enabled: boolean): void;
  /** Asks for another quality. Resolves to the milliseconds until frames of that height are decoded. */
  setQuality(trackSid: string, quality: Quality, heightPx: number): Promise<number>;
  simulate(scenario: string): Promise<void>;
  leave(): Promise<void>;
}

export interface JoinOptions {
  readonly url: string;
  readonly token: string;
  /** `dual`: two peer connections on /rtc; `single`: one on /rtc/v1. */
  readonly mode: 'dual' | 'single';
  readonly autoSubscribe?: boolean;
  readonly adaptiveStream?: boolean;
  /** Sends only layers that someone has a use for. */
  readonly dynacast?: boolean;
}

export interface JoinedRoom {
  readonly room: string;
  readonly roomSid: string;
  readonly sid: string;
  readonly joinMs: number;
}

export interface CameraOptions {
  readonly codec: 'vp8' | 'h264' | 'vp9' | 'av1';
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
  readonly simulcast: boolean;
}

export type Quality = 'low' | 'medium' | 'high';

export interface ReceivedTrack {
  readonly identity: string;
  readonly trackSid: string;
  readonly kind: 'audio' | 'video';
  readonly source: string;
  readonly codec: string;
  readonly framesDecoded: number;
  readonly keyFramesDecoded: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly audioEnergy: number;
  readonly samplesReceived: number;
  readonly concealedSamples: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly nacks: number;
  readonly plis: number;
}

export interface SentTrack {
  readonly trackSid: string;
  readonly kind: 'audio' | 'video';
  readonly codec: string;
  readonly framesEncoded: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly packetsSent: number;
  readonly retransmittedPackets: number;
  readonly roundTripMs: number | undefined;
}

export interface ParticipantView {
  readonly identity: string;
  readonly sid: string;
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly speaking: boolean;
  readonly tracks: readonly { sid: string; source: string; muted: boolean; subscribed: boolean }[];
}

export interface SendDataOptions {
  readonly bytes: number;
  /** First byte(s) of the message carry this number, so that order and loss are seen. */
  readonly number: number;
  readonly reliable: boolean;
  readonly topic?: string;
  readonly to?: readonly string[];
}

export interface DataMessageView {
  readonly from: string;
  readonly topic: string;
  readonly number: number;
  readonly bytes: number;
  /** Whether every byte is the one that was sent. */
  readonly intact: boolean;
}

export interface TextView {
  readonly from: string;
  readonly topic: string;
  readonly text: string;
}
