import {
  type AddTrackRequest,
  RequestResponse,
  type RequestResponse_Reason,
  SubscribedCodec,
  SubscribedQuality,
  SubscribedQualityUpdate,
  type SubscriptionError,
  SubscriptionPermissionUpdate,
  SubscriptionResponse,
  TrackPublishedResponse,
  TrackSubscribed,
  TrackUnpublishedResponse,
  VideoQuality,
} from '@livekit/protocol';
import type { TrackId } from '@sluice/contracts';
import type { AnnouncedTrack, Refusal } from '../messages/add-track.ts';
import { trackMessage } from '../messages/room-messages.ts';
import type { ClientMessage, ServerMessage } from '../messages/wire.ts';
import type { LayerOrder } from './dynacast.ts';
import type { PermissionChange } from './subscribing.ts';

/** Answers to single requests of a client. */

export const trackPublished = ({ cid, view }: AnnouncedTrack): ServerMessage => ({
  case: 'trackPublished',
  value: new TrackPublishedResponse({ cid, track: trackMessage(view) }),
});

export const trackUnpublished = (track: TrackId): ServerMessage => ({
  case: 'trackUnpublished',
  value: new TrackUnpublishedResponse({ trackSid: track }),
});

export const trackSubscribed = (track: TrackId): ServerMessage => ({
  case: 'trackSubscribed',
  value: new TrackSubscribed({ trackSid: track }),
});

/** Every quality is listed, with those that are worth sending enabled; older clients read the list without codecs. */
export function layersWanted({ track, mimeType, upTo }: LayerOrder): ServerMessage {
  const enabled = { off: 0, low: 1, medium: 2, high: 3 }[upTo];
  const qualities = [VideoQuality.LOW, VideoQuality.MEDIUM, VideoQuality.HIGH].map(
    (quality, i) => new SubscribedQuality({ quality, enabled: i < enabled }),
  );
  const codec = mimeType.toLowerCase().replace(/^video\//, '');
  return {
    case: 'subscribedQualityUpdate',
    value: new SubscribedQualityUpdate({
      trackSid: track,
      subscribedQualities: qualities,
      subscribedCodecs: [new SubscribedCodec({ codec, qualities })],
    }),
  };
}

export const subscriptionFailed = (track: TrackId, err: SubscriptionError): ServerMessage => ({
  case: 'subscriptionResponse',
  value: new SubscriptionResponse({ trackSid: track, err }),
});

export const permissionChanged = ({ participant, track, allowed }: PermissionChange): ServerMessage => ({
  case: 'subscriptionPermissionUpdate',
  value: new SubscriptionPermissionUpdate({ participantSid: participant, trackSid: track, allowed }),
});

export const metadataUpdated = (requestId: number, reason: RequestResponse_Reason, message: string): ServerMessage => ({
  case: 'requestResponse',
  value: new RequestResponse({ requestId, reason, message }),
});

export const addTrackRefused = (request: AddTrackRequest, refusal: Refusal): ServerMessage =>
  requestRefused({ case: 'addTrack', value: request }, refusal);

/** Refuses a request. Its number or its echo tells the client which one, where the protocol has room for it. */
export function requestRefused(request: ClientMessage, { reason, message }: Refusal): ServerMessage {
  return {
    case: 'requestResponse',
    value: new RequestResponse({ requestId: requestIdOf(request), reason, message, request: echoOf(request) }),
  };
}

function requestIdOf(request: ClientMessage): number {
  switch (request.case) {
    case 'updateMetadata':
    case 'storeDataBlobRequest':
    case 'getDataBlobRequest':
      return request.value.requestId;
    default:
      return 0;
  }
}

function echoOf(request: ClientMessage): RequestResponse['request'] {
  switch (request.case) {
    case 'trickle':
    case 'addTrack':
    case 'mute':
    case 'updateAudioTrack':
    case 'updateVideoTrack':
      return request;
    case 'publishDataTrackRequest':
      return { case: 'publishDataTrack', value: request.value };
    case 'unpublishDataTrackRequest':
      return { case: 'unpublishDataTrack', value: request.value };
    default:
      return { case: undefined };
  }
}
