import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsIdentity } from '@sluice/signaling';
import { badCertificate } from '../errors.ts';

/** Reads a certificate and its key, and finds out before anybody connects whether they are any good. */
export function readTls(files: { readonly certificate: string; readonly key: string }): TlsIdentity {
  const certificatePem = read(files.certificate);
  const keyPem = read(files.key);
  const certificate = attempt(files.certificate, 'is no certificate in PEM', () => new X509Certificate(certificatePem));
  const key = attempt(files.key, 'is no private key in PEM without a password', () => createPrivateKey(keyPem));
  if (!certificate.checkPrivateKey(key)) {
    throw badCertificate(files.key, `is not the key of the certificate ${files.certificate}`);
  }
  attempt(files.certificate, 'cannot be used by TLS', () => createSecureContext({ cert: certificatePem, key: keyPem }));
  return { certificatePem, keyPem };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw badCertificate(file, 'cannot be read', cause);
  }
}

function attempt<T>(file: string, wrong: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw badCertificate(file, wrong, cause);
  }
}
