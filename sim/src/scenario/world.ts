import type { ClientReport, Reliability } from '@sluice/load-tester';
import type { Cloud } from '../cloud/cloud.ts';
import type { SimClient } from '../cloud/sim-client.ts';
import { type AccessNetwork, type NetworkName, networks } from '../network/networks.ts';
import type { ParticipantPlan, Scenario } from './scenario.ts';

/** A message that the runner had someone send. */
export interface SentMessage {
  readonly from: string;
  readonly number: number;
  readonly how: Reliability;
  readonly bytes: number;
  /** Who was in the room when it was sent, and was meant. */
  readonly to: readonly SimClient[];
}

/** A scenario under way: its cloud, its clients by identity, and what was done. */
export class World {
  readonly cloud: Cloud;
  readonly scenario: Scenario;
  readonly sent: SentMessage[] = [];
  readonly #current = new Map<string, SimClient>();
  /** Of a second ago: what flows is told by the difference. */
  #before = new Map<SimClient, ClientReport>();

  constructor(cloud: Cloud, scenario: Scenario) {
    this.cloud = cloud;
    this.scenario = scenario;
  }

  /** Clients that are not over. */
  get present(): SimClient[] {
    return this.cloud.clients.filter(({ room }) => room.state !== 'ended' && room.state !== 'new');
  }

  plan(identity: string): ParticipantPlan {
    const plan = this.scenario.participants.find((each) => each.identity === identity);
    if (plan === undefined) throw new Error(`scenario: nobody is called ${identity}`);
    return plan;
  }

  /** The newest client of that identity. */
  client(identity: string): SimClient {
    const client = this.#current.get(identity);
    if (client === undefined) throw new Error(`scenario: ${identity} has not joined yet`);
    return client;
  }

  async join(identity: string): Promise<void> {
    const { network, mode = 'single', roomName = 'room', autoSubscribe = true, publishes = {} } = this.plan(identity);
    const access = accessOf(network);
    const client = await this.cloud.client({ identity, roomName, network: access, mode, autoSubscribe });
    this.#current.set(identity, client);
    for (const [track, publishing] of Object.entries(publishes)) client.room.publish(track, publishing);
    client.room.connect();
  }

  /** Remembers what everybody has received by now. */
  look(): void {
    this.#before = new Map(this.present.map((client) => [client, client.report()]));
  }

  before(client: SimClient): ClientReport | undefined {
    return this.#before.get(client);
  }
}

export const accessOf = (network: NetworkName | AccessNetwork): AccessNetwork =>
  typeof network === 'string' ? networks[network] : network;
