import { growth, isTable, sampleOf } from '@sluice/load-tester/internal';
import { Cloud } from '../cloud/cloud.ts';
import type { NetworkName } from '../network/networks.ts';
import { SeededRandom } from '../network/random.ts';
import { perform } from '../scenario/deeds.ts';
import { judge } from '../scenario/judge.ts';
import type { Action, Deed, ParticipantPlan } from '../scenario/scenario.ts';
import { World } from '../scenario/world.ts';
import { microphone } from '../scenarios/calls.ts';
import { type Doing, deeds } from '../scenarios/random.ts';

/** Hours in which people come, do things and go, by fair means and foul, with rests in which all must be as it should. */
export interface ChurnPlan {
  readonly seed: number;
  /** Doing and rest after each other; then everybody leaves. */
  readonly periods: number;
  readonly doingS: number;
  readonly deedsPerMinute: number;
  readonly rooms: number;
  /** Of each room. */
  readonly people: number;
}

/** What is held at the end of a rest. */
export interface ChurnMoment {
  readonly atS: number;
  readonly present: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly tables: Readonly<Record<string, number>>;
}

export interface ChurnOutcome {
  readonly seed: number;
  readonly wrong: readonly string[];
  readonly moments: readonly ChurnMoment[];
  readonly done: Readonly<Record<string, number>>;
  /** From the median of the second quarter of the moments to that of the last: the first is for warming up. */
  readonly heapGrowth: number;
  readonly residentGrowth: number;
}

export interface ChurnDeps {
  /** What this process holds once its garbage is collected. */
  readonly memory: () => { readonly heapBytes: number; readonly residentBytes: number };
  readonly tell: (moment: ChurnMoment) => void;
}

/** In storms, sessions of those who vanished take so long to be missed and forgotten. */
const REST_S = 60;
/** What flows has flowed for so long when it is judged. */
const LOOK_S = 4;
/** By then documents of those who left are forgotten too, and their rooms are over. */
const FORGOTTEN_S = 400;

const networks: readonly NetworkName[] = ['wifi', 'lan', 'lte', 'dsl'];

