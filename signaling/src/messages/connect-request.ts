import { gunzipSync } from 'node:zlib';
import {
  type AddTrackRequest,
  ClientInfo,
  ClientInfo_SDK,
  JoinRequest,
  type SessionDescription,
  type SyncState,
  WrappedJoinRequest,
  WrappedJoinRequest_Compression,
} from '@livekit/protocol';
import { ParticipantId } from '@sluice/contracts';

/** How a client wants to be connected: what its URL says, in either of the two forms. */
export interface ConnectRequest {
  /** `dual`: two peer connections, we offer one of them. `single`: one, and only the client offers. */
  readonly mode: 'dual' | 'single';
  readonly client: ClientInfo;
  readonly autoSubscribe: boolean;
  readonly adaptiveStream: boolean;
  readonly allowPause: boolean;
  /** Not empty: it publishes beside itself, under `identity#publishAs`, and receives nothing. */
  readonly publishAs: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Tracks and an offer that came with the join. */
  readonly addTracks: readonly AddTrackRequest[];
  readonly offer: SessionDescription | undefined;
  /** It was here before, as this participant, and wants to go on. */
  readonly resume: ResumeRequest | undefined;
}

export interface ResumeRequest {
  readonly participant: ParticipantId;
  readonly reason: number;
  readonly syncState: SyncState | undefined;
}

export type ParsedConnectRequest =
  | { readonly ok: true; readonly request: ConnectRequest }
  | {
      readonly ok: false;
      readonly reason: 'no-join-request' | 'bad-join-request' | 'bad-participant' | 'bad-attributes';
    };

/** What a join_request may be once decompressed; the stock server allows the same. */
export const LARGEST_JOIN_REQUEST_BYTES = 1024 * 1024;
/** Tracks that a participant may ever have. */
const MOST_TRACKS = 256;

/**
 * Reads the query of a connect URL. Which form it is depends on `join_request` alone, not on the path: one SDK sends
 * it to the older path. `joinRequestNeeded` is for the newer path, which has no other form.
 */
export function parseConnectRequest(query: URLSearchParams, joinRequestNeeded: boolean): ParsedConnectRequest {
  const wrapped = query.get('join_request');
  if (wrapped !== null && wrapped !== '') return fromJoinRequest(wrapped, query);
  return joinRequestNeeded ? { ok: false, reason: 'no-join-request' } : fromParameters(query);
}

function fromJoinRequest(wrapped: string, query: URLSearchParams): ParsedConnectRequest {
  const join = unwrap(wrapped);
  if (join === undefined || join.addTrackRequests.length > MOST_TRACKS)
    return { ok: false, reason: 'bad-join-request' };
  const resume = resumeRequest(join.reconnect, join.participantSid, join.reconnectReason, join.syncState);
  if (resume === 'bad') return { ok: false, reason: 'bad-participant' };
  const settings = join.connectionSettings;
  return {
    ok: true,
    request: {
      mode: 'single',
      client: join.clientInfo ?? new ClientInfo(),
      autoSubscribe: settings?.autoSubscribe ?? true,
      adaptiveStream: settings?.adaptiveStream ?? false,
      allowPause: settings?.subscriberAllowPause ?? true,
      publishAs: query.get('publish') ?? '',
      metadata: join.metadata,
      attributes: join.participantAttributes,
      addTracks: join.addTrackRequests,
      offer: join.publisherOffer,
      resume,
    },
  };
}

function fromParameters(query: URLSearchParams): ParsedConnectRequest {
  const resume = resumeRequest(
    flag(query, 'reconnect', false),
    query.get('sid') ?? '',
    number(query, 'reconnect_reason'),
    undefined,
  );
  if (resume === 'bad') return { ok: false, reason: 'bad-participant' };
  const attributes = attributesOf(query.get('attributes') ?? '');
  if (attributes === undefined) return { ok: false, reason: 'bad-attributes' };
  return {
    ok: true,
    request: {
      mode: 'dual',
      client: clientInfo(query),
      autoSubscribe: flag(query, 'auto_subscribe', true),
      adaptiveStream: flag(query, 'adaptive_stream', false),
      allowPause: flag(query, 'subscriber_allow_pause', true),
      publishAs: query.get('publish') ?? '',
      metadata: '',
      attributes,
      addTracks: [],
      offer: undefined,
      resume,
    },
  };
}

