import type { Bus } from '@sluice/bus';
import { makeNodeId, makeWriterId } from '@sluice/contracts';
import { type Identity, PacketPath } from '@sluice/packet-path';
import type { Clock, Logger, Metrics, RandomBytes, Sealer } from '@sluice/runtime';
import type { MediaNodeConfig } from './config.ts';
import { closedWhileStarting, packetPathFailed } from './errors.ts';
import { thisMachine } from './machine.ts';
import { exposeMetrics } from './metrics.ts';
import type { Machine, MediaNodePorts, OpenPacketPath, PacketPathPort, PacketPathWish } from './ports.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { Inspection } from './report/inspection.ts';
import { publicAddresses } from './report/public-addresses.ts';
import { Reporter } from './report/reporter.ts';
import { StreamMetrics } from './report/stream-metrics.ts';
import { SiteIdentity } from './site/site-identity.ts';

/** The world of a media node. */
export interface MediaNodeDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Opens the site's private key. */
  readonly sealer: Sealer;
  /** The real ones when left out; simulations give others. */
  readonly openPacketPath?: OpenPacketPath;
  readonly machine?: Machine;
}

export interface MediaNode {
  /** It has the site's certificate, listens, and has said so. Rejects with an `AppError` when it cannot. */
  readonly ready: Promise<void>;
  /** undefined: it is not up. */
  inspection(): Inspection | undefined;
  /** No session lands here any more; those that are here go on. */
  drain(): void;
  /** Stops at once; its sessions end. */
  close(): Promise<void>;
}

/** A node that is up. */
interface Running {
  readonly path: PacketPathPort;
  readonly reconciler: Reconciler;
  readonly reporter: Reporter;
  readonly inspection: Inspection;
  readonly stopMetrics: () => void;
}

export function startMediaNode(config: MediaNodeConfig, deps: MediaNodeDeps): MediaNode {
  const { bus, clock, random, sealer } = deps;
  const { site } = config;
  const node = makeNodeId(random);
  const logger = deps.logger.with({ nodeId: node, site });
  const ports: MediaNodePorts = { bus, clock, logger, site, node, writer: makeWriterId(random) };
  const identity = new SiteIdentity(ports, sealer);
  let running: Running | undefined;
  let closed = false;
  const ready = identity.ready.then(async (its) => {
    if (closed) throw closedWhileStarting();
    running = open(config, deps, ports, its);
    await running.reporter.start();
    logger.info('node.ready', { addresses: running.path.addresses });
  });
  ready.catch(() => {}); // whoever waits for it is told; nobody has to wait
  return {
    ready,
    inspection: () => running?.inspection,
    drain: () => {
      running?.path.drain();
      running?.reporter.drain();
    },
    close: async () => {
      if (closed) return;
      closed = true;
      identity.close();
      if (running !== undefined) shut(running);
      running = undefined;
    },
  };
}

function open(config: MediaNodeConfig, deps: MediaNodeDeps, ports: MediaNodePorts, identity: Identity): Running {
  const { machine = thisMachine, openPacketPath = openRealPacketPath } = deps;
  const bind = config.bindAddresses.map((address) => ({ address, port: config.udpPort }));
  const shards = config.shards === 0 ? Math.min(machine.cores, 64) : config.shards;
  // Events come only after this turn, when the reconciler is there.
  const path = openPacketPath({ bind, shards, identity, onEvent: (event) => reconciler.event(event) });
  const streams = new StreamMetrics(deps.metrics);
  const reconciler = new Reconciler(ports, path, (assessment) => streams.add(assessment));
  const reporter = new Reporter(ports, {
    path,
    publicAddresses: publicAddresses(config.publicAddresses, path.addresses, machine),
    counts: () => reconciler.counts(),
  });
  const inspection = new Inspection(ports.node, path, reconciler);
  return { path, reconciler, reporter, inspection, stopMetrics: exposeMetrics(deps.metrics, { reconciler, reporter }) };
}

function shut({ path, reconciler, reporter, stopMetrics }: Running): void {
  stopMetrics();
  reporter.close();
  reconciler.close();
  path.close();
}

function openRealPacketPath(wish: PacketPathWish): PacketPathPort {
  try {
    return PacketPath.open({ ...wish, tuning: {} });
  } catch (thrown) {
    throw packetPathFailed(thrown);
  }
}
