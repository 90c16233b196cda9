import type { NetworkName } from '../network/networks.ts';
import { SeededRandom } from '../network/random.ts';
import type { Action, Deed, ParticipantPlan, Scenario } from '../scenario/scenario.ts';
import { microphone, smallCamera } from './calls.ts';

const NAMES: readonly NetworkName[] = ['wifi', 'lan', 'lte'];
const PEOPLE = 5;
const DEEDS = 18;
const DEEDS_FROM_S = 0.5;
const DEEDS_UNTIL_S = 7;
const LONGEST_OUTAGE_S = 3;

/** `calm`: only what people do. `storm`: processes die, machines vanish, networks and the bus go away for a while. */
export type Weather = 'calm' | 'storm';

/** After this everything has come to rest: resumes and repairs; in a storm, sessions of those who vanished. */
const restS: Readonly<Record<Weather, number>> = { calm: 9, storm: 50 };

/** Doings of several people in any order. In the end all must be as if nothing had been. */
export function randomScenario(seed: number, weather: Weather): Scenario {
  const random = new SeededRandom(seed);
  const pick = <T>(all: readonly T[]): T => all[random.uint32() % all.length] as T;
  const people = Array.from({ length: PEOPLE }, (_, index) => `p${index}`);
  const participants = people.map(
    (identity): ParticipantPlan => ({
      identity,
      network: pick(NAMES),
      mode: pick(['single', 'dual']),
      joinsAtS: 'when-told',
      publishes: pick([{}, { mic: microphone }, { cam: smallCamera }, { mic: microphone, cam: smallCamera }]),
    }),
  );
  const here = new Set<string>();
  const actions: Action[] = [];
  const act = (action: Action): void => {
    actions.push(action);
    if (action.do === 'join') here.add(action.who);
    if (['leave', 'crash', 'vanish'].includes(action.do)) here.delete(action.who);
  };
  const times = Array.from({ length: DEEDS }, () => DEEDS_FROM_S + random.unit() * (DEEDS_UNTIL_S - DEEDS_FROM_S));
  act({ atS: 0, who: 'p0', do: 'join' });
  for (const atS of times.toSorted((one, other) => one - other)) {
    const who = pick(people);
    if (!here.has(who)) act({ atS, who, do: 'join' });
    else for (const action of pick(deeds(weather))(atS, who, random)) act(action);
  }
  return {
    name: `${weather}: whatever ${PEOPLE} people do, in the end everybody has exactly what is there`,
    shards: 1 + (random.uint32() % 3),
    participants,
    actions: actions.toSorted((one, other) => one.atS - other.atS),
    durationS: DEEDS_UNTIL_S + LONGEST_OUTAGE_S + restS[weather],
    expect: { comings: 'any', sessions: 'as-many-as-clients' },
  };
}

/** Something that someone who is there may do. */
export type Doing = (atS: number, who: string, random: SeededRandom) => Action[];

const once =
  (deed: Deed): Doing =>
  (atS, who) => [{ atS, who, ...deed }];

export const deeds = (weather: Weather): readonly Doing[] => (weather === 'calm' ? calm : [...calm, ...storm]);

const trackOf = (random: SeededRandom): string => ['mic', 'cam', 'screen'][random.uint32() % 3] ?? 'mic';

const calm: readonly Doing[] = [
  once({ do: 'leave' }),
  once({ do: 'restart-ice' }),
  once({ do: 'rebind' }),
  once({ do: 'join' }),
  (atS, who, random) => {
    const track = trackOf(random);
    return [{ atS, who, do: 'publish', track, publishing: track === 'mic' ? microphone : smallCamera }];
  },
  (atS, who, random) => [{ atS, who, do: 'unpublish', track: trackOf(random) }],
  (atS, who, random) => [{ atS, who, do: 'mute', track: trackOf(random) }],
  (atS, who, random) => [{ atS, who, do: 'unmute', track: trackOf(random) }],
];

const storm: readonly Doing[] = [
  once({ do: 'crash' }),
  once({ do: 'vanish' }),
  (atS, who, random) => [
    { atS, who, do: 'network', network: 'partition' },
    { atS: atS + random.unit() * LONGEST_OUTAGE_S, who, do: 'network', network: 'wifi' },
  ],
  (atS, who, random) => [
    { atS, who, do: 'cut-bus' },
    { atS: atS + random.unit() * LONGEST_OUTAGE_S, who, do: 'restore-bus' },
  ],
];
