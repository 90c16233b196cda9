import { type HeaderExtensionKind, headerExtensionUris } from '@sluice/contracts';
import type { Codec, HeaderExtension } from '@sluice/sdp';

/**
 * What this client tells of itself in SDP: the codecs, feedback and header extensions of a Chromium, by the numbers
 * that Chromium gives them. It sends Opus and VP8, and receives whatever comes.
 */

type MediaKind = 'audio' | 'video';

const codec = (
  payloadType: number,
  name: string,
  clockRateHz: number,
  parameters: Readonly<Record<string, string>>,
  feedback: readonly string[],
): Codec => ({
  payloadType,
  name,
  clockRateHz,
  channels: clockRateHz === 48_000 ? 2 : 1,
  parameters: new Map(Object.entries(parameters)),
  feedback,
});

const videoFeedback = ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'];

/** A video codec and its retransmissions (RFC 4588), one number up. */
const video = (payloadType: number, name: string, parameters: Readonly<Record<string, string>> = {}): Codec[] => [
  codec(payloadType, name, 90_000, parameters, videoFeedback),
  codec(payloadType + 1, 'rtx', 90_000, { apt: String(payloadType) }, []),
];

const codecs: Readonly<Record<MediaKind, readonly Codec[]>> = {
  audio: [
    codec(111, 'opus', 48_000, { minptime: '10', useinbandfec: '1' }, ['transport-cc']),
    codec(63, 'red', 48_000, { '111/111': '' }, []),
  ],
  video: [
    ...video(96, 'VP8'),
    ...video(98, 'VP9', { 'profile-id': '0' }),
    ...video(108, 'H264', {
      'level-asymmetry-allowed': '1',
      'packetization-mode': '1',
      'profile-level-id': '42e01f',
    }),
    ...video(45, 'AV1', { 'level-idx': '5', profile: '0', tier: '0' }),
  ],
};

/** All that it can decode. */
export const codecsOf = (kind: MediaKind): readonly Codec[] => codecs[kind];

/** What it sends. */
export const sendingCodecs = (kind: MediaKind): readonly Codec[] =>
  kind === 'audio' ? codecs.audio : codecs.video.slice(0, 2);

const extensionIds: Readonly<Record<MediaKind, readonly (readonly [HeaderExtensionKind, number])[]>> = {
  audio: [
    ['audio-level', 1],
    ['transport-cc', 3],
    ['mid', 4],
  ],
  video: [
    ['transport-cc', 3],
    ['mid', 4],
    ['rid', 10],
    ['repaired-rid', 11],
  ],
};

export const extensionsOf = (kind: MediaKind): HeaderExtension[] =>
  extensionIds[kind].map(([extension, id]) => ({ id, uri: headerExtensionUris[extension], direction: 'sendrecv' }));
