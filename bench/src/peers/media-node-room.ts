import { type Fingerprint, type IceCredentials, SessionSpec } from '@sluice/contracts';
import type { Publishing } from '@sluice/load-tester';
import type { PeerCamera, PeerMedia, PeerMicrophone, PeerSink } from '@sluice/packet-path';

/** Subscribers tell ten times a second when each packet arrived, as browsers do, or they do not. */
export type Feedback = 'with-feedback' | 'without-feedback';

/** A client, and what it publishes. Everything else of it follows from its number. */
export interface Joined {
  readonly number: number;
  readonly room: string;
  readonly publishes: Readonly<Record<string, Publishing>>;
}

const headerExtensions = [
  { kind: 'mid', id: 1 },
  { kind: 'audio-level', id: 2 },
  { kind: 'transport-cc', id: 3 },
] as const;

const vp8 = { payloadType: 96, codec: 'vp8', clockRateHz: 90_000, rtxPayloadType: 97, profile: '' } as const;
const opus = { payloadType: 111, codec: 'opus', clockRateHz: 48_000, profile: '' } as const;
const codecOf = (kind: Publishing['kind']): typeof vp8 | typeof opus => (kind === 'video' ? vp8 : opus);

/** SSRCs of a client's: published ones from below, received ones above them. */
const SSRCS_OF_CLIENT = 4_096;
const FIRST_RECEIVED = 64;

interface Numbered {
  readonly name: string;
  readonly publishing: Publishing;
  readonly mid: string;
  readonly ssrc: number;
}

const published = ({ number, publishes }: Joined): Numbered[] =>
  Object.entries(publishes).map(([name, publishing], index) => ({
    name,
    publishing,
    mid: String(index),
    ssrc: number * SSRCS_OF_CLIENT + 2 * index,
  }));

const trackId = ({ number }: Joined, name: string): string => `TR_${name}${number}`;

/** What signaling would write of a client that publishes its own and receives what `sources` publish. */
export function sessionSpec(joined: Joined, sources: readonly Joined[], clientFingerprint: Fingerprint): SessionSpec {
  const { number, room } = joined;
  const own = published(joined);
  const others = sources.flatMap((source) =>
    published(source).map(({ name, publishing }) => ({ track: trackId(source, name), kind: publishing.kind })),
  );
  return SessionSpec.parse({
    site: 'bench',
    session: `SE_${number}`,
    room: `RM_${room.replaceAll('-', '')}`,
    participant: `PA_${number}`,
    identity: `client-${number}`,
    localCredentials: [credentials('node', number)],
    remoteCredentials: credentials('client', number),
    dtlsRole: 'server',
    remoteFingerprints: [clientFingerprint],
    headerExtensions,
    incoming: own.map(({ name, publishing: { kind }, mid, ssrc }) => ({
      track: trackId(joined, name),
      kind,
      mid,
      codecs: [codecOf(kind)],
      streams: [{ ssrc, ...(kind === 'video' ? { rtxSsrc: ssrc + 1 } : {}), rid: '' }],
      nack: kind === 'video',
      transportCc: true,
    })),
    outgoing: others.map(({ track, kind }, index) => {
      const ssrc = number * SSRCS_OF_CLIENT + FIRST_RECEIVED + 2 * index;
      const mid = String(own.length + index);
      const repair = kind === 'video' ? { rtxSsrc: ssrc + 1 } : {};
      return { track, kind, mid, ssrc, ...repair, codecs: [codecOf(kind)], paused: false };
    }),
  });
}

/** The same, as the client has it. */
export function clientMedia(joined: Joined, { outgoing }: SessionSpec, feedback: Feedback): PeerMedia {
  const own = published(joined);
  return {
    headerExtensions,
    transportCc: feedback === 'with-feedback',
    video: own.flatMap(({ publishing, mid, ssrc }) =>
      publishing.kind === 'video' ? camera(publishing, mid, ssrc) : [],
    ),
    audio: own.flatMap(({ publishing, mid, ssrc }) =>
      publishing.kind === 'audio' ? microphone(publishing, mid, ssrc) : [],
    ),
    sinks: outgoing.map(
      ({ ssrc, rtxSsrc, kind, mid, codecs }): PeerSink => ({
        ssrc,
        ...(rtxSsrc === undefined ? {} : { rtxSsrc }),
        kind,
        mid,
        codecs,
        nack: kind === 'video',
        idle: false,
      }),
    ),
  };
}

const camera = ({ bitrateBps = 1_500_000 }: Publishing, mid: string, ssrc: number): PeerCamera => ({
  mid,
  payloadType: vp8.payloadType,
  rtxPayloadType: vp8.rtxPayloadType,
  framesPerSecond: 30,
  temporalLayers: 1,
  muted: false,
  encodings: [
    {
      ssrc,
      rtxSsrc: ssrc + 1,
      rid: '',
      maxBitsPerSecond: bitrateBps,
      minBitsPerSecond: 0,
      width: 1_280,
      height: 720,
      active: true,
    },
  ],
});

const microphone = ({ bitrateBps = 32_000 }: Publishing, mid: string, ssrc: number): PeerMicrophone => ({
  mid,
  payloadType: opus.payloadType,
  ssrc,
  bitsPerSecond: bitrateBps,
  level: 20,
  muted: false,
});

const credentials = (who: string, number: number): IceCredentials => ({
  usernameFragment: `${who}${number}`,
  password: `a-password-of-the-${who}-of-client-${number}`,
});
