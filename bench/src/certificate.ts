import { createHash, X509Certificate } from 'node:crypto';
import { Fingerprint } from '@sluice/contracts';

/** The certificate's fingerprint as SDP writes it (RFC 8122 §5). */
export function fingerprintOf(certificatePem: string): Fingerprint {
  const der = new X509Certificate(certificatePem).raw;
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return Fingerprint.parse({ algorithm: 'sha-256', value: hex.match(/../g)?.join(':') });
}
