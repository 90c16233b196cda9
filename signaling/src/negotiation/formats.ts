import type { CodecSpec } from '@sluice/contracts';
import { type Codec, type CodecName, codecName, formatProfile } from '@sluice/sdp';
import type { MediaKind } from './terms.ts';

/** A codec in one of its formats, as one side of a peer connection numbers it, with its RTX (RFC 4588). */
export interface Format {
  readonly name: CodecName;
  readonly profile: string;
  readonly codec: Codec;
  readonly rtx: Codec | undefined;
}

/**
 * What we carry, and its canonical MIME type. RED is left out: a subscriber without it would need it unwrapped.
 * The packet path needs to know each one to find key frames and to rewrite what its payload descriptor counts.
 */
const carried: Readonly<Partial<Record<CodecName, { mimeType: string; profiles: RegExp }>>> = {
  opus: { mimeType: 'audio/opus', profiles: /^$/ },
  pcmu: { mimeType: 'audio/PCMU', profiles: /^$/ },
  pcma: { mimeType: 'audio/PCMA', profiles: /^$/ },
  vp8: { mimeType: 'video/VP8', profiles: /^$/ },
  vp9: { mimeType: 'video/VP9', profiles: /^profile-id=[02]$/ },
  // No high profile: not every browser that has H.264 decodes it.
  h264: { mimeType: 'video/H264', profiles: /^(constrained-baseline|baseline|main);packetization-mode=[01]$/ },
  h265: { mimeType: 'video/H265', profiles: /^profile-id=[12];/ },
  av1: { mimeType: 'video/AV1', profiles: /^profile=0;/ },
};

/** MIME types that a client may publish: `JoinResponse.enabled_publish_codecs`. */
export const carriedMimeTypes: readonly string[] = Object.values(carried).map(({ mimeType }) => mimeType);

/** `undefined` for what we do not carry. */
export const mimeTypeOf = (name: CodecName): string | undefined => carried[name]?.mimeType;

/** The codec that a client or a track view names: `vp9`, `VP9`, `video/vp9`. */
export function carriedCodecOf(text: string): CodecName | undefined {
  const name = codecName({ name: text.slice(text.indexOf('/') + 1) });
  return carried[name] ? name : undefined;
}

export const kindOf = (name: CodecName): MediaKind =>
  carried[name]?.mimeType.startsWith('audio/') ? 'audio' : 'video';

export const sameFormat = (a: Format, b: Format): boolean => a.name === b.name && a.profile === b.profile;

/** SessionSpec has room for 64 in a track; Chromium has 12. */
const MAX_FORMATS = 32;

/** Of the codecs of an m-section those that we carry, in its order. */
export function carriedFormats(codecs: readonly Codec[], kind: MediaKind): Format[] {
  const formats: Format[] = [];
  const repairs = new Map(codecs.filter(isRtx).map((codec) => [codec.parameters.get('apt'), codec]));
  for (const codec of codecs) {
    const name = codecName(codec);
    const profile = formatProfile(codec);
    const known = carried[name];
    if (!known || kindOf(name) !== kind || !known.profiles.test(profile)) continue;
    formats.push({ name, profile, codec, rtx: repairs.get(String(codec.payloadType)) });
  }
  return formats.slice(0, MAX_FORMATS);
}

const isRtx = ({ name }: Codec): boolean => name.toLowerCase() === 'rtx';

export function codecSpec({ name, profile, codec, rtx }: Format): CodecSpec {
  const spec = { payloadType: codec.payloadType, codec: name, clockRateHz: codec.clockRateHz, profile };
  return rtx ? { ...spec, rtxPayloadType: rtx.payloadType } : spec;
}

/** Constrained baseline in non-interleaved mode is the H.264 that every browser sends and takes (RFC 7742 §6.2). */
const COMMON_H264 = 'constrained-baseline;packetization-mode=1';

/**
 * In which formats a client shall send a track. A browser sends the first one that we answer; with a wish there is no
 * other codec, so that what subscribers were told stays true. Without one it is the client's own order: a sender that
 * does not say what it will send (the Go SDK) takes its codec from anywhere in the list.
 */
export function publishingFormats(offered: readonly Format[], wish: string): Format[] {
  if (wish === '') return [...offered];
  const wished = carriedCodecOf(wish);
  const name = offered.some((format) => format.name === wished) ? wished : offered[0]?.name;
  const common = (format: Format): boolean => format.profile === COMMON_H264;
  const formats = offered.filter((format) => format.name === name);
  return [...formats.filter(common), ...formats.filter((format) => !common(format))];
}

/** fmtp parameters that say which format it is; others are the sender's business and are not given back. */
const identifying: Readonly<Partial<Record<CodecName, readonly string[]>>> = {
  h264: ['level-asymmetry-allowed', 'packetization-mode', 'profile-level-id'],
  h265: ['level-id', 'profile-id', 'tier-flag', 'tx-mode'],
  vp9: ['profile-id'],
  av1: ['level-idx', 'profile', 'tier'],
};

/** Feedback that the packet path gives or takes. REMB is not among it: transport-cc says more. */
const feedbackOf: Readonly<Record<MediaKind, readonly string[]>> = {
  audio: ['transport-cc', 'nack'],
  video: ['transport-cc', 'ccm fir', 'nack', 'nack pli'],
};

/** What the opus in a section shall be like (RFC 7587 §6.1). */
export interface OpusUse {
  /** We receive it: the sender may leave out silence. */
  readonly dtx: boolean;
  /** We receive it: we like stereo, and enough bits for it. */
  readonly stereo: boolean;
  /** We send it, and it is stereo. */
  readonly sendsStereo: boolean;
}

/** The codecs by which we answer or offer `formats`: our own fmtp, and the feedback that both have. */
export function describeFormats(formats: readonly Format[], kind: MediaKind, opus: OpusUse): Codec[] {
  return formats.flatMap(({ name, codec, rtx }) => {
    const parameters = name === 'opus' ? opusParameters(opus) : pick(codec.parameters, identifying[name] ?? []);
    const feedback = feedbackOf[kind].filter((each) => codec.feedback.includes(each));
    const own = { ...codec, parameters, feedback };
    return rtx ? [own, { ...rtx, parameters: new Map([['apt', String(codec.payloadType)]]), feedback: [] }] : [own];
  });
}

function opusParameters({ dtx, stereo, sendsStereo }: OpusUse): Map<string, string> {
  const parameters = new Map([
    ['minptime', '10'],
    ['useinbandfec', '1'],
  ]);
  if (dtx) parameters.set('usedtx', '1');
  // The most that opus has (RFC 7587 §6.1): a limit of ours would be less than what the app asked for.
  if (stereo) parameters.set('stereo', '1').set('maxaveragebitrate', '510000');
  if (sendsStereo) parameters.set('sprop-stereo', '1');
  return parameters;
}

const pick = (from: ReadonlyMap<string, string>, keys: readonly string[]): Map<string, string> =>
  new Map([...from].filter(([key]) => keys.includes(key)));
