import { DocumentWriter } from '@sluice/bus';
import { type NodeReport, nodeReportDocument } from '@sluice/contracts';
import type { PathSnapshot } from '@sluice/packet-path';
import { errorMessage, type Timer } from '@sluice/runtime';
import type { MediaNodePorts, PacketPathPort } from '../ports.ts';
import { NodeLoad } from './node-load.ts';

export interface ReporterOptions {
  readonly path: PacketPathPort;
  readonly publicAddresses: NodeReport['publicAddresses'];
  readonly counts: () => Pick<NodeReport, 'sessions' | 'incomingTracks' | 'outgoingTracks'>;
}

const REPORT_INTERVAL_US = 1_000_000;

/** Says once a second how the node is, and at once when it begins to drain. */
export class Reporter {
  readonly #ports: MediaNodePorts;
  readonly #options: ReporterOptions;
  readonly #reports: DocumentWriter<NodeReport>;
  readonly #load = new NodeLoad();
  #snapshot: PathSnapshot = { shards: [] };
  #draining = false;
  #timer: Timer | undefined;
  #open = true;

  constructor(ports: MediaNodePorts, options: ReporterOptions) {
    this.#ports = ports;
    this.#options = options;
    const { bus, clock, writer } = ports;
    this.#reports = new DocumentWriter({ bus, clock, kind: nodeReportDocument, writer });
  }

  /** The packet path's numbers as they were at the last report. */
  get snapshot(): PathSnapshot {
    return this.#snapshot;
  }

  /** Reports now, and every second from then on. */
  async start(): Promise<void> {
    await this.#report();
    if (this.#open) this.#timer = this.#ports.clock.setTimer(REPORT_INTERVAL_US, () => void this.start());
  }

  drain(): void {
    this.#draining = true;
    void this.#report();
  }

  /** The site is told that this node is no more. */
  close(): void {
    this.#open = false;
    this.#timer?.cancel();
    this.#reports.remove(this.#ports.site, this.#ports.node);
    this.#reports.close();
  }

  async #report(): Promise<void> {
    try {
      this.#snapshot = await this.#options.path.snapshot();
    } catch (error) {
      // A shard that does not answer in time is alive at the next report, or the process is not.
      this.#ports.logger.warn('node.report-failed', { problem: errorMessage(error) });
    }
    if (!this.#open) return;
    const { site, node, clock } = this.#ports;
    const { sessions, incomingTracks, outgoingTracks } = this.#options.counts();
    this.#reports.set(site, node, {
      node,
      site,
      publicAddresses: this.#options.publicAddresses,
      draining: this.#draining,
      sessions,
      incomingTracks,
      outgoingTracks,
      ...this.#load.measure(this.#snapshot, clock.nowUs()),
      links: [],
    });
  }
}
