import { Cloud } from '../cloud/cloud.ts';
import { perform } from './deeds.ts';
import { judge } from './judge.ts';
import type { Check, Scenario } from './scenario.ts';
import { World } from './world.ts';

/** What a run of a scenario came to; nothing wrong means that it passed. */
export interface Outcome {
  readonly scenario: string;
  readonly seed: number;
  readonly wrong: readonly string[];
  /** What helps to find out why. */
  readonly notes: readonly string[];
}

/** So long before each check a look is taken, to see what flows. */
const LOOK_S = 1;

/** Runs a scenario with one seed, faster than real time. */
export async function runScenario(scenario: Scenario, seed: number): Promise<Outcome> {
  const cloud = await Cloud.start({ seed, shards: scenario.shards ?? 1 });
  const world = new World(cloud, scenario);
  const startUs = cloud.time.clock.nowUs();
  const until = (atS: number): Promise<void> =>
    cloud.time.run(Math.max(0, startUs + Math.round(atS * 1_000_000) - cloud.time.clock.nowUs()));
  const wrong: string[] = [];
  for (const { atS, act } of timeline(scenario)) {
    await until(atS);
    wrong.push(...(await act(world)).map((what) => `at ${atS} s: ${what}`));
  }
  const notes = await notesOf(world);
  const { timers } = await cloud.close();
  if (timers > 0) wrong.push(`${timers} timers are left behind`);
  for (const { event, fields, level } of cloud.log) {
    if (level === 'error') wrong.push(`the log says ${event}: ${JSON.stringify(fields)}`);
  }
  return { scenario: scenario.name, seed, wrong, notes };
}

interface Step {
  readonly atS: number;
  act(world: World): Promise<string[]>;
}

function timeline({ participants, actions = [], checks = [], expect = {}, durationS }: Scenario): Step[] {
  const joins = participants.flatMap(({ identity, joinsAtS = 0 }): Step[] =>
    joinsAtS === 'when-told' ? [] : [{ atS: joinsAtS, act: (world) => world.join(identity).then(() => []) }],
  );
  const deeds = actions.map(
    (action): Step => ({ atS: action.atS, act: (world) => perform(action, world).then(() => []) }),
  );
  const judged = [...checks, { atS: durationS, expect }].flatMap((check: Check): Step[] => [
    {
      atS: check.atS - (check.expect.flowsWithinS ?? LOOK_S),
      act: async (world) => {
        world.look();
        return [];
      },
    },
    { atS: check.atS, act: (world) => judge(check.expect, world) },
  ]);
  return [...joins, ...deeds, ...judged].toSorted((one, other) => one.atS - other.atS);
}

async function notesOf({ cloud }: World): Promise<string[]> {
  const { sent, delivered, toNobody } = cloud.network.counts;
  const notes = [`${sent} datagrams were sent, ${delivered} delivered, ${toNobody} to nobody`];
  for (const [shard, { sessions, drops }] of ((await cloud.snapshot())?.shards ?? []).entries()) {
    notes.push(`shard ${shard}: ${sessions} sessions, drops ${JSON.stringify(drops)}`);
  }
  for (const { identity, states, room } of cloud.clients) {
    const story = states.map(({ atUs, state }) => `${state} at ${(atUs / 1_000_000).toFixed(2)} s`).join(', ');
    notes.push(
      `${identity} ${room.me.sid}: ${story}${room.endedBecause === undefined ? '' : ` (${room.endedBecause})`}`,
    );
  }
  return notes;
}
