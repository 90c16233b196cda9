import { attributeReaders, type Draft, MAX_FEEDBACK, newDraft } from './attributes.ts';
import { type Line, readLines } from './lines.ts';
import type { Codec, Description, Origin, RtpSection, Section, Transport } from './model.ts';
import { decimal, isToken, words } from './text.ts';

export interface ParseLimits {
  /** Characters of the whole description. */
  readonly maxLength: number;
  readonly maxSections: number;
  /** Characters of one line. */
  readonly maxLineLength: number;
}

export const defaultParseLimits: ParseLimits = {
  // Chromium's offer with a hundred sections that could send is 600 KiB.
  maxLength: 1024 * 1024,
  maxSections: 1000,
  // The longest real lines are candidates and H.265 parameter sets, below 1 KiB.
  maxLineLength: 8 * 1024,
};

export const parseFaults = ['too-large', 'line-too-long', 'too-many-sections', 'not-sdp', 'malformed'] as const;

/** Why a text is no description. */
export interface Unparsed {
  readonly ok: false;
  readonly reason: (typeof parseFaults)[number];
  /** From 1; 0: the whole. */
  readonly line: number;
  /** Name of the attribute or type of the line that is wrong; empty when there is none to name. */
  readonly what: string;
}

export type Parsed = { readonly ok: true; readonly description: Description } | Unparsed;

/** Reads a description. Never throws, whatever the text; takes time linear in its length. */
export function parseDescription(text: string, limits: ParseLimits = defaultParseLimits): Parsed {
  const lines = readLines(text, limits);
  if (!Array.isArray(lines)) return lines;
  const first = lines[0];
  if (first?.type !== 'v' || first.value !== '0') return { ok: false, reason: 'not-sdp', line: 1, what: 'v' };
  const parts = splitAtMedia(lines);
  if (parts.sections.length > limits.maxSections) {
    return { ok: false, reason: 'too-many-sections', line: 0, what: 'm' };
  }
  const session = newDraft();
  const fault = readAttributes(parts.session, session);
  if (fault) return fault;
  const origin = readOrigin(parts.session);
  if (!origin) return { ok: false, reason: 'malformed', line: 2, what: 'o' };
  const sections: Section[] = [];
  for (const sectionLines of parts.sections) {
    const section = readSection(sectionLines, session);
    if ('ok' in section) return section;
    sections.push(section);
  }
  const { bundleGroups, iceLite, msidSemantic } = session;
  return { ok: true, description: { origin, bundleGroups, iceLite, msidSemantic, sections } };
}

function splitAtMedia(lines: readonly Line[]): { session: readonly Line[]; sections: Line[][] } {
  const session: Line[] = [];
  const sections: Line[][] = [];
  for (const line of lines) {
    if (line.type === 'm') sections.push([line]);
    else (sections.at(-1) ?? session).push(line);
  }
  return { session, sections };
}

const malformed = (line: Line): Unparsed => ({
  ok: false,
  reason: 'malformed',
  line: line.number,
  what: line.type === 'a' ? line.name : line.type,
});

function readAttributes(lines: readonly Line[], draft: Draft): Unparsed | undefined {
  for (const line of lines) {
    if (line.type === 'a') {
      const read = attributeReaders.get(line.name);
      if (read && !read(line.value, draft)) return malformed(line);
    } else if (line.type === 'b') {
      const [type = '', value = ''] = line.value.split(':');
      const amount = decimal(value, Number.MAX_SAFE_INTEGER);
      if (!isToken(type) || amount === undefined) return malformed(line);
      draft.bandwidths.push({ type, value: amount });
    }
  }
  return undefined;
}

function readOrigin(lines: readonly Line[]): Origin | undefined {
  const [username = '', sessionId = '', sessionVersion = ''] = words(
    lines.find(({ type }) => type === 'o')?.value ?? '',
  );
  const isNumber = (text: string): boolean => /^[0-9]{1,20}$/.test(text);
  return isNumber(sessionId) && isNumber(sessionVersion) ? { username, sessionId, sessionVersion } : undefined;
}

