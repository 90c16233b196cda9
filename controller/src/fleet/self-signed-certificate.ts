import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { Fingerprint, UnixMs } from '@sluice/contracts';
import type { RandomBytes } from '@sluice/runtime';

export interface SelfSignedCertificate {
  readonly certificatePem: string;
  /** PKCS #8 PEM. */
  readonly privateKeyPem: string;
  /** One per hash that SDP may name (RFC 8122 §5). */
  readonly fingerprints: Fingerprint[];
}

/**
 * A certificate as WebRTC wants one: ECDSA on P-256, signed by itself, no extensions. Peers look at its fingerprint
 * alone (RFC 8827 §6.5), so that names and dates are a formality.
 */
export function makeSelfSignedCertificate(
  { commonName, notBeforeMs, notAfterMs }: { commonName: string; notBeforeMs: UnixMs; notAfterMs: UnixMs },
  random: RandomBytes,
): SelfSignedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName(commonName);
  // RFC 5280 §4.1: TBSCertificate
  const toBeSigned = sequence(
    tagged(0xa0, integer(Uint8Array.of(2))), // version 3
    integer(positive(random(16))),
    ecdsaWithSha256,
    name,
    sequence(time(notBeforeMs), time(notAfterMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, ecdsaWithSha256, tagged(0x03, Uint8Array.of(0), signature));
  return {
    certificatePem: pem('CERTIFICATE', certificate),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprints: (['sha-256', 'sha-384', 'sha-512'] as const).map((algorithm) => ({
      algorithm,
      value: fingerprint(algorithm, certificate),
    })),
  };
}

function fingerprint(algorithm: Fingerprint['algorithm'], certificate: Uint8Array): string {
  const digest = createHash(algorithm.replace('-', '')).update(certificate).digest('hex').toUpperCase();
  return (digest.match(/../g) ?? []).join(':');
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

// ── DER (ITU-T X.690 §8, §10): only what stands above ──

/** A value under a tag; its length is short below 128, else the count of length bytes comes first. */
function tagged(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  const { length } = body;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(head), body]);
}

const sequence = (...content: readonly Uint8Array[]): Uint8Array => tagged(0x30, ...content);
const integer = (bytes: Uint8Array): Uint8Array => tagged(0x02, bytes);
const objectIdentifier = (...bytes: readonly number[]): Uint8Array => tagged(0x06, Uint8Array.from(bytes));

/** 1.2.840.10045.4.3.2 (RFC 5758 §3.2) */
const ecdsaWithSha256 = sequence(objectIdentifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
/** 2.5.4.3 (RFC 5280 appendix A.1) */
const commonNameType = objectIdentifier(0x55, 0x04, 0x03);

const distinguishedName = (commonName: string): Uint8Array =>
  sequence(tagged(0x31, sequence(commonNameType, tagged(0x0c, Buffer.from(commonName, 'utf8')))));

/** A positive number of minimal length: neither a sign bit nor a leading zero byte (RFC 5280 §4.1.2.2). */
function positive(bytes: Uint8Array): Uint8Array {
  const number = Uint8Array.from(bytes);
  number[0] = ((number[0] ?? 0) & 0x7f) | 0x40;
  return number;
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
function time(ms: UnixMs): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '');
  const year = Number(digits.slice(0, 4));
  return year < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}
