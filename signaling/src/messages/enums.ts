import {
  DisconnectReason,
  Encryption_Type,
  ParticipantInfo_Kind,
  ConnectionQuality as ProtoConnectionQuality,
  TrackSource as ProtoSource,
  TrackType,
  VideoQuality,
} from '@livekit/protocol';
import type {
  ConnectionQuality,
  LeaveReason,
  ParticipantView,
  TrackSource,
  TrackView,
  VideoLayer,
} from '@sluice/contracts';

/** The client protocol's numbers for our words, and back. */

export const kindToProto: Readonly<Record<TrackView['kind'], TrackType>> = {
  audio: TrackType.AUDIO,
  video: TrackType.VIDEO,
};

const sourceToProto: Readonly<Record<TrackSource, ProtoSource>> = {
  unknown: ProtoSource.UNKNOWN,
  camera: ProtoSource.CAMERA,
  microphone: ProtoSource.MICROPHONE,
  'screen-share': ProtoSource.SCREEN_SHARE,
  'screen-share-audio': ProtoSource.SCREEN_SHARE_AUDIO,
};
export const protoSource = (source: TrackSource): ProtoSource => sourceToProto[source];

export function sourceOf(source: ProtoSource): TrackSource {
  switch (source) {
    case ProtoSource.CAMERA:
      return 'camera';
    case ProtoSource.MICROPHONE:
      return 'microphone';
    case ProtoSource.SCREEN_SHARE:
      return 'screen-share';
    case ProtoSource.SCREEN_SHARE_AUDIO:
      return 'screen-share-audio';
    default:
      return 'unknown';
  }
}

const encryptionToProto: Readonly<Record<TrackView['encryption'], Encryption_Type>> = {
  none: Encryption_Type.NONE,
  gcm: Encryption_Type.GCM,
  custom: Encryption_Type.CUSTOM,
};
export const protoEncryption = (encryption: TrackView['encryption']): Encryption_Type => encryptionToProto[encryption];

export function encryptionOf(encryption: Encryption_Type): TrackView['encryption'] {
  if (encryption === Encryption_Type.GCM) return 'gcm';
  return encryption === Encryption_Type.CUSTOM ? 'custom' : 'none';
}

const qualityToProto: Readonly<Record<VideoLayer['quality'], VideoQuality>> = {
  low: VideoQuality.LOW,
  medium: VideoQuality.MEDIUM,
  high: VideoQuality.HIGH,
};
export const protoQuality = (quality: VideoLayer['quality']): VideoQuality => qualityToProto[quality];

/** Undefined for OFF and for numbers that mean nothing: such a layer is none. */
export function qualityOf(quality: VideoQuality): VideoLayer['quality'] | undefined {
  switch (quality) {
    case VideoQuality.LOW:
      return 'low';
    case VideoQuality.MEDIUM:
      return 'medium';
    case VideoQuality.HIGH:
      return 'high';
    default:
      return undefined;
  }
}

const participantKindToProto: Readonly<Record<ParticipantView['kind'], ParticipantInfo_Kind>> = {
  standard: ParticipantInfo_Kind.STANDARD,
  ingress: ParticipantInfo_Kind.INGRESS,
  egress: ParticipantInfo_Kind.EGRESS,
  sip: ParticipantInfo_Kind.SIP,
  agent: ParticipantInfo_Kind.AGENT,
  connector: ParticipantInfo_Kind.CONNECTOR,
  bridge: ParticipantInfo_Kind.BRIDGE,
};
export const protoParticipantKind = (kind: ParticipantView['kind']): ParticipantInfo_Kind =>
  participantKindToProto[kind];

const connectionQualityToProto: Readonly<Record<ConnectionQuality['quality'], ProtoConnectionQuality>> = {
  lost: ProtoConnectionQuality.LOST,
  poor: ProtoConnectionQuality.POOR,
  good: ProtoConnectionQuality.GOOD,
  excellent: ProtoConnectionQuality.EXCELLENT,
};
export const protoConnectionQuality = (quality: ConnectionQuality['quality']): ProtoConnectionQuality =>
  connectionQualityToProto[quality];

const leaveReasonToProto: Readonly<Record<LeaveReason, DisconnectReason>> = {
  'client-initiated': DisconnectReason.CLIENT_INITIATED,
  'duplicate-identity': DisconnectReason.DUPLICATE_IDENTITY,
  'server-shutdown': DisconnectReason.SERVER_SHUTDOWN,
  'participant-removed': DisconnectReason.PARTICIPANT_REMOVED,
  'room-deleted': DisconnectReason.ROOM_DELETED,
  'state-mismatch': DisconnectReason.STATE_MISMATCH,
  'join-failure': DisconnectReason.JOIN_FAILURE,
  'signal-close': DisconnectReason.SIGNAL_CLOSE,
  'room-closed': DisconnectReason.ROOM_CLOSED,
  'connection-timeout': DisconnectReason.CONNECTION_TIMEOUT,
  'media-failure': DisconnectReason.MEDIA_FAILURE,
  'room-full': DisconnectReason.JOIN_FAILURE,
};
export const protoLeaveReason = (reason: LeaveReason): DisconnectReason => leaveReasonToProto[reason];
