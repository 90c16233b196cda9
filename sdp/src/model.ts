import type { IceCredentials } from '@sluice/contracts';

/**
 * A session description (RFC 8866) as WebRTC uses it (RFC 8829): what a negotiation needs to know, typed. Attributes
 * that may stand at session or at section level (RFC 8839, 8122, 8842, 8285) are given to every section here, so that
 * nobody has to look in two places. Attributes we do not know are left out, as RFC 8866 §5.13 wants.
 */
export interface Description {
  readonly origin: Origin;
  /** `a=group:BUNDLE`, each a list of mids (RFC 9143); the first mid of a group is its tag. */
  readonly bundleGroups: readonly (readonly string[])[];
  readonly iceLite: boolean;
  /** `WMS *`; empty: not said. Of no meaning any more, but older stacks look for it. */
  readonly msidSemantic: string;
  readonly sections: readonly Section[];
}

export interface Origin {
  readonly username: string;
  /** 64-bit decimal numbers: too long for a JavaScript number. */
  readonly sessionId: string;
  readonly sessionVersion: string;
}

/** One m-section. */
export type Section = RtpSection | DataSection | OtherSection;

interface AnySection {
  /** Empty: none. */
  readonly mid: string;
  /** 0: rejected, unless `bundleOnly`. */
  readonly port: number;
  /** RFC 9143 §6: port 0 means "only inside its bundle". */
  readonly bundleOnly: boolean;
  /** `UDP/TLS/RTP/SAVPF`, `UDP/DTLS/SCTP` … */
  readonly protocol: string;
  readonly transport: Transport;
  readonly bandwidths: readonly Bandwidth[];
}

export interface RtpSection extends AnySection {
  readonly type: 'rtp';
  readonly kind: 'audio' | 'video';
  readonly direction: Direction;
  /** In the order of the m-line: most wanted first. */
  readonly codecs: readonly Codec[];
  readonly rtcpMux: boolean;
  readonly rtcpReducedSize: boolean;
  readonly extensions: readonly HeaderExtension[];
  /** RFC 8285 §6: one- and two-byte forms may be mixed. */
  readonly extensionsAllowMixed: boolean;
  readonly msids: readonly Msid[];
  readonly sources: readonly Source[];
  readonly sourceGroups: readonly SourceGroup[];
  readonly rids: readonly Rid[];
  readonly simulcast: Simulcast | undefined;
}

/** Data channels (RFC 8841). */
export interface DataSection extends AnySection {
  readonly type: 'data';
  readonly sctpPort: number;
  /** 0: any size. Undefined: not said, which means 64 KiB (RFC 8841 §6.1). */
  readonly maxMessageBytes: number | undefined;
}

/** A section that we can only reject; kept because sections are known by their place. */
export interface OtherSection extends AnySection {
  readonly type: 'other';
  readonly media: string;
  readonly formats: readonly string[];
}

export const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
export type Direction = (typeof directions)[number];

export const setups = ['actpass', 'active', 'passive', 'holdconn'] as const;
export type Setup = (typeof setups)[number];

export interface Transport {
  readonly ice: IceCredentials | undefined;
  readonly iceOptions: readonly string[];
  /** Any hash; contracts' `Fingerprint` is narrower. */
  readonly fingerprints: readonly CertificateFingerprint[];
  readonly setup: Setup | undefined;
  readonly candidates: readonly Candidate[];
  readonly endOfCandidates: boolean;
}

/** RFC 8122 §5. */
export interface CertificateFingerprint {
  /** Lower case. */
  readonly algorithm: string;
  /** Upper-case hex bytes with colons. */
  readonly value: string;
}

/** RFC 8839 §5.1. */
export interface Candidate {
  readonly foundation: string;
  readonly component: number;
  /** Lower case: `udp`, `tcp`. */
  readonly transport: string;
  readonly priority: number;
  /** A literal IP address or a name (mDNS). */
  readonly address: string;
  readonly port: number;
  /** `host`, `srflx`, `prflx`, `relay`. */
  readonly type: string;
  /** RFC 6544 §4.5; empty: not TCP. */
  readonly tcpType: string;
}

export interface Bandwidth {
  /** `AS` in kbit/s, `TIAS` in bit/s. */
  readonly type: string;
  readonly value: number;
}

export interface Codec {
  readonly payloadType: number;
  /** As written; compared without case. */
  readonly name: string;
  readonly clockRateHz: number;
  /** 1 when not said. */
  readonly channels: number;
  /** `a=fmtp`. A parameter without `=` (RED's `111/111`) has an empty value. */
  readonly parameters: ReadonlyMap<string, string>;
  /** `a=rtcp-fb`: `nack`, `nack pli`, `transport-cc` … */
  readonly feedback: readonly string[];
}

/** RFC 8285 §5. */
export interface HeaderExtension {
  readonly id: number;
  readonly uri: string;
  readonly direction: Direction;
}

/** RFC 8830. */
export interface Msid {
  /** `-`: no stream. */
  readonly stream: string;
  /** Empty: not said. */
  readonly track: string;
}

/** `a=ssrc` (RFC 5576). */
export interface Source {
  readonly ssrc: number;
  readonly cname: string;
  readonly msid: Msid | undefined;
}

/** `a=ssrc-group`: `FID` (primary, RTX), `SIM` (layers), `FEC-FR`. */
export interface SourceGroup {
  readonly semantics: string;
  readonly ssrcs: readonly number[];
}

/** RFC 8851. */
export interface Rid {
  readonly id: string;
  readonly direction: 'send' | 'recv';
  /** `pt=96;max-width=320`; empty: none. */
  readonly restrictions: string;
}

/** RFC 8853: streams, each a list of alternatives, first choice first. */
export interface Simulcast {
  readonly send: readonly (readonly SimulcastRid[])[];
  readonly receive: readonly (readonly SimulcastRid[])[];
}

export interface SimulcastRid {
  readonly rid: string;
  readonly paused: boolean;
}

/** The section's owner does not want it: port 0 and not merely bundle-only. */
export const isRejected = (section: Section): boolean => section.port === 0 && !section.bundleOnly;
export const sends = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly';
export const receives = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly';
/** The same direction seen from the other side. */
export function reversed(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}
