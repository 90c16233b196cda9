import { type Bus, DocumentReader } from '@sluice/bus';
import {
  type NodeReport,
  nodeReportDocument,
  type SiteCertificate,
  type SiteName,
  siteCertificateDocument,
} from '@sluice/contracts';
import type { Clock, Logger } from '@sluice/runtime';
import type { SiteTransport } from '../negotiation/index.ts';

export interface SiteWatchOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly site: SiteName;
  readonly changed: (site: SiteTransport) => void;
}

/** How clients reach this site's media: where its nodes are, by what they report, and what certificate they have. */
export class SiteWatch {
  readonly #options: SiteWatchOptions;
  readonly #reports: DocumentReader<NodeReport>;
  readonly #certificates: DocumentReader<SiteCertificate>;
  #current: SiteTransport | undefined;

  constructor(options: SiteWatchOptions) {
    const { bus, clock, logger, site } = options;
    this.#options = options;
    const common = { bus, clock, logger, scope: site, changed: () => this.#look() };
    this.#reports = new DocumentReader({ ...common, kind: nodeReportDocument });
    this.#certificates = new DocumentReader({ ...common, kind: siteCertificateDocument });
  }

  /** Undefined until a node and the certificate are known; afterwards the last that was known. */
  get current(): SiteTransport | undefined {
    return this.#current;
  }

  close(): void {
    this.#reports.close();
    this.#certificates.close();
  }

  #look(): void {
    const [certificate] = this.#certificates.bodies();
    const site = siteTransport([...this.#reports.bodies()], certificate);
    if (site === undefined || JSON.stringify(site) === JSON.stringify(this.#current)) return;
    this.#current = site;
    this.#options.changed(site);
  }
}

/** SHA-256 comes first: clients of every age know it. Nodes that drain are for those who are there already. */
export function siteTransport(
  reports: readonly NodeReport[],
  certificate: SiteCertificate | undefined,
): SiteTransport | undefined {
  const fingerprint =
    certificate?.fingerprints.find(({ algorithm }) => algorithm === 'sha-256') ?? certificate?.fingerprints[0];
  const staying = reports.filter(({ draining }) => !draining);
  const all = (staying.length > 0 ? staying : reports).flatMap(({ publicAddresses }) => publicAddresses);
  const addresses = [...new Map(all.map(({ address, port }) => [`${address} ${port}`, { address, port }])).values()];
  return fingerprint === undefined || addresses.length === 0 ? undefined : { addresses, fingerprint };
}
