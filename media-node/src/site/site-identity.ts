import { anyScope, type BusDocument, DocumentReader, type Reading } from '@sluice/bus';
import { type SiteCertificate, siteCertificateDocument, siteKeyPurpose } from '@sluice/contracts';
import type { Identity } from '@sluice/packet-path';
import type { Sealer, Timer } from '@sluice/runtime';
import { closedWhileStarting, wrongClusterSecret } from '../errors.ts';
import type { MediaNodePorts } from '../ports.ts';

/** Whoever makes certificates may start later than this node. */
const ASK_INTERVAL_US = 1_000_000;

/** The DTLS identity that this node shares with all nodes of its site. */
export class SiteIdentity {
  /** The first certificate that was heard. */
  readonly ready: Promise<Identity>;
  readonly #ports: MediaNodePorts;
  readonly #sealer: Sealer;
  readonly #ready = Promise.withResolvers<Identity>();
  readonly #reader: DocumentReader<SiteCertificate>;
  readonly #asking: Reading;
  #timer: Timer | undefined;
  #held: { readonly certificatePem: string; readonly document: BusDocument } | undefined;

  constructor(ports: MediaNodePorts, sealer: Sealer) {
    this.#ports = ports;
    this.#sealer = sealer;
    this.ready = this.#ready.promise;
    const { bus, clock, logger, site } = ports;
    this.#reader = new DocumentReader({
      bus,
      clock,
      logger,
      kind: siteCertificateDocument,
      scope: site,
      changed: (certificate, document) => certificate !== null && this.#heard(certificate, document),
      // The node goes on with what it has.
      silent: () => {},
    });
    this.#askLater();
    // A controller that starts asks for every site's: this one outlives its writer.
    this.#asking = bus.onAskedAgain(siteCertificateDocument.name, anyScope, (asked) => {
      if (asked === anyScope && this.#held !== undefined) bus.say(this.#held.document);
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#reader.close();
    this.#asking.close();
    this.#ready.reject(closedWhileStarting());
  }

  #heard(certificate: SiteCertificate, document: BusDocument): void {
    const { logger, site } = this.#ports;
    if (this.#held === undefined) this.#take(certificate);
    else if (this.#held.certificatePem !== certificate.certificatePem) {
      // Sessions are bound to the first one; nodes take another only by starting anew.
      logger.error('site.certificate-changed', { site, writer: document.writer });
      return;
    }
    this.#held = { certificatePem: certificate.certificatePem, document };
  }

  #take({ site, certificatePem, sealedPrivateKey }: SiteCertificate): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const privateKeyPem = this.#sealer.open(siteKeyPurpose(site), sealedPrivateKey)?.toString('utf8');
    if (privateKeyPem === undefined) this.#ready.reject(wrongClusterSecret(site));
    else this.#ready.resolve({ certificatePem, privateKeyPem });
  }

  #askLater(): void {
    const { clock, logger, site } = this.#ports;
    this.#timer = clock.setTimer(ASK_INTERVAL_US, () => {
      logger.warn('site.certificate-missing', { site });
      this.#reader.askAgain();
      this.#askLater();
    });
  }
}