function readSection(lines: readonly Line[], session: Draft): Section | Unparsed {
  const [mediaLine, ...rest] = lines;
  if (!mediaLine) return { ok: false, reason: 'malformed', line: 0, what: 'm' };
  const [media = '', portText = '', protocol = '', ...formats] = words(mediaLine.value);
  // `9/2`, a port range (RFC 8866 §5.14), is nothing WebRTC uses.
  const port = decimal(portText, 65_535);
  if (!isToken(media) || port === undefined || protocol === '' || formats.length === 0) return malformed(mediaLine);
  const draft = newDraft();
  const fault = readAttributes(rest, draft);
  if (fault) return fault;
  const { mid, bundleOnly, bandwidths } = draft;
  const common = { mid, port, bundleOnly, protocol, transport: transportOf(draft, session), bandwidths };
  if ((media === 'audio' || media === 'video') && /(^|\/)RTP\//.test(protocol)) {
    const codecs = codecsOf(media, formats, draft);
    return codecs ? { type: 'rtp', kind: media, ...common, ...rtpOf(draft, session), codecs } : malformed(mediaLine);
  }
  if (media === 'application' && protocol.endsWith('/DTLS/SCTP') && formats[0] === 'webrtc-datachannel') {
    // 5000 when not said, as in libwebrtc.
    return { type: 'data', ...common, sctpPort: draft.sctpPort ?? 5000, maxMessageBytes: draft.maxMessageBytes };
  }
  return { type: 'other', ...common, media, formats };
}

/** A section's own word counts; what it does not say, the session says (RFC 8839 §5.4, RFC 8122 §5, RFC 8842 §5). */
function transportOf(draft: Draft, session: Draft): Transport {
  const usernameFragment = draft.usernameFragment ?? session.usernameFragment;
  const password = draft.password ?? session.password;
  return {
    ice: usernameFragment === undefined || password === undefined ? undefined : { usernameFragment, password },
    iceOptions: draft.iceOptions.length > 0 ? draft.iceOptions : session.iceOptions,
    fingerprints: draft.fingerprints.length > 0 ? draft.fingerprints : session.fingerprints,
    setup: draft.setup ?? session.setup,
    candidates: draft.candidates,
    endOfCandidates: draft.endOfCandidates || session.endOfCandidates,
  };
}

function rtpOf(draft: Draft, session: Draft): Omit<RtpSection, 'type' | 'kind' | 'codecs' | CommonField> {
  const { rtcpMux, rtcpReducedSize, msids, sourceGroups, rids, simulcast } = draft;
  return {
    // RFC 8866 §6.7: sendrecv when nobody says.
    direction: draft.direction ?? session.direction ?? 'sendrecv',
    rtcpMux,
    rtcpReducedSize,
    extensions: draft.extensions.length > 0 ? draft.extensions : session.extensions,
    extensionsAllowMixed: draft.extensionsAllowMixed || session.extensionsAllowMixed,
    msids,
    sources: [...draft.sources].map(([ssrc, source]) => ({ ssrc, ...source })),
    sourceGroups,
    rids,
    simulcast,
  };
}

type CommonField = 'mid' | 'port' | 'bundleOnly' | 'protocol' | 'transport' | 'bandwidths';

/** RFC 3551 §6: audio formats that need no rtpmap. */
const staticFormats: ReadonlyMap<number, { name: string; clockRateHz: number; channels: number }> = new Map([
  [0, { name: 'PCMU', clockRateHz: 8000, channels: 1 }],
  [3, { name: 'GSM', clockRateHz: 8000, channels: 1 }],
  [8, { name: 'PCMA', clockRateHz: 8000, channels: 1 }],
  [9, { name: 'G722', clockRateHz: 8000, channels: 1 }],
  [13, { name: 'CN', clockRateHz: 8000, channels: 1 }],
  [18, { name: 'G729', clockRateHz: 8000, channels: 1 }],
]);

/** Undefined when a format is no payload type or stands there twice. One that nothing describes is left out. */
function codecsOf(kind: 'audio' | 'video', formats: readonly string[], draft: Draft): Codec[] | undefined {
  const codecs: Codec[] = [];
  const seen = new Set<number>();
  for (const format of formats) {
    const payloadType = decimal(format, 127);
    if (payloadType === undefined || seen.has(payloadType)) return undefined;
    seen.add(payloadType);
    const said = draft.formats.get(payloadType);
    const encoding = said?.encoding ?? (kind === 'audio' ? staticFormats.get(payloadType) : undefined);
    if (!encoding) continue;
    const feedback = [...new Set([...(said?.feedback ?? []), ...draft.feedback])].slice(0, MAX_FEEDBACK);
    codecs.push({ payloadType, ...encoding, parameters: said?.parameters ?? new Map(), feedback });
  }
  return codecs;
}
