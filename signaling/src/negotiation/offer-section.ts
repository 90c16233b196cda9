import type { DataChannelSpec, TrackId } from '@sluice/contracts';
import type { CodecName, DataSection, RtpSection, Transport } from '@sluice/sdp';
import { DISCARD_PORT, MAX_MESSAGE_BYTES } from './answer-section.ts';
import { describeFormats } from './formats.ts';
import { offeredExtensions } from './header-extensions.ts';
import { noTransport } from './local-transport.ts';
import { ownFormatsOf } from './own-formats.ts';
import { describeStream, noStream, type Slot } from './slots.ts';

/** A section that we have made. It is there for ever: its place and its mid are how both sides know it. */
export interface OwnSlot extends Slot {
  /** Whose formats stand in it, even while no track does. */
  readonly codec: CodecName;
  /** What our last offer says stands in it. */
  readonly offered: TrackId | undefined;
  /** The client has answered it with port 0. */
  readonly rejected: boolean;
}

/** The data section comes first, so that the transport is always that of a section which nobody rejects. */
export const DATA_MID = '0';

export function offerDataSection(transport: Transport): DataSection {
  return {
    type: 'data',
    mid: DATA_MID,
    port: DISCARD_PORT,
    bundleOnly: false,
    protocol: 'UDP/DTLS/SCTP',
    transport,
    bandwidths: [],
    sctpPort: SCTP_PORT,
    maxMessageBytes: MAX_MESSAGE_BYTES,
  };
}

/** What everybody uses; one association runs over a DTLS connection, so that it tells nothing apart. */
const SCTP_PORT = 5000;

/** What SDKs expect us to open, by DCEP (RFC 8832). */
export const ownChannels: readonly DataChannelSpec[] = [
  { label: '_reliable', protocol: '', ordered: true, open: true },
  { label: '_lossy', protocol: '', ordered: false, maxRetransmits: 0, open: true },
  { label: '_data_track', protocol: '', ordered: false, maxRetransmits: 0, open: true },
];

export function offerRtpSection(slot: OwnSlot, transport: Transport): RtpSection {
  const { mid, kind, track, rejected } = slot;
  const formats = ownFormatsOf(slot.codec);
  const sendsStereo = track?.wanted.stereo ?? false;
  return {
    type: 'rtp',
    kind,
    mid,
    port: rejected ? 0 : DISCARD_PORT,
    bundleOnly: false,
    protocol: 'UDP/TLS/RTP/SAVPF',
    transport: rejected ? noTransport : transport,
    bandwidths: [],
    direction: track ? 'sendonly' : 'inactive',
    codecs: describeFormats(formats, kind, { dtx: false, stereo: false, sendsStereo }),
    rtcpMux: true,
    rtcpReducedSize: true,
    extensions: rejected ? [] : offeredExtensions(kind),
    extensionsAllowMixed: true,
    ...(track ? describeStream(track, kind === 'video' ? 'with-rtx' : 'without-rtx') : noStream),
    rids: [],
    simulcast: undefined,
  };
}
