import type { SimulcastRid } from './model.ts';
import {
  type Bandwidth,
  type Candidate,
  type CertificateFingerprint,
  type Direction,
  directions,
  type HeaderExtension,
  type Msid,
  type Rid,
  type Setup,
  type Simulcast,
  type SourceGroup,
  setups,
} from './model.ts';
import { cut, decimal, isToken, oneOf, words } from './text.ts';

/** What the attributes of one level, session or section, have said so far. */
export interface Draft {
  mid: string;
  direction: Direction | undefined;
  bundleOnly: boolean;
  bundleGroups: string[][];
  msidSemantic: string;
  iceLite: boolean;
  usernameFragment: string | undefined;
  password: string | undefined;
  iceOptions: string[];
  fingerprints: CertificateFingerprint[];
  setup: Setup | undefined;
  candidates: Candidate[];
  endOfCandidates: boolean;
  bandwidths: Bandwidth[];
  rtcpMux: boolean;
  rtcpReducedSize: boolean;
  extensions: HeaderExtension[];
  extensionsAllowMixed: boolean;
  formats: Map<number, FormatDraft>;
  /** `a=rtcp-fb:*`: of every format. */
  feedback: Set<string>;
  msids: Msid[];
  sources: Map<number, { cname: string; msid: Msid | undefined }>;
  sourceGroups: SourceGroup[];
  rids: Rid[];
  simulcast: Simulcast | undefined;
  sctpPort: number | undefined;
  maxMessageBytes: number | undefined;
}

/** What is known of one payload type, in whatever order it was said. */
export interface FormatDraft {
  encoding: { name: string; clockRateHz: number; channels: number } | undefined;
  readonly parameters: Map<string, string>;
  readonly feedback: Set<string>;
}

export const newDraft = (): Draft => ({
  mid: '',
  direction: undefined,
  bundleOnly: false,
  bundleGroups: [],
  msidSemantic: '',
  iceLite: false,
  usernameFragment: undefined,
  password: undefined,
  iceOptions: [],
  fingerprints: [],
  setup: undefined,
  candidates: [],
  endOfCandidates: false,
  bandwidths: [],
  rtcpMux: false,
  rtcpReducedSize: false,
  extensions: [],
  extensionsAllowMixed: false,
  formats: new Map(),
  feedback: new Set(),
  msids: [],
  sources: new Map(),
  sourceGroups: [],
  rids: [],
  simulcast: undefined,
  sctpPort: undefined,
  maxMessageBytes: undefined,
});

/** Takes an attribute's value into the draft; false when it cannot be what the attribute says. */
export type AttributeReader = (value: string, draft: Draft) => boolean;

/** Real stacks say seven kinds of feedback; a wildcard multiplies by the formats, so there must be an end. */
export const MAX_FEEDBACK = 64;
const MAX_SSRC = 0xffff_ffff;
const MAX_CLOCK_RATE_HZ = 1_000_000;

const flag =
  (set: (draft: Draft) => void): AttributeReader =>
  (_, draft) => {
    set(draft);
    return true;
  };

/** Takes what `read` makes of the value; undefined is malformed. */
const taking =
  <T>(read: (value: string) => T | undefined, take: (draft: Draft, read: T) => void): AttributeReader =>
  (value, draft) => {
    const made = read(value);
    if (made === undefined) return false;
    take(draft, made);
    return true;
  };

const matching = (pattern: RegExp) => (value: string) => (pattern.test(value) ? value : undefined);

