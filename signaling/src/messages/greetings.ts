import { JoinResponse, type ParticipantInfo, ReconnectResponse } from '@livekit/protocol';
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
  /** The client waits for the connection that we offer. */
  readonly subscriberPrimary: boolean;
}

/**
 * The first message of a new session. There is no server-injected trailer: this server never puts frames of its own
 * into a track. There are no ICE servers: ours is reached directly.
 */
export function joinMessage({ place, room, me, others, subscriberPrimary }: JoinFacts): ServerMessage {
  const { canPublish, canPublishData } = me.permissions;
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
      fastPublish: canPublish || canPublishData,
    }),
  };
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
