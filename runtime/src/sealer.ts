import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { RandomBytes } from './random.ts';

/** Hides what crosses the bus from whoever reads the bus but has not the cluster's secret. */
export interface Sealer {
  /** `purpose` separates uses: what was sealed for one opens for no other. */
  seal(purpose: string, plain: Uint8Array | string): string;
  /** undefined: made with another secret, for another purpose, or changed on the way. */
  open(purpose: string, sealed: string): Buffer | undefined;
}

const VERSION = 'v1.';
/** NIST SP 800-38D §8.2.2: random nonces of 96 bits are safe up to 2^32 seals under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM under a key per purpose, derived from the cluster's secret by HKDF-SHA-256 (RFC 5869). */
export function createSealer(clusterSecret: string, random: RandomBytes): Sealer {
  const keyFor = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', clusterSecret, 'sluice sealer v1', purpose, 32));
  return {
    seal(purpose, plain) {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), nonce, { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(plain as string, 'utf8'), cipher.final()]);
      return VERSION + Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
    },
    open(purpose, sealed) {
      if (!sealed.startsWith(VERSION)) return undefined;
      const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), nonce, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const body = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      try {
        return Buffer.concat([body, decipher.final()]);
      } catch {
        return undefined; // the only thing `final` throws for is a tag that does not fit
      }
    },
  };
}