/** Every attribute that we understand. */
export const attributeReaders: ReadonlyMap<string, AttributeReader> = new Map([
  ...directions.map((direction) => [direction, flag((draft) => (draft.direction = direction))] as const),
  ['bundle-only', flag((draft) => (draft.bundleOnly = true))],
  ['ice-lite', flag((draft) => (draft.iceLite = true))],
  ['end-of-candidates', flag((draft) => (draft.endOfCandidates = true))],
  ['rtcp-mux', flag((draft) => (draft.rtcpMux = true))],
  ['rtcp-rsize', flag((draft) => (draft.rtcpReducedSize = true))],
  ['extmap-allow-mixed', flag((draft) => (draft.extensionsAllowMixed = true))],
  ['group', readGroup],
  [
    'mid',
    taking(
      (value) => (isToken(value) ? value : undefined),
      (draft, mid) => (draft.mid = mid),
    ),
  ],
  ['msid-semantic', taking(readMsidSemantic, (draft, text) => (draft.msidSemantic = text))],
  // RFC 8839 §5.4: ice-chars.
  ['ice-ufrag', taking(matching(/^[A-Za-z0-9+/]{4,256}$/), (draft, text) => (draft.usernameFragment = text))],
  ['ice-pwd', taking(matching(/^[A-Za-z0-9+/]{22,256}$/), (draft, text) => (draft.password = text))],
  ['ice-options', taking(words, (draft, options) => (draft.iceOptions = options))],
  ['fingerprint', taking(readFingerprint, (draft, fingerprint) => draft.fingerprints.push(fingerprint))],
  [
    'setup',
    taking(
      (value) => oneOf(setups, value),
      (draft, setup) => (draft.setup = setup),
    ),
  ],
  ['candidate', readCandidateLine],
  ['rtpmap', readRtpmap],
  ['fmtp', readFmtp],
  ['rtcp-fb', readFeedback],
  ['extmap', taking(readExtension, (draft, extension) => draft.extensions.push(extension))],
  ['msid', taking(readMsid, (draft, msid) => draft.msids.push(msid))],
  ['ssrc', readSource],
  ['ssrc-group', taking(readSourceGroup, (draft, group) => draft.sourceGroups.push(group))],
  ['rid', taking(readRid, (draft, rid) => draft.rids.push(rid))],
  ['simulcast', taking(readSimulcast, (draft, simulcast) => (draft.simulcast = simulcast))],
  [
    'sctp-port',
    taking(
      (value) => decimal(value, 65_535) || undefined,
      (draft, port) => (draft.sctpPort = port),
    ),
  ],
  [
    'max-message-size',
    taking(
      (value) => decimal(value, Number.MAX_SAFE_INTEGER),
      (draft, bytes) => (draft.maxMessageBytes = bytes),
    ),
  ],
]);

function readGroup(value: string, draft: Draft): boolean {
  const [semantics, ...mids] = words(value);
  if (semantics === 'BUNDLE') draft.bundleGroups.push(mids);
  return semantics !== undefined;
}

function readMsidSemantic(value: string): string | undefined {
  const text = words(value).join(' ');
  return text === '' ? undefined : text;
}

/** Of what hashes we know, the number of hex pairs must be right (RFC 8122 §5). */
const digestLengths: ReadonlyMap<string, number> = new Map([
  ['sha-1', 20],
  ['sha-224', 28],
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
]);

function readFingerprint(text: string): CertificateFingerprint | undefined {
  const [algorithm = '', value = '', ...rest] = words(text);
  if (!isToken(algorithm) || rest.length > 0 || !/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*$/.test(value)) return undefined;
  const length = digestLengths.get(algorithm.toLowerCase());
  if (length !== undefined && value.length !== length * 3 - 1) return undefined;
  return { algorithm: algorithm.toLowerCase(), value: value.toUpperCase() };
}

/** A candidate that we cannot read is one that we cannot use, no more: RFC 8839 §5.1 says to skip it. */
function readCandidateLine(value: string, draft: Draft): boolean {
  const candidate = readCandidate(value);
  if (candidate) draft.candidates.push(candidate);
  return true;
}

export function readCandidate(text: string): Candidate | undefined {
  const [foundation = '', component = '', transport = '', priority = '', address = '', port = '', ...rest] =
    words(text);
  const numbers = [decimal(component, 256), decimal(priority, 0xffff_ffff), decimal(port, 65_535)] as const;
  const [typ, type = '', ...extensions] = rest;
  const [componentNumber, priorityNumber, portNumber] = numbers;
  if (componentNumber === undefined || priorityNumber === undefined || portNumber === undefined) return undefined;
  if (typ !== 'typ' || !isToken(type) || !isToken(foundation) || !isToken(transport)) return undefined;
  const tcpTypeAt = extensions.indexOf('tcptype');
  return {
    foundation,
    component: componentNumber,
    transport: transport.toLowerCase(),
    priority: priorityNumber,
    address,
    port: portNumber,
    type,
    tcpType: tcpTypeAt < 0 ? '' : (extensions[tcpTypeAt + 1] ?? ''),
  };
}

function formatOf(draft: Draft, payloadType: number): FormatDraft {
  const known = draft.formats.get(payloadType);
  if (known) return known;
  const fresh = { encoding: undefined, parameters: new Map<string, string>(), feedback: new Set<string>() };
  draft.formats.set(payloadType, fresh);
  return fresh;
}