function resumeRequest(
  reconnect: boolean,
  sid: string,
  reason: number,
  syncState: SyncState | undefined,
): ResumeRequest | undefined | 'bad' {
  // Without a sid there is nothing to resume: clients then mean a join.
  if (!reconnect || sid === '') return undefined;
  const participant = ParticipantId.safeParse(sid);
  return participant.success ? { participant: participant.data, reason, syncState } : 'bad';
}

function unwrap(text: string): JoinRequest | undefined {
  try {
    const encoded = fromBase64(text);
    if (encoded === undefined) return undefined;
    const wrapped = WrappedJoinRequest.fromBinary(encoded, { readUnknownFields: false });
    const bytes =
      wrapped.compression === WrappedJoinRequest_Compression.GZIP
        ? gunzipSync(wrapped.joinRequest, { maxOutputLength: LARGEST_JOIN_REQUEST_BYTES })
        : wrapped.joinRequest;
    if (bytes.length > LARGEST_JOIN_REQUEST_BYTES) return undefined;
    return JoinRequest.fromBinary(bytes, { readUnknownFields: false });
  } catch {
    return undefined;
  }
}

/**
 * Either alphabet, with or without padding; a `+` that was not escaped arrives as a space. Whatever else stands there
 * gives nothing: Node would pass over it.
 */
function fromBase64(text: string): Uint8Array | undefined {
  const base64 = text.replaceAll(' ', '+');
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}

function attributesOf(encoded: string): Record<string, string> | undefined {
  if (encoded === '') return {};
  try {
    const bytes = fromBase64(encoded);
    if (bytes === undefined) return undefined;
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const entries = Object.entries(parsed);
    return entries.every(([, value]) => typeof value === 'string') ? Object.fromEntries(entries) : undefined;
  } catch {
    return undefined;
  }
}

const sdkNames: Readonly<Record<string, ClientInfo_SDK>> = {
  js: ClientInfo_SDK.JS,
  swift: ClientInfo_SDK.SWIFT,
  ios: ClientInfo_SDK.SWIFT,
  android: ClientInfo_SDK.ANDROID,
  flutter: ClientInfo_SDK.FLUTTER,
  go: ClientInfo_SDK.GO,
  unity: ClientInfo_SDK.UNITY,
  reactnative: ClientInfo_SDK.REACT_NATIVE,
  rust: ClientInfo_SDK.RUST,
  python: ClientInfo_SDK.PYTHON,
  cpp: ClientInfo_SDK.CPP,
  unityweb: ClientInfo_SDK.UNITY_WEB,
  node: ClientInfo_SDK.NODE,
  unreal: ClientInfo_SDK.UNREAL,
  esp32: ClientInfo_SDK.ESP32,
  dotnet: ClientInfo_SDK.DOTNET,
};

function clientInfo(query: URLSearchParams): ClientInfo {
  const text = (name: string): string => (query.get(name) ?? '').slice(0, 256);
  const sdk = text('sdk').toLowerCase();
  return new ClientInfo({
    sdk: Object.hasOwn(sdkNames, sdk) ? (sdkNames[sdk] ?? ClientInfo_SDK.UNKNOWN) : ClientInfo_SDK.UNKNOWN,
    version: text('version'),
    protocol: number(query, 'protocol'),
    os: text('os'),
    osVersion: text('os_version'),
    deviceModel: text('device_model'),
    browser: text('browser'),
    browserVersion: text('browser_version'),
    network: text('network'),
    clientProtocol: number(query, 'client_protocol'),
    capabilities: capabilities(text('capabilities')),
  });
}

const capabilityNumbers: Readonly<Record<string, number>> = {
  CAP_PACKET_TRAILER: 1,
  PACKET_TRAILER: 1,
  CAP_COMPRESSION_DEFLATE_RAW: 2,
  COMPRESSION_DEFLATE_RAW: 2,
  DEFLATE_RAW: 2,
};

/** Names or numbers, with commas between; what nobody knows is left out. */
function capabilities(list: string): number[] {
  const numbers = list
    .split(',')
    .map((name) => name.trim().toUpperCase())
    .map((name) => (Object.hasOwn(capabilityNumbers, name) ? capabilityNumbers[name] : Number.parseInt(name, 10)));
  return numbers.filter((value): value is number => value !== undefined && Number.isInteger(value) && value > 0);
}

function flag(query: URLSearchParams, name: string, absent: boolean): boolean {
  const text = query.get(name);
  return text === null || text === '' ? absent : text === '1' || text.toLowerCase() === 'true';
}

function number(query: URLSearchParams, name: string): number {
  const value = Number(query.get(name) ?? '0');
  return Number.isInteger(value) && value >= 0 && value < 2 ** 31 ? value : 0;
}
