import type { HeaderExtensionKind } from '@sluice/contracts';
import { type Codec, type CodecName, codecName, formatProfile } from '@sluice/sdp';
import type { Format } from './formats.ts';

/**
 * The numbers in offers of ours. Opus is 111 as everywhere: SDKs take it for granted. The others are where Chromium
 * has them or near, RTX one above.
 */

const VIDEO_FEEDBACK = ['transport-cc', 'ccm fir', 'nack', 'nack pli'];

const audio = (payloadType: number, name: string, clockRateHz: number, channels: number): Format => {
  const codec = { payloadType, name, clockRateHz, channels, parameters: new Map(), feedback: ['transport-cc', 'nack'] };
  return { name: codecName(codec), profile: '', codec, rtx: undefined };
};

const video = (payloadType: number, name: string, fmtp: Record<string, string> = {}): Format => {
  const parameters = new Map(Object.entries(fmtp));
  const codec: Codec = { payloadType, name, clockRateHz: 90_000, channels: 1, parameters, feedback: VIDEO_FEEDBACK };
  const rtx: Codec = {
    ...codec,
    payloadType: payloadType + 1,
    name: 'rtx',
    parameters: new Map([['apt', String(payloadType)]]),
    feedback: [],
  };
  return { name: codecName(codec), profile: formatProfile(codec), codec, rtx };
};

const h264 = (payloadType: number, profileLevelId: string, mode: '0' | '1'): Format =>
  video(payloadType, 'H264', {
    'level-asymmetry-allowed': '1',
    'packetization-mode': mode,
    'profile-level-id': profileLevelId,
  });

const ownFormats: readonly Format[] = [
  audio(111, 'opus', 48_000, 2),
  audio(0, 'PCMU', 8000, 1),
  audio(8, 'PCMA', 8000, 1),
  video(96, 'VP8'),
  video(98, 'VP9', { 'profile-id': '0' }),
  video(100, 'VP9', { 'profile-id': '2' }),
  h264(102, '42e01f', '1'),
  h264(104, '42e01f', '0'),
  h264(106, '42001f', '1'),
  h264(108, '42001f', '0'),
  h264(112, '4d001f', '1'),
  h264(114, '4d001f', '0'),
  video(116, 'H265', { 'level-id': '180', 'profile-id': '1', 'tier-flag': '0', 'tx-mode': 'SRST' }),
  video(118, 'H265', { 'level-id': '180', 'profile-id': '2', 'tier-flag': '0', 'tx-mode': 'SRST' }),
  video(45, 'AV1', { 'level-idx': '5', profile: '0', tier: '0' }),
];

/** All formats of one codec, the best known one first. */
export const ownFormatsOf = (name: CodecName): readonly Format[] => ownFormats.filter((format) => format.name === name);

/** One-byte form (RFC 8285 §4.2) has 1 to 14. */
export const ownExtensionIds: Readonly<Partial<Record<HeaderExtensionKind, number>>> = {
  'transport-cc': 3,
  mid: 4,
  'dependency-descriptor': 12,
  'abs-capture-time': 13,
};
