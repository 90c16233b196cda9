import type { DataSection, HeaderExtension, RtpSection, Section, Transport } from '@sluice/sdp';
import { carriedCodecOf, describeFormats, type Format, publishingFormats } from './formats.ts';
import { noTransport } from './local-transport.ts';
import { answerSimulcast, type Publication } from './publications.ts';
import { describeStream, noStream, type Slot } from './slots.ts';

/** Our SCTP reassembles messages up to this size; SDKs send at most 64,000 bytes anyway. */
export const MAX_MESSAGE_BYTES = 262_144;

/** Everything that one answered RTP section depends on. */
export interface AnsweredUse {
  readonly formats: readonly Format[];
  readonly extensions: readonly HeaderExtension[];
  readonly rids: readonly string[];
  readonly publication: Publication | undefined;
  readonly slot: Slot | undefined;
}

export function answerRtpSection(offered: RtpSection, use: AnsweredUse, transport: Transport): RtpSection {
  const { publication, extensions, rids } = use;
  const placed = use.slot?.track;
  const formats = answeredFormats(use);
  const codecs = describeFormats(formats, offered.kind, {
    dtx: publication !== undefined && !publication.pending.disableDtx,
    stereo: publication?.pending.stereo ?? false,
    sendsStereo: placed?.wanted.stereo ?? false,
  });
  const hasRtx = formats.some(({ rtx }) => rtx !== undefined);
  return {
    type: 'rtp',
    kind: offered.kind,
    mid: offered.mid,
    port: DISCARD_PORT,
    bundleOnly: false,
    protocol: offered.protocol,
    transport,
    bandwidths: [],
    direction: answeredDirection(use),
    codecs,
    rtcpMux: true,
    rtcpReducedSize: offered.rtcpReducedSize,
    extensions,
    extensionsAllowMixed: offered.extensionsAllowMixed,
    ...(placed ? describeStream(placed, hasRtx ? 'with-rtx' : 'without-rtx') : noStream),
    rids: publication ? rids.map((id) => ({ id, direction: 'recv', restrictions: '' })) : [],
    simulcast: publication ? answerSimulcast(offered, rids) : undefined,
  };
}

/** RFC 8840 §4.1.1: where the transport is, the candidates say. */
export const DISCARD_PORT = 9;

/** Of the formats that the client offered those in which this section's tracks go; all, while it has none. */
function answeredFormats({ formats, publication, slot }: AnsweredUse): readonly Format[] {
  const incoming = publication ? publishingFormats(formats, publication.pending.codec) : [];
  // Whichever profile the publisher uses: the packet path finds the one that fits.
  const sent = slot?.track && carriedCodecOf(slot.track.wanted.mimeType);
  const outgoing = formats.filter((format) => format.name === sent && !incoming.includes(format));
  const both = [...incoming, ...outgoing];
  return both.length > 0 ? both : formats;
}

function answeredDirection({ publication, slot }: AnsweredUse): RtpSection['direction'] {
  if (publication) return slot?.track ? 'sendrecv' : 'recvonly';
  return slot?.track ? 'sendonly' : 'inactive';
}

/** The port of the client's end is ours too, so that there is but one in the spec. */
export const answerDataSection = (offered: DataSection, transport: Transport): DataSection => ({
  ...offered,
  port: DISCARD_PORT,
  bundleOnly: false,
  transport,
  bandwidths: [],
  maxMessageBytes: MAX_MESSAGE_BYTES,
});

/** RFC 8829 §5.3.1: a rejected section has port 0; nothing else of it counts, but formats must stand there. */
export function rejectSection(offered: Section): Section {
  const rejected = { port: 0, bundleOnly: false, transport: noTransport, bandwidths: [] };
  if (offered.type === 'other') return { ...offered, ...rejected };
  if (offered.type === 'data') return { ...offered, ...rejected, maxMessageBytes: undefined };
  return {
    ...offered,
    ...rejected,
    ...noStream,
    direction: 'inactive',
    codecs: offered.codecs.map((codec) => ({ ...codec, feedback: [] })),
    extensions: [],
    rids: [],
    simulcast: undefined,
  };
}

/** How large a message the client takes (RFC 8841 §6.1): 64 KiB unless it says, 0 is any size. */
export function remoteMessageLimit({ maxMessageBytes = 65_536 }: DataSection): number {
  return maxMessageBytes === 0 ? 0xffff_ffff : Math.min(maxMessageBytes, 0xffff_ffff);
}
