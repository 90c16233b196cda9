import {
  ParticipantInfo,
  ParticipantInfo_State,
  ParticipantPermission,
  ParticipantUpdate,
  Room,
  SimulcastCodecInfo,
  TrackInfo,
  VideoLayer,
  VideoLayer_Mode,
} from '@livekit/protocol';
import type { ParticipantView, Permissions, RoomInfo, TrackView } from '@sluice/contracts';
import {
  kindToProto,
  protoEncryption,
  protoLeaveReason,
  protoParticipantKind,
  protoQuality,
  protoSource,
} from './enums.ts';
import type { ServerMessage } from './wire.ts';

/** Rooms, participants and tracks as clients are told of them. */

export function roomMessage(info: RoomInfo): Room {
  return new Room({
    sid: info.room,
    name: info.roomName,
    emptyTimeout: info.emptyTimeoutS,
    departureTimeout: info.departureTimeoutS,
    maxParticipants: info.maxParticipants,
    creationTime: BigInt(Math.floor(info.createdAtMs / 1000)),
    creationTimeMs: BigInt(info.createdAtMs),
    metadata: info.metadata,
    numParticipants: info.numParticipants,
    numPublishers: info.numPublishers,
  });
}

/** Everyone in a room is told of the same views: each is translated once. Nobody changes what this gives. */
const translated = new WeakMap<ParticipantView, ParticipantInfo>();

export function participantMessage(view: ParticipantView): ParticipantInfo {
  const known = translated.get(view);
  if (known !== undefined) return known;
  const message = translate(view);
  translated.set(view, message);
  return message;
}

function translate(view: ParticipantView): ParticipantInfo {
  const gone = view.left !== undefined;
  return new ParticipantInfo({
    sid: view.participant,
    identity: view.identity,
    state: stateOf(view),
    // Those who go take their tracks with them.
    tracks: gone ? [] : view.tracks.map(trackMessage),
    metadata: view.metadata,
    joinedAt: BigInt(Math.floor(view.joinedAtMs / 1000)),
    joinedAtMs: BigInt(view.joinedAtMs),
    name: view.name,
    version: view.version,
    permission: permissionMessage(view),
    isPublisher: view.tracks.length > 0,
    kind: protoParticipantKind(view.kind),
    attributes: view.attributes,
    clientProtocol: view.clientProtocol,
    capabilities: view.capabilities,
    ...(view.left === undefined ? {} : { disconnectReason: protoLeaveReason(view.left) }),
  });
}

const updates = new WeakMap<ParticipantInfo, ServerMessage>();

/** Of one participant the same message each time, so that it is encoded once for the whole room. */
export function updateMessage(participants: readonly ParticipantInfo[]): ServerMessage {
  const [only, ...others] = participants;
  const known = only === undefined || others.length > 0 ? undefined : updates.get(only);
  if (known !== undefined) return known;
  const message = { case: 'update' as const, value: new ParticipantUpdate({ participants: [...participants] }) };
  if (only !== undefined && others.length === 0) updates.set(only, message);
  return message;
}

function stateOf(view: ParticipantView): ParticipantInfo_State {
  if (view.left !== undefined) return ParticipantInfo_State.DISCONNECTED;
  return view.active ? ParticipantInfo_State.ACTIVE : ParticipantInfo_State.JOINED;
}

function permissionMessage(view: { readonly permissions: Permissions; readonly kind: string }): ParticipantPermission {
  const { permissions } = view;
  return new ParticipantPermission({
    canSubscribe: permissions.canSubscribe,
    canPublish: permissions.canPublish,
    canPublishData: permissions.canPublishData,
    canPublishSources: permissions.canPublishSources.map(protoSource),
    hidden: permissions.hidden,
    recorder: permissions.recorder,
    canUpdateMetadata: permissions.canUpdateMetadata,
    agent: view.kind === 'agent',
  });
}

export function trackMessage(track: TrackView): TrackInfo {
  const layers = track.layers.map(
    (layer, index) =>
      new VideoLayer({
        quality: protoQuality(layer.quality),
        width: layer.widthPx,
        height: layer.heightPx,
        bitrate: layer.bitrateBps,
        rid: layer.rid,
        spatialLayer: index,
      }),
  );
  const videoLayerMode =
    track.kind === 'audio' ? VideoLayer_Mode.MODE_UNUSED : VideoLayer_Mode.ONE_SPATIAL_LAYER_PER_STREAM;
  return new TrackInfo({
    sid: track.track,
    type: kindToProto[track.kind],
    name: track.name,
    muted: track.muted,
    width: track.widthPx,
    height: track.heightPx,
    simulcast: track.simulcast,
    disableDtx: track.disableDtx,
    source: protoSource(track.source),
    layers,
    mimeType: track.mimeType,
    codecs: track.mimeType === '' ? [] : [new SimulcastCodecInfo({ mimeType: track.mimeType, layers, videoLayerMode })],
    stereo: track.stereo,
    disableRed: track.disableRed,
    encryption: protoEncryption(track.encryption),
    stream: track.stream,
    audioFeatures: track.audioFeatures,
  });
}
