import type { NetworkConditions } from '@sluice/packet-path';
import type { Mode } from '../client/connect-url.ts';
import type { WatchedQuality } from '../client/messages.ts';
import type { Publishing } from '../client/publication.ts';

/** What subscribers may ask for; `mixed`: each a different one. */
export const qualities = ['low', 'medium', 'high', 'mixed'] as const;

/** Whose network may be bad. */
export const impairable = ['all', 'publishers', 'subscribers'] as const;

/** A load test: whom to call, with how many, sending what, over which network. */
export interface LoadPlan {
  /** `ws://host:port` or `wss://…`. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly rooms: number;
  /** Of each room. */
  readonly publishers: number;
  readonly subscribers: number;
  /** Do publishers receive, too? */
  readonly publishersReceive: boolean;
  /** Measured for so long, once everybody is in. */
  readonly seconds: number;
  readonly joinsPerSecond: number;
  readonly mode: Mode;
  /** What each publisher sends, by name. */
  readonly publishes: Readonly<Record<string, Publishing>>;
  /** In which quality subscribers want video; left out, they do not say. */
  readonly watch?: (typeof qualities)[number];
  /** Clients that go in a minute while it is measured, and others that come for them. */
  readonly churnPerMinute?: number;
  /** Before each of these clients, the same from it and to it. */
  readonly network: NetworkConditions;
  readonly impaired: (typeof impairable)[number];
  /** Native threads that move the clients' packets. */
  readonly threads: number;
  /** Where the server tells its numbers (Prometheus). */
  readonly metricsUrl?: string;
}

export interface LoadMember {
  readonly roomName: string;
  readonly identity: string;
  readonly publishes: boolean;
  readonly receives: boolean;
  readonly watch?: WatchedQuality;
}

/** Everybody, room by room; publishers first. `run` tells tests of one server apart. */
export function membersOf(plan: LoadPlan, run: string): LoadMember[] {
  return Array.from({ length: plan.rooms }, (_, room) => {
    const roomName = `load-${run}-${room + 1}`;
    const publishers = Array.from({ length: plan.publishers }, (_, index) => ({
      roomName,
      identity: `publisher-${index + 1}`,
      publishes: true,
      receives: plan.publishersReceive,
      ...watchOf(plan, index),
    }));
    const subscribers = Array.from({ length: plan.subscribers }, (_, index) => ({
      roomName,
      identity: `subscriber-${index + 1}`,
      publishes: false,
      receives: true,
      ...watchOf(plan, index),
    }));
    return [...publishers, ...subscribers];
  }).flat();
}

/** Who comes in for someone who went. */
export function successorOf(member: LoadMember): LoadMember {
  const [name = '', times = '1'] = member.identity.split('#');
  return { ...member, identity: `${name}#${Number(times) + 1}` };
}

/** The network before a member. */
export function networkOf({ network, impaired }: LoadPlan, { publishes }: LoadMember): NetworkConditions {
  const isMeant = impaired === 'all' || publishes === (impaired === 'publishers');
  return isMeant ? network : {};
}

/** Streams that a member receives when all is well. */
export function expectedStreams({ publishers, publishes }: LoadPlan, member: LoadMember): number {
  if (!member.receives) return 0;
  return (publishers - (member.publishes ? 1 : 0)) * Object.keys(publishes).length;
}

const inTurn: readonly WatchedQuality[] = ['low', 'medium', 'high'];

function watchOf({ watch }: LoadPlan, index: number): { readonly watch?: WatchedQuality } {
  if (watch !== 'mixed') return watch === undefined ? {} : { watch };
  return { watch: inTurn[index % inTurn.length] ?? 'low' };
}
