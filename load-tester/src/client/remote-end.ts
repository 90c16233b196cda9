import {
  type CodecSpec,
  Fingerprint,
  type HeaderExtensionKind,
  headerExtensionKinds,
  headerExtensionUris,
  type IceCredentials,
} from '@sluice/contracts';
import {
  codecName,
  type Description,
  formatProfile,
  isRejected,
  parseDescription,
  type RtpSection,
  receives,
  type Section,
  sends,
  type Transport,
} from '@sluice/sdp';

/** What the server's description says, as far as a peer and its media need it. */
export interface RemoteEnd {
  readonly description: Description;
  readonly credentials: IceCredentials;
  readonly fingerprints: readonly Fingerprint[];
  readonly dtlsRole: 'client' | 'server' | 'either';
  /** UDP, in the server's order. */
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  /** undefined: no data channels. */
  readonly maxMessageBytes: number | undefined;
  readonly headerExtensions: readonly { readonly kind: HeaderExtensionKind; readonly id: number }[];
  readonly sections: ReadonlyMap<string, RemoteSection>;
}

export interface RemoteSection {
  readonly mid: string;
  readonly kind: 'audio' | 'video';
  readonly sends: boolean;
  readonly receives: boolean;
  readonly codecs: readonly CodecSpec[];
  readonly nack: boolean;
  readonly transportCc: boolean;
  /** Of what it sends. */
  readonly stream: { readonly ssrc: number; readonly rtxSsrc: number | undefined; readonly track: string } | undefined;
}

export type ReadRemoteEnd =
  | { readonly ok: true; readonly remote: RemoteEnd }
  | { readonly ok: false; readonly what: string };

const unreadable = (what: string): ReadRemoteEnd => ({ ok: false, what });

/** Reads a description of the server's. Wrong ones are values: a load test counts them. */
export function readRemoteEnd(sdp: string): ReadRemoteEnd {
  const parsed = parseDescription(sdp);
  if (!parsed.ok) return unreadable(`${parsed.reason}, line ${parsed.line}`);
  const { description } = parsed;
  const live = description.sections.filter((section) => !isRejected(section));
  const transport = live.find(({ mid }) => mid === description.bundleGroups[0]?.[0])?.transport;
  if (transport?.ice === undefined) return unreadable('no transport');
  const fingerprints = transport.fingerprints.flatMap((one) => Fingerprint.safeParse(one).data ?? []);
  if (fingerprints.length === 0) return unreadable('no fingerprint');
  const rtp = live.filter((section) => section.type === 'rtp');
  return {
    ok: true,
    remote: {
      description,
      credentials: transport.ice,
      fingerprints,
      dtlsRole: roleOf(transport),
      addresses: transport.candidates
        .filter(({ transport, component }) => transport === 'udp' && component === 1)
        .map(({ address, port }) => ({ address, port })),
      maxMessageBytes: messageLimit(live),
      headerExtensions: extensionsOf(rtp),
      sections: new Map(rtp.map((section) => [section.mid, readSection(section)])),
    },
  };
}

const DEFAULT_MESSAGE_BYTES = 65_536; // RFC 8841 §6.1

function messageLimit(sections: readonly Section[]): number | undefined {
  const data = sections.find(({ type }) => type === 'data');
  return data?.type === 'data' ? (data.maxMessageBytes ?? DEFAULT_MESSAGE_BYTES) : undefined;
}

function roleOf({ setup }: Transport): RemoteEnd['dtlsRole'] {
  if (setup === 'passive') return 'server';
  return setup === 'active' ? 'client' : 'either';
}

/** Bundled sections share their ids (RFC 9143 §12). */
function extensionsOf(sections: readonly RtpSection[]): RemoteEnd['headerExtensions'] {
  const ids = new Map<HeaderExtensionKind, number>();
  for (const { extensions } of sections) {
    for (const { id, uri } of extensions) {
      const kind = headerExtensionKinds.find((each) => headerExtensionUris[each] === uri);
      if (kind !== undefined && !ids.has(kind)) ids.set(kind, id);
    }
  }
  return [...ids].map(([kind, id]) => ({ kind, id }));
}

function readSection(section: RtpSection): RemoteSection {
  const { mid, kind, direction, codecs } = section;
  const main = codecs.filter(({ name }) => name.toLowerCase() !== 'rtx');
  const has = (feedback: string): boolean => main.some((codec) => codec.feedback.includes(feedback));
  return {
    mid,
    kind,
    sends: sends(direction),
    receives: receives(direction),
    codecs: main.map((codec): CodecSpec => {
      const rtx = codecs.find(({ parameters }) => parameters.get('apt') === String(codec.payloadType));
      return {
        payloadType: codec.payloadType,
        codec: codecName(codec),
        clockRateHz: codec.clockRateHz,
        ...(rtx === undefined ? {} : { rtxPayloadType: rtx.payloadType }),
        profile: formatProfile(codec),
      };
    }),
    nack: has('nack'),
    transportCc: has('transport-cc'),
    stream: sends(direction) ? streamOf(section) : undefined,
  };
}

function streamOf({ sources, sourceGroups, msids }: RtpSection): RemoteSection['stream'] {
  const [ssrc, rtxSsrc] = sourceGroups.find(({ semantics }) => semantics === 'FID')?.ssrcs ?? [sources[0]?.ssrc];
  if (ssrc === undefined) return undefined;
  return { ssrc, rtxSsrc, track: msids[0]?.track ?? sources[0]?.msid?.track ?? '' };
}
