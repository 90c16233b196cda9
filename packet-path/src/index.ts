export { PacketPathError, type PacketPathErrorCode, packetPathErrors } from './errors.ts';
export type { AddressText, CloseReason, PacketPathEvent } from './events.ts';
export { ManualPacketPath, type ManualPacketPathOptions } from './manual-packet-path.ts';
export {
  ManualPeer,
  type ManualPeerOptions,
  type PeerChannel,
  type PeerEndReason,
  type PeerEvent,
  type PeerTransport,
  type SendResult,
} from './manual-peer.ts';
export type { PeerStatus, SwarmKindTotals, SwarmThreadReport, SwarmTotals } from './native.ts';
export type { BindAddress, Identity, Tuning, Version } from './options.ts';
export { generateIdentity, PacketPath, type PacketPathOptions } from './packet-path.ts';
export type {
  AudioFramesReport,
  DelayReport,
  PeerCamera,
  PeerEncoding,
  PeerMedia,
  PeerMediaReport,
  PeerMicrophone,
  PeerSink,
  ReceivedStreamReport,
  SentStreamReport,
  VideoFramesReport,
} from './peer-media.ts';
export {
  type NetworkConditions,
  PeerSwarm,
  type PeerSwarmOptions,
  type SwarmPeer,
  type SwarmPeerOptions,
} from './peer-swarm.ts';
export type {
  DataSnapshot,
  IncomingStreamSnapshot,
  IoSnapshot,
  LayerSnapshot,
  OutgoingStreamSnapshot,
  PathSnapshot,
  SendSnapshot,
  SessionSnapshot,
  ShardSnapshot,
} from './snapshot.ts';
