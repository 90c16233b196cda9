export type { ClientReport, TrackReceived, TrackSent } from './client/client-report.ts';
export type { Mode } from './client/connect-url.ts';
export type { ReceivedData, Reliability } from './client/data-messages.ts';
export { PeerConnection } from './client/peer-connection.ts';
export type {
  PeerPort,
  PeerWish,
  RoomClientPorts,
  SignalClosure,
  SignalLink,
  SignalListener,
  SignalTarget,
} from './client/ports.ts';
export type { Publishing, PublishingAudio, PublishingVideo } from './client/publication.ts';
export { Publication } from './client/publication.ts';
export { type ClientState, RoomClient, type RoomClientListener, type RoomClientOptions } from './client/room-client.ts';
export type { RemoteTrack } from './client/roster.ts';
export { impairable, type LoadPlan, qualities } from './load/plan.ts';
export { bitrate, chosen, count, milliseconds, number, perMinute, share, size } from './load/quantities.ts';
export type { LoadReport } from './load/report.ts';
export { type LoadDeps, type LoadProgress, runLoad } from './load/run.ts';
export { swarmPeers } from './load/swarm-peers.ts';
export { table } from './load/table.ts';
export { missed, type Thresholds } from './load/thresholds.ts';
export { accessToken } from './load/token.ts';
export { webSocketDialer } from './load/web-socket.ts';
