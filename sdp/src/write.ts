import type {
  Codec,
  DataSection,
  Description,
  OtherSection,
  RtpSection,
  Section,
  SimulcastRid,
  Transport,
} from './model.ts';

/**
 * Stands in an m-line that needs a format and has none; without an rtpmap a dynamic payload type names nothing, so
 * reading it back gives no codec again.
 */
const NO_FORMAT = '127';

/** The description as text. Attributes stand where Chromium puts them; Chromium and Firefox take it. */
export function writeDescription(description: Description): string {
  const lines: string[] = [];
  const { origin } = description;
  lines.push('v=0');
  lines.push(`o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} IN IP4 127.0.0.1`);
  lines.push('s=-', 't=0 0');
  for (const group of description.bundleGroups) lines.push(['a=group:BUNDLE', ...group].join(' '));
  if (description.iceLite) lines.push('a=ice-lite');
  if (description.msidSemantic !== '') lines.push(`a=msid-semantic:${description.msidSemantic}`);
  for (const section of description.sections) writeSection(section, lines);
  for (const line of lines) {
    // A value that carries a line of its own could say anything in our name.
    if (line.includes('\r') || line.includes('\n')) throw new Error('a value in a description holds a line break');
  }
  return `${lines.join('\r\n')}\r\n`;
}

function writeSection(section: Section, lines: string[]): void {
  lines.push(`m=${mediaOf(section)} ${section.port} ${section.protocol} ${formatsOf(section).join(' ')}`);
  lines.push('c=IN IP4 0.0.0.0');
  for (const bandwidth of section.bandwidths) lines.push(`b=${bandwidth.type}:${bandwidth.value}`);
  writeTransport(section.transport, lines);
  if (section.mid !== '') lines.push(`a=mid:${section.mid}`);
  if (section.bundleOnly) lines.push('a=bundle-only');
  if (section.type === 'rtp') writeRtp(section, lines);
  if (section.type === 'data') writeData(section, lines);
}

const mediaOf = (section: Section): string =>
  section.type === 'rtp' ? section.kind : section.type === 'data' ? 'application' : section.media;

function formatsOf(section: RtpSection | DataSection | OtherSection): readonly (string | number)[] {
  if (section.type === 'data') return ['webrtc-datachannel'];
  const formats = section.type === 'rtp' ? section.codecs.map((codec) => codec.payloadType) : section.formats;
  return formats.length === 0 ? [NO_FORMAT] : formats;
}

function writeTransport(transport: Transport, lines: string[]): void {
  for (const candidate of transport.candidates) {
    const { foundation, component, transport: protocol, priority, address, port, type, tcpType } = candidate;
    const tail = tcpType === '' ? '' : ` tcptype ${tcpType}`;
    lines.push(`a=candidate:${foundation} ${component} ${protocol} ${priority} ${address} ${port} typ ${type}${tail}`);
  }
  if (transport.endOfCandidates) lines.push('a=end-of-candidates');
  if (transport.ice) {
    lines.push(`a=ice-ufrag:${transport.ice.usernameFragment}`, `a=ice-pwd:${transport.ice.password}`);
  }
  if (transport.iceOptions.length > 0) lines.push(`a=ice-options:${transport.iceOptions.join(' ')}`);
  for (const { algorithm, value } of transport.fingerprints) lines.push(`a=fingerprint:${algorithm} ${value}`);
  if (transport.setup) lines.push(`a=setup:${transport.setup}`);
}

function writeRtp(section: RtpSection, lines: string[]): void {
  for (const { id, uri, direction } of section.extensions) {
    lines.push(`a=extmap:${id}${direction === 'sendrecv' ? '' : `/${direction}`} ${uri}`);
  }
  if (section.extensionsAllowMixed) lines.push('a=extmap-allow-mixed');
  lines.push(`a=${section.direction}`);
  for (const { stream, track } of section.msids) lines.push(`a=msid:${stream}${track === '' ? '' : ` ${track}`}`);
  if (section.rtcpMux) lines.push('a=rtcp-mux');
  if (section.rtcpReducedSize) lines.push('a=rtcp-rsize');
  for (const codec of section.codecs) writeCodec(codec, lines);
  for (const { id, direction, restrictions } of section.rids) {
    lines.push(`a=rid:${id} ${direction}${restrictions === '' ? '' : ` ${restrictions}`}`);
  }
  writeSimulcast(section, lines);
  for (const { semantics, ssrcs } of section.sourceGroups) {
    lines.push(['a=ssrc-group:'.concat(semantics), ...ssrcs].join(' '));
  }
  for (const { ssrc, cname, msid } of section.sources) {
    lines.push(`a=ssrc:${ssrc} cname:${cname}`);
    if (msid) lines.push(`a=ssrc:${ssrc} msid:${msid.stream}${msid.track === '' ? '' : ` ${msid.track}`}`);
  }
}

function writeCodec(codec: Codec, lines: string[]): void {
  const { payloadType, name, clockRateHz, channels } = codec;
  lines.push(`a=rtpmap:${payloadType} ${name}/${clockRateHz}${channels === 1 ? '' : `/${channels}`}`);
  for (const feedback of codec.feedback) lines.push(`a=rtcp-fb:${payloadType} ${feedback}`);
  if (codec.parameters.size === 0) return;
  const parameters = [...codec.parameters].map(([key, value]) => (value === '' ? key : `${key}=${value}`));
  lines.push(`a=fmtp:${payloadType} ${parameters.join(';')}`);
}

function writeSimulcast(section: RtpSection, lines: string[]): void {
  if (!section.simulcast) return;
  const streams = (list: readonly (readonly SimulcastRid[])[]): string =>
    list.map((choices) => choices.map(({ rid, paused }) => `${paused ? '~' : ''}${rid}`).join(',')).join(';');
  const { send, receive } = section.simulcast;
  const parts = ['a=simulcast:'];
  if (send.length > 0) parts.push(`send ${streams(send)}`);
  if (receive.length > 0) parts.push(`recv ${streams(receive)}`);
  lines.push(`${parts[0]}${parts.slice(1).join(' ')}`);
}

function writeData(section: DataSection, lines: string[]): void {
  lines.push(`a=sctp-port:${section.sctpPort}`);
  if (section.maxMessageBytes !== undefined) lines.push(`a=max-message-size:${section.maxMessageBytes}`);
}
