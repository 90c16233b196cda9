import { createHash, X509Certificate } from 'node:crypto';
import { Fingerprint, type IceCredentials, SessionSpec } from '@sluice/contracts';
import type { Identity } from '@sluice/packet-path';
import type { Endpoint, LoadClient, Video } from './load-addon.ts';

/** 1.5 Mbit/s of video at 30 frames a second in packets of 1200 bytes: 5.2 a frame. */
export const framePackets = [5, 5, 5, 5, 6] as const;
export const packetBytes = 1_200;
export const framesPerSecond = 30;

const midExtension = 1;
const transportCcExtension = 3;
const video: Video = { ssrc: 1, payloadType: 96, midExtension, transportCcExtension, packetBytes, framePackets };
const codec = { payloadType: 96, codec: 'vp8', clockRateHz: 90_000, rtxPayloadType: 97, profile: '' };
const track = 'TR_VCbench';
const loadCredentials: IceCredentials = { usernameFragment: 'load', password: 'password-of-the-load-process' };

/** The certificate's fingerprint as SDP writes it (RFC 8122 §5). */
export function fingerprintOf(identity: Identity): Fingerprint {
  const der = new X509Certificate(identity.certificatePem).raw;
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return Fingerprint.parse({ algorithm: 'sha-256', value: hex.match(/../g)?.join(':') });
}

export interface Member {
  readonly spec: SessionSpec;
  readonly client: LoadClient;
}

export interface RoomOptions {
  readonly server: Endpoint;
  readonly serverFingerprint: Fingerprint;
  /** Of the load's certificate. */
  readonly clientFingerprint: string;
  /** Subscribers tell ten times a second when each packet arrived, as browsers do. */
  readonly feedback: 'with-feedback' | 'without-feedback';
}

/** Who publishes: one video track with NACK and transport-wide feedback, as a browser negotiates it. */
export function publisher(options: RoomOptions): Member {
  const incoming = [
    {
      track,
      kind: 'video',
      mid: '0',
      codecs: [codec],
      streams: [{ ssrc: video.ssrc, rtxSsrc: 2, rid: '' }],
      nack: true,
      transportCc: true,
    },
  ];
  const member = make('publisher', { incoming }, options);
  return { ...member, client: { ...member.client, video } };
}

export function subscriber(index: number, options: RoomOptions): Member {
  const ssrc = 1_000 + 2 * index;
  const outgoing = [{ track, kind: 'video', mid: '0', ssrc, rtxSsrc: ssrc + 1, codecs: [codec], paused: false }];
  return make(`subscriber${index}`, { outgoing }, options);
}

function make(name: string, tracks: Record<string, unknown>, options: RoomOptions): Member {
  const remote: IceCredentials = { usernameFragment: name, password: `password-of-the-server-for-${name}` };
  const spec = SessionSpec.parse({
    site: 'bench',
    session: `SE_${name}`,
    room: 'RM_bench',
    participant: `PA_${name}`,
    identity: name,
    localCredentials: [remote],
    remoteCredentials: loadCredentials,
    dtlsRole: 'server',
    remoteFingerprints: [{ algorithm: 'sha-256', value: options.clientFingerprint }],
    headerExtensions: [
      { kind: 'mid', id: midExtension },
      { kind: 'transport-cc', id: transportCcExtension },
    ],
    incoming: [],
    outgoing: [],
    ...tracks,
  });
  const { server, serverFingerprint, feedback } = options;
  const feedbackExtension = feedback === 'with-feedback' ? transportCcExtension : 0;
  return { spec, client: { server, local: loadCredentials, remote, serverFingerprint, feedbackExtension } };
}
