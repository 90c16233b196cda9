import { Pong, RequestResponse_Reason } from '@livekit/protocol';
import type { ClientMessage, ServerMessage } from '../messages/wire.ts';
import type { Ending, Participation } from './participation.ts';
import { requestRefused } from './requests.ts';
import { type Simulated, simulated } from './simulation.ts';
import type { TransportTurn } from './transports.ts';

/** What a message of a client means for its session, beside what the participation did with it. */
export type MessageOutcome =
  | { readonly type: 'done' }
  /** It cannot go on. */
  | { readonly type: 'end'; readonly ending: Ending }
  /** The client says goodbye. */
  | { readonly type: 'left' }
  | { readonly type: 'simulate'; readonly what: Simulated }
  | { readonly type: 'refused'; readonly why: 'unknown' | 'unsupported' };

export interface MessageTurn extends TransportTurn {
  readonly unixMs: number;
}

const done: MessageOutcome = { type: 'done' };

/** Does what a client that has entered its room asks for: one case for each message of the protocol. */
export function takeMessage(message: ClientMessage, participation: Participation, turn: MessageTurn): MessageOutcome {
  switch (message.case) {
    case 'offer':
      return endIf(participation.takeOffer(message.value, turn));
    case 'answer':
      return endIf(participation.takeAnswer(message.value, turn));
    case 'syncState':
      return endIf(participation.takeSyncState(message.value, turn));
    case 'addTrack':
      participation.addTrack(message.value, turn);
      return done;
    case 'subscription':
      participation.updateSubscription(message.value, turn);
      return done;
    case 'trackSetting':
      participation.updateTrackSettings(message.value, turn);
      return done;
    case 'subscriptionPermission':
      participation.permitSubscriptions(message.value, turn);
      return done;
    case 'updateMetadata':
      participation.updateMetadata(message.value, turn);
      return done;
    case 'mute':
    case 'updateAudioTrack':
    case 'updateVideoTrack':
      changeTrack(message, participation, turn);
      return done;
    case 'ping':
    case 'pingReq':
      turn.out.send(pong(message, turn.unixMs));
      return done;
    case 'leave':
      return { type: 'left' };
    case 'simulate':
      return { type: 'simulate', what: simulated(message.value) };
    case 'trickle':
    case 'updateLayers':
      // Where a client sends from is seen, not told; layers are read from its SDP.
      return done;
    case 'publishDataTrackRequest':
    case 'unpublishDataTrackRequest':
    case 'updateDataSubscription':
    case 'storeDataBlobRequest':
    case 'getDataBlobRequest':
      turn.out.send(requestRefused(message, notSupported));
      return { type: 'refused', why: 'unsupported' };
    case undefined:
      return { type: 'refused', why: 'unknown' };
  }
}

const notSupported = { reason: RequestResponse_Reason.UNSUPPORTED_TYPE, message: 'not supported by this server' };

type TrackChange = Extract<ClientMessage, { case: 'mute' | 'updateAudioTrack' | 'updateVideoTrack' }>;

function changeTrack(message: TrackChange, participation: Participation, turn: TransportTurn): void {
  switch (message.case) {
    case 'mute': {
      const { sid, muted } = message.value;
      participation.changeTrack(sid, message, (tracks) => tracks.mute(sid, muted), turn);
      break;
    }
    case 'updateAudioTrack': {
      const { trackSid, features } = message.value;
      participation.changeTrack(trackSid, message, (tracks) => tracks.setAudioFeatures(trackSid, features), turn);
      break;
    }
    case 'updateVideoTrack': {
      const { trackSid, width, height } = message.value;
      participation.changeTrack(trackSid, message, (tracks) => tracks.setDimensions(trackSid, width, height), turn);
      break;
    }
  }
}

/** SDKs send one form or both; each is answered in kind. */
function pong(message: Extract<ClientMessage, { case: 'ping' | 'pingReq' }>, unixMs: number): ServerMessage {
  if (message.case === 'ping') return { case: 'pong', value: BigInt(unixMs) };
  return {
    case: 'pongResp',
    value: new Pong({ lastPingTimestamp: message.value.timestamp, timestamp: BigInt(unixMs) }),
  };
}

const endIf = (ending: Ending | undefined): MessageOutcome => (ending === undefined ? done : { type: 'end', ending });
