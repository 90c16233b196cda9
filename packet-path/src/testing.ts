import { createHmac, randomBytes } from 'node:crypto';
import { SessionSpec } from '@sluice/contracts';
import { generateIdentity } from './packet-path.ts';

/** For this package's tests: an identity, specs, and the STUN messages of a client that only asks. */

export const identity = generateIdentity(1_700_000_000, 36_500);
export const firstVersion = { epoch: 1, generation: 1 };
const password = 'password-of-22-letters';

export function makeSpec(name: string, changes: Record<string, unknown> = {}): SessionSpec {
  return SessionSpec.parse({
    site: 'local',
    session: `SE_${name}`,
    room: 'RM_room',
    participant: `PA_${name}`,
    identity: name,
    localCredentials: [{ usernameFragment: `fragment-${name}`, password }],
    dtlsRole: 'server',
    remoteFingerprints: [{ algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') }],
    headerExtensions: [{ kind: 'mid', id: 1 }],
    incoming: [
      {
        track: `TR_${name}`,
        kind: 'video',
        mid: '0',
        codecs: [{ payloadType: 96, codec: 'vp8', clockRateHz: 90_000, rtxPayloadType: 97, profile: '' }],
        streams: [{ ssrc: 1, rtxSsrc: 2, rid: '' }],
        nack: true,
        transportCc: true,
      },
    ],
    outgoing: [
      {
        track: 'TR_other',
        kind: 'audio',
        mid: '1',
        ssrc: 3,
        codecs: [{ payloadType: 111, codec: 'opus', clockRateHz: 48_000, profile: '' }],
        paused: false,
      },
    ],
    data: {
      sctpPort: 5000,
      remoteMaxMessageBytes: 262_144,
      hidden: false,
      publish: true,
      receive: true,
      channels: [{ label: '_reliable', protocol: '', ordered: true, open: true }],
    },
    ...changes,
  });
}

/** An ICE check for the session of that name (RFC 8489 §5, RFC 8445 §7.1). */
export function bindingRequest(name: string): Uint8Array {
  const attributes = [
    attribute(0x0006, Buffer.from(`fragment-${name}:client`)),
    attribute(0x0024, Buffer.from([0x6e, 0xff, 0xff, 0xff])),
    attribute(0x802a, randomBytes(8)),
    attribute(0x0025, Buffer.alloc(0)),
  ];
  const body = Buffer.concat(attributes);
  const integrityLength = 24;
  const header = Buffer.alloc(20);
  header.writeUInt16BE(0x0001, 0);
  header.writeUInt16BE(body.length + integrityLength, 2);
  header.writeUInt32BE(0x2112a442, 4);
  randomBytes(12).copy(header, 8);
  const unsigned = Buffer.concat([header, body]);
  return Buffer.concat([unsigned, attribute(0x0008, createHmac('sha1', password).update(unsigned).digest())]);
}

/** Whether it answers that very request with success. */
export function isSuccess(answer: Uint8Array, request: Uint8Array): boolean {
  const sameTransaction = Buffer.from(answer.subarray(4, 20)).equals(request.subarray(4, 20));
  return sameTransaction && answer[0] === 0x01 && answer[1] === 0x01;
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}
