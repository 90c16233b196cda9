import { DocumentWriter, LeaseKeeper } from '@sluice/bus';
import { makeWriterId, roomViewDocument } from '@sluice/contracts';
import type { Metrics, Sealer } from '@sluice/runtime';
import type { ControllerConfig } from './config.ts';
import { SiteCertificates, siteCertificatesLease } from './fleet/site-certificates.ts';
import { exposeMetrics } from './metrics.ts';
import type { ControllerPorts } from './ports.ts';
import { roomShards } from './rooms/room-shards.ts';
import { Rooms } from './rooms/rooms.ts';

/** The world of a controller. */
export interface ControllerDeps extends Omit<ControllerPorts, 'writer'> {
  readonly metrics: Metrics;
  /** Seals what only nodes of this cloud may read. */
  readonly sealer: Sealer;
}

export interface Controller {
  /** It has heard what there is and owns what it can get. */
  readonly ready: Promise<void>;
  /** Gives its leases back: another controller goes on. */
  close(): Promise<void>;
}

/** How long a controller that starts listens before it owns anything: to know rooms and certificates that there are. */
const LISTEN_US = 200_000;
/** A controller that dies is followed within the sum of these two: 3 s is the bound that joins may wait. */
const LEASE_US = 2_000_000;
const LEASE_RETRY_US = 500_000;

export function startController(config: ControllerConfig, deps: ControllerDeps): Controller {
  const { bus, clock, logger, random, metrics, sealer } = deps;
  const ports: ControllerPorts = { bus, clock, logger, random, writer: makeWriterId(random) };
  const views = new DocumentWriter({ bus, clock, kind: roomViewDocument, writer: ports.writer });
  const rooms = new Rooms({ ...ports, settings: config.rooms, views });
  const certificates = new SiteCertificates({ ...ports, sealer });
  const leases = new LeaseKeeper({
    bus,
    clock,
    names: [siteCertificatesLease, ...roomShards],
    durationUs: LEASE_US,
    retryUs: LEASE_RETRY_US,
    owned: (name, epoch) => (name === siteCertificatesLease ? certificates.own(epoch) : rooms.own(name, epoch)),
    lost: (name) => {
      logger.warn('lease.lost', { lease: name });
      if (name === siteCertificatesLease) certificates.disown();
      else rooms.disown(name);
    },
  });
  const stopMetrics = exposeMetrics(metrics, rooms);
  const listening = Promise.withResolvers<void>();
  const timer = clock.setTimer(LISTEN_US, listening.resolve);
  return {
    ready: listening.promise.then(() => leases.start()),
    close: async () => {
      timer.cancel();
      listening.resolve();
      stopMetrics();
      await leases.close();
      rooms.close();
      certificates.close();
      views.close();
    },
  };
}
