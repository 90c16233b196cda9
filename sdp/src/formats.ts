import { type CodecSpec, codecNames } from '@sluice/contracts';
import type { Codec } from './model.ts';

export type CodecName = CodecSpec['codec'];

/** What the packet path calls it. RTX, FEC, comfort noise and the like are `other`: they are no track's format. */
export function codecName(codec: Pick<Codec, 'name'>): CodecName {
  const name = codec.name.toLowerCase();
  return codecNames.find((each) => each === name) ?? 'other';
}

/**
 * Tells apart the formats of one codec: equal text, same format, whichever session or payload type it came from. It
 * leaves out levels and whatever else sender and receiver need not share. Everyone who fills `CodecSpec.profile` does
 * it by this function.
 */
export function formatProfile(codec: Pick<Codec, 'name' | 'parameters'>): string {
  const parameter = (name: string, otherwise: string): string => codec.parameters.get(name) ?? otherwise;
  // These are all small numbers; whoever writes something else has a format that nobody shares.
  const number = (name: string, otherwise: number): string => {
    const value = parameter(name, String(otherwise));
    return /^[0-9]{1,3}$/.test(value) ? String(Number(value)) : 'unknown';
  };
  switch (codecName(codec)) {
    case 'h264': {
      // RFC 6184 §8.1: packetization mode 0 when not said. No profile said is 42e01f, as in libwebrtc.
      const profile = h264Profile(parameter('profile-level-id', '42e01f'));
      return `${profile};packetization-mode=${number('packetization-mode', 0)}`;
    }
    case 'vp9': // RFC 9628 §6
      return `profile-id=${number('profile-id', 0)}`;
    case 'av1': // AV1 RTP payload format §7.2
      return `profile=${number('profile', 0)};tier=${number('tier', 0)}`;
    case 'h265': // RFC 7798 §7.1
      return `profile-id=${number('profile-id', 1)};tier-flag=${number('tier-flag', 0)}`;
    default:
      return '';
  }
}

/**
 * RFC 6184 §8.1 table 5: the profiles that `profile-level-id` can name, as profile_idc and the bits of profile_iop
 * that must be set and clear. The level, the third byte, is left out.
 */
const h264Profiles: readonly { idc: number; set: number; clear: number; name: string }[] = [
  { idc: 0x42, set: 0x40, clear: 0x0f, name: 'constrained-baseline' },
  { idc: 0x4d, set: 0x80, clear: 0x0f, name: 'constrained-baseline' },
  { idc: 0x58, set: 0xc0, clear: 0x0f, name: 'constrained-baseline' },
  { idc: 0x42, set: 0x00, clear: 0x4f, name: 'baseline' },
  { idc: 0x58, set: 0x80, clear: 0x4f, name: 'baseline' },
  { idc: 0x4d, set: 0x00, clear: 0xaf, name: 'main' },
  { idc: 0x64, set: 0x0c, clear: 0xf3, name: 'constrained-high' },
  { idc: 0x64, set: 0x00, clear: 0xff, name: 'high' },
  { idc: 0xf4, set: 0x00, clear: 0xff, name: 'high-444-predictive' },
];

function h264Profile(profileLevelId: string): string {
  const value = /^[0-9a-f]{6}$/i.test(profileLevelId) ? Number.parseInt(profileLevelId, 16) : 0;
  const idc = value >> 16;
  const iop = (value >> 8) & 0xff;
  const known = h264Profiles.find((each) => each.idc === idc && (iop & each.set) === each.set && !(iop & each.clear));
  return known?.name ?? 'unknown';
}
