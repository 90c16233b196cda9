import {
  type ClientInfo,
  ClientInfo_SDK,
  JoinResponse,
  type ParticipantInfo,
  ReconnectResponse,
} from '@livekit/protocol';
import type { ParticipantView, RoomInfo } from '@sluice/contracts';
import { participantMessage, roomMessage } from './room-messages.ts';
import {
  CLAIMED_VERSION,
  clientConfiguration,
  enabledCodecs,
  PING_INTERVAL_S,
  PING_TIMEOUT_S,
  serverInfo,
} from './server-identity.ts';
import type { ServerMessage } from './wire.ts';

/** Which server this is, as clients are told. */
export interface ServerPlace {
  readonly site: string;
  /** Names this run of this process. */
  readonly writer: string;
}

export interface JoinFacts {
  readonly place: ServerPlace;
  readonly room: RoomInfo;
  readonly me: ParticipantView;
  readonly others: ParticipantInfo[];
  /** What the client said of itself. */
  readonly client: ClientInfo;
  /** The client waits for the connection that we offer. */
  readonly subscriberPrimary: boolean;
}

/**
 * The first message of a new session. There is no server-injected trailer: this server never puts frames of its own
 * into a track. There are no ICE servers: ours is reached directly.
 */
export function joinMessage({ place, room, me, others, client, subscriberPrimary }: JoinFacts): ServerMessage {
  return {
    case: 'join',
    value: new JoinResponse({
      room: roomMessage(room),
      participant: participantMessage(me),
      otherParticipants: others,
      serverVersion: CLAIMED_VERSION,
      serverRegion: place.site,
      serverInfo: serverInfo(place.site, place.writer),
      subscriberPrimary,
      clientConfiguration: clientConfiguration(),
      pingTimeout: PING_TIMEOUT_S,
      pingInterval: PING_INTERVAL_S,
      enabledPublishCodecs: enabledCodecs(),
      fastPublish: mayPublishAtOnce(me, client),
    }),
  };
}

/** SDKs made from LiveKit's Rust core. */
const rustSdks: ReadonlySet<ClientInfo_SDK> = new Set([
  ClientInfo_SDK.RUST,
  ClientInfo_SDK.NODE,
  ClientInfo_SDK.PYTHON,
  ClientInfo_SDK.CPP,
  ClientInfo_SDK.UNITY,
  ClientInfo_SDK.UNREAL,
  ClientInfo_SDK.DOTNET,
]);

/**
 * Whether the client should set up its publishing side before it has anything to publish. Rust clients then also offer
 * every change by itself instead of gathering 150 ms of them, and up to livekit-ffi 0.12.73 (rust-sdks #1252) one that
 * wants to offer again while it waits for an answer locks its transport against itself for good: of 12 full reconnects
 * of rtc-node 1.1.0, 2 hung; of 30 in which it gathered, none.
 */
function mayPublishAtOnce(
  { permissions: { canPublish, canPublishData } }: ParticipantView,
  { sdk }: ClientInfo,
): boolean {
  return (canPublish || canPublishData) && !rustSdks.has(sdk);
}

/** The first message on a new socket of an old session. `lastMessageSeq` may lag, and never runs ahead. */
export function reconnectMessage(place: ServerPlace, lastMessageSeq: number): ServerMessage {
  return {
    case: 'reconnect',
    value: new ReconnectResponse({
      clientConfiguration: clientConfiguration(),
      serverInfo: serverInfo(place.site, place.writer),
      lastMessageSeq,
    }),
  };
}