/** Numbers that a correct cloud never moves, whatever clients and networks do. */
const impossible: readonly RegExp[] = [
  /^sluice_controller_refused_documents_total/,
  /^sluice_media_document_events_total\{event="(specs-misaddressed|specs-refused|specs-beyond-limit|specs-invalid|events-lost)"/,
  /^sluice_media_drops_total\{reason="(unclassified|datagram-too-large|stun-malformed|stun-pending-full|pool-empty|shard-queue-full|sctp-refused|srtp-malformed|srtp-unauthenticated|rtp-malformed|rtx-malformed|rtcp-malformed|no-common-format|burst-refused|seal-failed|data-malformed|data-send-refused|event-queue-full)"/,
];

/** Runs it, faster than real time. */
export async function runChurn(plan: ChurnPlan, deps: ChurnDeps): Promise<ChurnOutcome> {
  const cloud = await Cloud.start({ seed: plan.seed, shards: 2 });
  const crowd = new ChurnCrowd(cloud, plan);
  const wrong: string[] = [];
  const moments: ChurnMoment[] = [];
  for (let period = 0; period < plan.periods; period++) {
    await crowd.act();
    wrong.push(...(await crowd.rest()));
    cloud.forgetEnded();
    const moment = await momentOf(cloud, crowd.nowS, deps);
    moments.push(moment);
    deps.tell(moment);
  }
  wrong.push(...(await crowd.leave()));
  const { timers } = await cloud.close();
  if (timers > 0) wrong.push(`${timers} timers are left behind`);
  return {
    seed: plan.seed,
    wrong,
    moments,
    done: Object.fromEntries(crowd.done),
    heapGrowth: growth(moments.map(({ heapBytes }) => heapBytes)),
    residentGrowth: growth(moments.map(({ residentBytes }) => residentBytes)),
  };
}

async function momentOf(cloud: Cloud, atS: number, { memory }: ChurnDeps): Promise<ChurnMoment> {
  const { tables } = sampleOf(await cloud.metrics(), 0);
  return { atS, present: cloud.clients.length, ...memory(), tables };
}

class ChurnCrowd {
  readonly done = new Map<string, number>();
  readonly #cloud: Cloud;
  readonly #plan: ChurnPlan;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #startUs: number;
  #untilS = 0;

  constructor(cloud: Cloud, plan: ChurnPlan) {
    this.#cloud = cloud;
    this.#plan = plan;
    this.#random = new SeededRandom(plan.seed);
    this.#startUs = cloud.time.clock.nowUs();
    this.#world = new World(cloud, { name: 'churn', participants: this.#people(), durationS: 0 });
  }

  get nowS(): number {
    return (this.#cloud.time.clock.nowUs() - this.#startUs) / 1_000_000;
  }

  /** People come, do things and go. */
  async act(): Promise<void> {
    const fromS = this.nowS;
    this.#untilS = fromS + this.#plan.doingS;
    const everyS = 60 / this.#plan.deedsPerMinute;
    let later: Action[] = [];
    for (let atS = fromS; atS < this.#untilS; atS += everyS) {
      const due = [...later, ...this.#next(atS)].toSorted((one, other) => one.atS - other.atS);
      later = due.filter((action) => action.atS >= atS + everyS);
      for (const action of due) if (action.atS < atS + everyS) await this.#perform(action);
    }
    for (const action of later) await this.#perform(action);
  }

  /** Nobody does anything; in the end everybody has exactly what is there. */
  async rest(): Promise<string[]> {
    await this.#until(this.nowS + REST_S - LOOK_S);
    this.#world.look();
    await this.#until(this.nowS + LOOK_S);
    const wrong = [...(await judge({ comings: 'any', sessions: 'as-many-as-clients' }, this.#world))];
    for (const { level, event, fields } of this.#cloud.takeLog()) {
      if (level === 'error') wrong.push(`the log says ${event}: ${JSON.stringify(fields)}`);
    }
    const { counters } = sampleOf(await this.#cloud.metrics(), 0);
    for (const [name, value] of Object.entries(counters)) {
      if (value > 0 && impossible.some((known) => known.test(name))) wrong.push(`${name} moved: ${value}`);
    }
    return wrong.map((what) => `at ${this.nowS.toFixed(0)} s: ${what}`);
  }

  /** Everybody leaves, and nothing of them stays. */
  async leave(): Promise<string[]> {
    for (const { room } of this.#cloud.clients) room.leave();
    await this.#until(this.nowS + FORGOTTEN_S);
    this.#cloud.forgetEnded();
    const { tables } = sampleOf(await this.#cloud.metrics(), 0);
    return Object.entries(tables).flatMap(([name, value]) =>
      value > 0 && (isTable(name) || /_(rooms|intents)$/.test(name))
        ? [`after everybody left, ${name} is ${value}`]
        : [],
    );
  }

  #next(atS: number): Action[] {
    const who = this.#pick(this.#world.scenario.participants).identity;
    const isHere = this.#cloud.clients.some(({ identity, room }) => identity === who && room.state !== 'ended');
    if (!isHere) return [{ atS, who, do: 'join' }];
    return this.#pick(doings)(atS, who, this.#random);
  }

  async #perform(action: Action): Promise<void> {
    await this.#until(action.atS);
    this.done.set(action.do, (this.done.get(action.do) ?? 0) + 1);
    await perform(action, this.#world);
  }

  async #until(atS: number): Promise<void> {
    const { time } = this.#cloud;
    await time.run(Math.max(0, this.#startUs + Math.round(atS * 1_000_000) - time.clock.nowUs()));
  }

  #people(): ParticipantPlan[] {
    const { rooms, people } = this.#plan;
    return Array.from({ length: rooms * people }, (_, index) => ({
      identity: `p${index}`,
      roomName: `room-${index % rooms}`,
      network: this.#pick(networks),
      mode: this.#pick(['single', 'dual'] as const),
      joinsAtS: 'when-told',
      // One in each room speaks from the start; the others publish what they come to publish.
      publishes: index < rooms ? { mic: microphone } : {},
    }));
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#random.uint32() % all.length] as T;
  }
}

const again = (deed: Deed): Doing => {
  return (atS, who) => [{ atS, who, ...deed }];
};

/** Whatever people may do, and going more often than the rest. */
const doings: readonly Doing[] = [
  ...deeds('storm'),
  again({ do: 'leave' }),
  again({ do: 'leave' }),
  again({ do: 'crash' }),
  again({ do: 'vanish' }),
];
