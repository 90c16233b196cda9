import { z } from 'zod';
import { SiteName } from '../ids.ts';
import { Fingerprint } from '../session/session-spec.ts';

/** The DTLS identity that all nodes of a site share, made by a controller. Key: the site. */
export const SiteCertificate = z.strictObject({
  site: SiteName,
  certificatePem: z.string(),
  /** PKCS #8 PEM, sealed with the cluster's secret (runtime's `Sealer`); nobody logs it. */
  sealedPrivateKey: z.string(),
  /** One per hash that SDP may name: which one stands there tells the epochs of a session apart. */
  fingerprints: z.array(Fingerprint).min(1),
  notAfterMs: z.int(),
});
export type SiteCertificate = z.infer<typeof SiteCertificate>;

/** What `sealedPrivateKey` is sealed for: whoever opens it says the same words. */
export const siteKeyPurpose = (site: SiteName): string => `site-certificate/${site}`;