function readRtpmap(text: string, draft: Draft): boolean {
  const [number, encoding] = cut(text, ' ');
  const [name = '', clock = '', channels = '1'] = encoding.trim().split('/');
  const payloadType = decimal(number, 127);
  const clockRateHz = decimal(clock, MAX_CLOCK_RATE_HZ);
  const channelCount = decimal(channels, 255);
  if (payloadType === undefined || !isToken(name) || !clockRateHz || !channelCount) return false;
  formatOf(draft, payloadType).encoding = { name, clockRateHz, channels: channelCount };
  return true;
}

function readFmtp(text: string, draft: Draft): boolean {
  const [number, parameters] = cut(text, ' ');
  const payloadType = decimal(number, 127);
  if (payloadType === undefined) return false;
  const format = formatOf(draft, payloadType);
  for (const parameter of parameters.split(';')) {
    const [key, value] = cut(parameter.trim(), '=');
    if (key.trim() !== '') format.parameters.set(key.trim(), value.trim());
  }
  return true;
}

function readFeedback(text: string, draft: Draft): boolean {
  const [format, ...feedback] = words(text);
  const payloadType = format === '*' ? undefined : decimal(format ?? '', 127);
  if (feedback.length === 0 || (format !== '*' && payloadType === undefined)) return false;
  const set = payloadType === undefined ? draft.feedback : formatOf(draft, payloadType).feedback;
  set.add(feedback.join(' '));
  return set.size <= MAX_FEEDBACK;
}

function readExtension(text: string): HeaderExtension | undefined {
  const [entry = '', uri = ''] = words(text);
  const [number, directionText] = cut(entry, '/');
  // RFC 8285 §5: 1 to 14 in one-byte form, up to 255 in two-byte form; 4096 and above only stand in for a number.
  const id = decimal(number, 255);
  const direction = directionText === '' ? 'sendrecv' : oneOf(directions, directionText);
  if (!id || uri === '' || !direction) return undefined;
  return { id, uri, direction };
}

function readMsid(text: string): Msid | undefined {
  const [stream, track = ''] = words(text);
  return stream === undefined ? undefined : { stream, track };
}

function readSource(text: string, draft: Draft): boolean {
  const [number, attribute] = cut(text, ' ');
  const ssrc = decimal(number, MAX_SSRC);
  if (ssrc === undefined) return false;
  const source = draft.sources.get(ssrc) ?? { cname: '', msid: undefined };
  draft.sources.set(ssrc, source);
  const [name, value] = cut(attribute.trim(), ':');
  if (name === 'cname') source.cname = value.trim();
  if (name === 'msid') source.msid = readMsid(value);
  return true;
}

function readSourceGroup(text: string): SourceGroup | undefined {
  const [semantics = '', ...members] = words(text);
  const ssrcs = members.map((member) => decimal(member, MAX_SSRC));
  if (!isToken(semantics) || !ssrcs.every((ssrc) => ssrc !== undefined)) return undefined;
  return { semantics, ssrcs };
}

/** RFC 8851 §10: letters, digits, `-`, `_`. */
const isRid = (text: string): boolean => /^[A-Za-z0-9_-]{1,255}$/.test(text);

function readRid(text: string): Rid | undefined {
  const [id = '', directionText = '', ...restrictions] = words(text);
  const direction = oneOf(['send', 'recv'], directionText);
  if (!isRid(id) || !direction) return undefined;
  return { id, direction, restrictions: restrictions.join(' ') };
}

function readSimulcast(text: string): Simulcast | undefined {
  const simulcast = { send: [] as SimulcastRid[][], receive: [] as SimulcastRid[][] };
  const parts = words(text);
  if (parts.length === 0 || parts.length % 2 !== 0) return undefined;
  for (let i = 0; i < parts.length; i += 2) {
    const streams = (parts[i + 1] ?? '').split(';').map((choices) => choices.split(',').map(readSimulcastRid));
    if (!streams.flat().every(({ rid }) => isRid(rid))) return undefined;
    if (parts[i] === 'send') simulcast.send = streams;
    else if (parts[i] === 'recv') simulcast.receive = streams;
    else return undefined;
  }
  return simulcast;
}

const readSimulcastRid = (text: string): SimulcastRid =>
  text.startsWith('~') ? { rid: text.slice(1), paused: true } : { rid: text, paused: false };
