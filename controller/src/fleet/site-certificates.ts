import { anyScope, DocumentReader, DocumentWriter, type Reading } from '@sluice/bus';
import { type SiteCertificate, SiteName, siteCertificateDocument, siteKeyPurpose } from '@sluice/contracts';
import type { Sealer } from '@sluice/runtime';
import type { ControllerPorts } from '../ports.ts';
import { makeSelfSignedCertificate } from './self-signed-certificate.ts';

export interface SiteCertificatesOptions extends ControllerPorts {
  readonly sealer: Sealer;
}

/** The lease of whoever may make certificates. */
export const siteCertificatesLease = 'site-certificates';

/**
 * Peers never look at the dates, and changing a site's certificate ends its sessions: so it outlives the site. Clocks
 * may differ by a day.
 */
const VALID_FOR_MS = 20 * 365 * 86_400_000;
const VALID_BEFORE_MS = 86_400_000;

/**
 * The DTLS identity of every site that asks for one. A site that has a certificate keeps it, whichever controller made
 * it: nodes that hold it say it again, verbatim, when a controller asks at its start.
 */
export class SiteCertificates {
  readonly #options: SiteCertificatesOptions;
  readonly #writer: DocumentWriter<SiteCertificate>;
  readonly #reader: DocumentReader<SiteCertificate>;
  readonly #asking: Reading;
  /** Asked for, before this controller could make them. */
  readonly #wanted = new Set<SiteName>();
  #epoch: number | undefined;

  constructor(options: SiteCertificatesOptions) {
    this.#options = options;
    const { bus, clock, logger, writer } = options;
    const kind = siteCertificateDocument;
    this.#writer = new DocumentWriter({ bus, clock, kind, writer });
    // A site's certificate is remembered while nobody of the site is there to say it, hence no use of silence.
    const silent = (): void => {};
    this.#reader = new DocumentReader({ bus, clock, logger, kind, scope: anyScope, changed: () => {}, silent });
    this.#asking = bus.onAskedAgain(kind.name, anyScope, (scope) => {
      const site = SiteName.safeParse(scope);
      if (site.success) this.#want(site.data);
    });
  }

  /** This controller makes certificates from now on, and says all there are. */
  own(epoch: number): void {
    this.#epoch = epoch;
    for (const certificate of this.#reader.bodies()) this.#say(certificate, epoch);
    for (const site of [...this.#wanted]) this.#want(site);
  }

  disown(): void {
    this.#epoch = undefined;
    for (const { site } of this.#reader.bodies()) this.#writer.forget(site, site);
  }

  close(): void {
    this.#asking.close();
    this.#reader.close();
    this.#writer.close();
  }

  #want(site: SiteName): void {
    if (this.#reader.get(site, site) !== undefined || this.#writer.has(site, site)) {
      this.#wanted.delete(site);
    } else if (this.#epoch === undefined) {
      this.#wanted.add(site);
    } else {
      this.#wanted.delete(site);
      this.#say(this.#make(site), this.#epoch);
    }
  }

  #make(site: SiteName): SiteCertificate {
    const { clock, random, sealer, logger } = this.#options;
    const notAfterMs = clock.unixMs() + VALID_FOR_MS;
    const dates = { notBeforeMs: clock.unixMs() - VALID_BEFORE_MS, notAfterMs };
    const { certificatePem, privateKeyPem, fingerprints } = makeSelfSignedCertificate(
      { commonName: `Sluice ${site}`, ...dates },
      random,
    );
    logger.info('site.certificate-made', { site });
    const sealedPrivateKey = sealer.seal(siteKeyPurpose(site), privateKeyPem);
    return { site, certificatePem, sealedPrivateKey, fingerprints, notAfterMs };
  }

  #say(certificate: SiteCertificate, epoch: number): void {
    this.#writer.set(certificate.site, certificate.site, certificate, epoch);
  }
}
