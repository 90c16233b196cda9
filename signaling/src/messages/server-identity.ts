import { ClientConfiguration, Codec, ServerInfo, ServerInfo_Edition } from '@livekit/protocol';
import { carriedMimeTypes } from '../negotiation/index.ts';

/**
 * The server version that SDKs see. They parse it as semantic version and switch features by it: RPC from 1.8.0,
 * SVC with simulcast above 1.13.6. Raised only with a test for what it switches on.
 */
export const CLAIMED_VERSION = '1.13.5';
/** The newest signaling protocol that is spoken here. */
export const SIGNALING_PROTOCOL = 17;
const AGENT_PROTOCOL = 1;
const PRODUCT = 'sluice/0.1.0';

/** SDKs use these as they come; zero would stop their liveness checks and abort some of them. */
export const PING_INTERVAL_S = 5;
export const PING_TIMEOUT_S = 15;

export function serverInfo(region: string, nodeId: string): ServerInfo {
  return new ServerInfo({
    edition: ServerInfo_Edition.Standard,
    version: CLAIMED_VERSION,
    protocol: SIGNALING_PROTOCOL,
    region,
    nodeId,
    debugInfo: PRODUCT,
    agentProtocol: AGENT_PROTOCOL,
  });
}

/** SDKs take the first that they have: VP8, H.264, other video, then audio. */
const codecOrder = ['video/VP8', 'video/H264', 'video/VP9', 'video/AV1', 'audio/opus'];

/** Codecs that publishers may use. */
export const enabledCodecs = (): Codec[] =>
  codecOrder.filter((mime) => carriedMimeTypes.includes(mime)).map((mime) => new Codec({ mime }));

/** Nothing is switched off for any device. */
export const clientConfiguration = (): ClientConfiguration => new ClientConfiguration();
