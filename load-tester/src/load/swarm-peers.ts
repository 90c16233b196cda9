import type { NetworkConditions, PeerMediaReport, PeerSwarm, SwarmPeer } from '@sluice/packet-path';
import type { Clock } from '@sluice/runtime';
import type { PeerPort, PeerWish } from '../client/ports.ts';

export interface SwarmPeersOptions {
  readonly swarm: PeerSwarm;
  readonly clock: Clock;
  readonly up: NetworkConditions;
  readonly down: NetworkConditions;
}

/** Opens clients' ends of sessions in a swarm, each behind its own network. Reports are on the clock that is given. */
export function swarmPeers({ swarm, clock, up, down }: SwarmPeersOptions): (wish: PeerWish) => PeerPort {
  const aheadUs = clock.nowUs() - swarm.nowUs();
  return (wish) => portOf(swarm.add({ ...wish, up, down }), aheadUs);
}

const portOf = (peer: SwarmPeer, aheadUs: number): PeerPort => ({
  restart: (transport) => peer.restart(transport),
  setMedia: (media) => peer.setMedia(media),
  send: (streamId, kind, bytes) => peer.send(streamId, kind, bytes),
  report: () => shifted(peer.mediaReport(), aheadUs),
  close: () => peer.remove('goodbye'),
  vanish: () => peer.remove('without-a-word'),
});

function shifted(report: PeerMediaReport | undefined, byUs: number): PeerMediaReport | undefined {
  if (report === undefined) return undefined;
  const shift = <T extends { readonly firstUs?: number; readonly lastUs?: number }>(of: T): T => ({
    ...of,
    ...(of.firstUs === undefined ? {} : { firstUs: of.firstUs + byUs }),
    ...(of.lastUs === undefined ? {} : { lastUs: of.lastUs + byUs }),
  });
  const received = report.received.map((stream) => ({
    ...stream,
    ...(stream.frames === undefined ? {} : { frames: shift(stream.frames) }),
    ...(stream.audio === undefined ? {} : { audio: shift(stream.audio) }),
  }));
  return { ...report, received };
}
