import { crc32 } from 'node:zlib';
import type { Random } from './random.ts';

/** Datagrams that look more or less like what a media port gets. */

const STUN_COOKIE = 0x2112a442;
/** RFC 8489 §14.7 */
const FINGERPRINT_XOR = 0x5354554e;
/** A datagram that fits every path. */
const MOST_BYTES = 1_472;

export interface Targets {
  /** Username fragments of sessions that exist. */
  readonly usernameFragments: readonly string[];
}

/** One datagram: noise, or something that is nearly right. */
export function garbage(random: Random, { usernameFragments }: Targets): Buffer {
  const make = random.pick([
    () => random.bytes(random.below(MOST_BYTES)),
    () => random.bytes(random.below(24)),
    () => Buffer.alloc(0),
    () => stunCheck(random, `${randomFragment(random)}:${randomFragment(random)}`),
    () =>
      stunCheck(
        random,
        `${usernameFragments[random.below(usernameFragments.length)] ?? 'none'}:${randomFragment(random)}`,
      ),
    () => mutate(random, stunCheck(random, `${randomFragment(random)}:x`)),
    () => stunHeader(random, random.below(0x4000), random.bytes(random.below(64) * 4)),
    () => dtlsRecord(random),
    () => rtp(random),
    () => rtcp(random),
    () => mutate(random, rtp(random)),
    () => mutate(random, rtcp(random)),
    () => mutate(random, dtlsRecord(random)),
  ]);
  return make();
}

/** Changes a few bits, cuts, or appends. */
function mutate(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = random.below(6); i >= 0 && copy.length > 0; i -= 1) {
    copy[random.below(copy.length)] = random.below(256);
  }
  const cut = random.below(4);
  if (cut === 0) return copy.subarray(0, random.below(copy.length + 1));
  return cut === 1 ? Buffer.concat([copy, random.bytes(random.below(200))]) : copy;
}

const randomFragment = (random: Random): string => random.bytes(3).toString('hex');

function stunHeader(random: Random, type: number, attributes: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(attributes.length, 2);
  header.writeUInt32BE(STUN_COOKIE, 4);
  random.bytes(12).copy(header, 8);
  return Buffer.concat([header, attributes]);
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** A binding request as ICE sends it, with a message integrity that nobody computed and a right fingerprint. */
function stunCheck(random: Random, username: string): Buffer {
  const body = Buffer.concat([
    attribute(0x0006, Buffer.from(username)),
    attribute(0x802a, random.bytes(8)),
    attribute(0x0024, Buffer.from([0x6e, 0x7f, 0x00, 0xff])),
    ...(random.below(2) === 0 ? [attribute(0x0025, Buffer.alloc(0))] : []),
    attribute(0x0008, random.bytes(20)),
  ]);
  const message = stunHeader(random, 0x0001, body);
  message.writeUInt16BE(body.length + 8, 2);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE((crc32(message) ^ FINGERPRINT_XOR) >>> 0);
  return Buffer.concat([message, attribute(0x8028, sum)]);
}

function dtlsRecord(random: Random): Buffer {
  const body = random.bytes(random.below(600));
  const head = Buffer.alloc(13);
  head[0] = 20 + random.below(5);
  head.writeUInt16BE(random.pick([0xfeff, 0xfefd, 0xfefc]), 1);
  head.writeUInt16BE(random.below(3), 3);
  head.writeUInt16BE(body.length, 11);
  if (body.length > 12) {
    // A handshake header: client hello, its length, message sequence 0, a fragment of it.
    body[0] = 1;
    body.writeUIntBE(random.below(2) === 0 ? body.length - 12 : random.below(1 << 24), 1, 3);
    body.writeUInt16BE(0, 4);
    body.writeUIntBE(random.below(2) === 0 ? 0 : random.below(1 << 24), 6, 3);
    body.writeUIntBE(random.below(2) === 0 ? body.length - 12 : random.below(1 << 24), 9, 3);
  }
  return Buffer.concat([head, body]);
}

function rtp(random: Random): Buffer {
  const packet = random.bytes(12 + random.below(1_200));
  packet[0] = 0x80 | (random.below(2) << 4) | random.below(16);
  packet[1] = 96 + random.below(32);
  return packet;
}

function rtcp(random: Random): Buffer {
  const words = 1 + random.below(60);
  const packet = random.bytes(4 + words * 4);
  packet[0] = 0x80 | random.below(32);
  packet[1] = 200 + random.below(8);
  packet.writeUInt16BE(random.below(8) === 0 ? random.below(0x1_0000) : words, 2);
  return packet;
}
