import type { ParticipantPlan, Scenario } from '../scenario/scenario.ts';
import { both, camera, microphone, smallCamera } from './calls.ts';

/** Calls in which something happens. */

const ann: ParticipantPlan = { identity: 'ann', network: 'wifi', publishes: both };
const bob: ParticipantPlan = { identity: 'bob', network: 'lte', publishes: both };
const cal: ParticipantPlan = { identity: 'cal', network: 'wifi', mode: 'dual', publishes: both };

/** Far away, but nothing is lost. */
const lossless = { up: { delayMs: 30, jitterMs: 5 }, down: { delayMs: 30, jitterMs: 5 } };

export const incidents: readonly Scenario[] = [
  {
    name: "a client's NAT forgets in the middle of a call: media goes on within a consent interval",
    participants: [ann, bob],
    actions: [
      { atS: 4, who: 'ann', do: 'rebind' },
      { atS: 9, who: 'bob', do: 'rebind', ip: '203.0.113.9' },
    ],
    durationS: 14,
    // What comes from the new address is believed after the next check of consent, at the latest 3 s later.
    expect: { longestGapMs: 3_500, sessions: 2 },
  },
  {
    name: 'a client vanishes: its session ends by consent, its tracks go, the others go on',
    participants: [ann, bob, cal],
    actions: [{ atS: 4, who: 'bob', do: 'vanish' }],
    checks: [{ atS: 6, expect: { everybodyReceivesEverybody: false } }],
    durationS: 45,
    expect: { gone: ['bob'], sessions: 3, longestGapMs: 60_000 },
  },
  {
    name: 'a client crashes: its sockets close, and the room knows when its media has gone',
    participants: [ann, bob],
    actions: [{ atS: 4, who: 'bob', do: 'crash' }],
    durationS: 45,
    expect: { gone: ['bob'], sessions: 1 },
  },
  {
    name: 'a client leaves: within a second nobody knows it',
    participants: [ann, bob, cal],
    actions: [{ atS: 4, who: 'cal', do: 'leave' }],
    durationS: 5,
    expect: { gone: ['cal'], sessions: 2 },
  },
  {
    name: 'websockets break: clients resume with an ICE restart, and media does not notice',
    participants: [ann, bob, cal],
    actions: [
      { atS: 3, who: 'ann', do: 'restart-ice' },
      { atS: 4, who: 'cal', do: 'restart-ice' },
      { atS: 7, who: 'ann', do: 'restart-ice' },
    ],
    durationS: 10,
    expect: { resumes: { ann: 2, cal: 1 }, framesShown: 0.98, longestGapMs: 400, sessions: 4 },
  },
  {
    name: 'a tunnel: three seconds without network, and the call goes on',
    participants: [ann, bob],
    actions: [
      { atS: 4, who: 'bob', do: 'network', network: 'partition' },
      { atS: 7, who: 'bob', do: 'network', network: 'lte' },
    ],
    durationS: 11,
    expect: { longestGapMs: 5_000, sessions: 2 },
  },
  {
    name: 'the same identity joins again: the older one is shown out, the newer one stays',
    participants: [ann, bob],
    actions: [{ atS: 4, who: 'bob', do: 'join' }],
    durationS: 8,
    expect: { ended: { bob: 'DUPLICATE_IDENTITY' }, sessions: 2 },
  },
  {
    name: 'a late joiner sees a key frame within a round trip and 300 ms',
    shards: 2,
    participants: [
      { ...ann, network: lossless },
      { ...bob, network: lossless },
      { identity: 'late', network: lossless, joinsAtS: 5 },
      { identity: 'later', network: lossless, mode: 'dual', joinsAtS: 7 },
    ],
    durationS: 10,
    // The round trip from subscriber to publisher is 120 ms and some jitter.
    expect: { firstFrameAfterConnectedMs: { late: 450, later: 450 }, firstFrameMs: { late: 1_000, later: 1_000 } },
  },
  {
    name: 'the bus is away: media goes on; what changes meanwhile works when it is back',
    participants: [ann, bob, { ...cal, joinsAtS: 12 }],
    actions: [
      { atS: 4, who: '', do: 'cut-bus' },
      { atS: 6, who: 'ann', do: 'publish', track: 'screen', publishing: { ...smallCamera, source: 'screen-share' } },
      { atS: 7, who: 'bob', do: 'mute', track: 'cam' },
      { atS: 9, who: '', do: 'restore-bus' },
    ],
    checks: [
      {
        atS: 6.9,
        expect: {
          everybodyReceivesEverybody: false,
          longestGapMs: 400,
          flows: [
            { to: 'bob', of: 'ann', kind: 'video', is: true },
            { to: 'ann', of: 'bob', kind: 'audio', is: true },
          ],
        },
      },
    ],
    durationS: 16,
    expect: { sessions: 4 },
  },
  {
    name: 'the bus is away for two minutes: nobody is dropped',
    participants: [
      { ...ann, publishes: { mic: microphone } },
      { ...bob, publishes: { mic: microphone } },
    ],
    actions: [
      { atS: 4, who: '', do: 'cut-bus' },
      { atS: 124, who: '', do: 'restore-bus' },
    ],
    durationS: 135,
    expect: { concealed: 0.03, sessions: 2 },
  },
  {
    name: 'unsubscribed, nothing comes; subscribed again, it does, beginning with a key frame',
    participants: [ann, bob],
    actions: [
      { atS: 4, who: 'bob', do: 'unsubscribe', of: 'ann' },
      { atS: 7, who: 'bob', do: 'subscribe', of: 'ann' },
    ],
    checks: [
      {
        atS: 6,
        expect: {
          everybodyReceivesEverybody: false,
          flows: [
            { to: 'bob', of: 'ann', kind: 'video', is: false },
            { to: 'bob', of: 'ann', kind: 'audio', is: false },
            { to: 'ann', of: 'bob', kind: 'video', is: true },
          ],
        },
      },
    ],
    durationS: 10,
  },
  {
    name: 'who does not subscribe by itself gets what it asks for, and nothing else',
    participants: [ann, bob, { identity: 'picky', network: 'wifi', autoSubscribe: false }],
    actions: [{ atS: 3, who: 'picky', do: 'subscribe', of: 'ann' }],
    durationS: 6,
    expect: {
      flows: [
        { to: 'picky', of: 'ann', kind: 'video', is: true },
        { to: 'picky', of: 'bob', kind: 'video', is: false },
      ],
    },
  },
  {
    name: 'disabled, a track pauses; enabled, it goes on',
    participants: [ann, bob],
    actions: [
      { atS: 3, who: 'bob', do: 'disable', of: 'ann' },
      { atS: 6, who: 'bob', do: 'enable', of: 'ann' },
    ],
    checks: [
      {
        atS: 5.5,
        expect: {
          everybodyReceivesEverybody: false,
          flows: [{ to: 'bob', of: 'ann', kind: 'video', is: false }],
        },
      },
    ],
    durationS: 9,
  },
  {
    name: 'mute and unmute: silence meanwhile, and no freeze',
    participants: [ann, bob, cal],
    actions: [
      { atS: 3, who: 'ann', do: 'mute', track: 'cam' },
      { atS: 3.5, who: 'ann', do: 'mute', track: 'mic' },
      { atS: 6, who: 'ann', do: 'unmute', track: 'cam' },
      { atS: 7, who: 'ann', do: 'unmute', track: 'mic' },
    ],
    checks: [
      {
        atS: 5.5,
        expect: {
          flows: [
            { to: 'bob', of: 'ann', kind: 'video', is: false },
            { to: 'cal', of: 'ann', kind: 'audio', is: false },
          ],
        },
      },
    ],
    durationS: 10,
    expect: { longestGapMs: 500, concealed: 0.05 },
  },
  {
    name: 'a publisher takes its camera back and publishes another, and a screen besides',
    shards: 2,
    participants: [ann, bob, cal],
    actions: [
      { atS: 3, who: 'ann', do: 'unpublish', track: 'cam' },
      { atS: 4, who: 'ann', do: 'publish', track: 'cam', publishing: smallCamera },
      { atS: 4, who: 'cal', do: 'unpublish', track: 'mic' },
      { atS: 5, who: 'ann', do: 'publish', track: 'screen', publishing: { ...camera, source: 'screen-share' } },
      { atS: 6, who: 'ann', do: 'unpublish', track: 'cam' },
      { atS: 6.5, who: 'cal', do: 'publish', track: 'mic', publishing: microphone },
    ],
    durationS: 10,
  },
  {
    name: 'reliable messages arrive once and in order under loss, whatever else is sent',
    participants: [
      { ...ann, network: 'lossy' },
      { ...bob, network: 'lossy' },
      { ...cal, network: 'cellular' },
    ],
    actions: [
      { atS: 3, who: 'ann', do: 'send', how: 'reliable', count: 200, bytes: 1_000, everyMs: 10 },
      { atS: 3, who: 'bob', do: 'send', how: 'reliable', count: 20, bytes: 15_000, everyMs: 100 },
      { atS: 3.5, who: 'cal', do: 'send', how: 'reliable', count: 50, bytes: 100, everyMs: 20, to: ['ann'] },
    ],
    durationS: 20,
    expect: { data: 'all-in-order' },
  },
  {
    name: 'reliable messages survive a broken websocket and an ICE restart',
    participants: [ann, bob],
    actions: [
      { atS: 3, who: 'ann', do: 'send', how: 'reliable', count: 100, bytes: 500, everyMs: 30 },
      { atS: 4, who: 'ann', do: 'restart-ice' },
      { atS: 5, who: 'bob', do: 'restart-ice' },
    ],
    durationS: 12,
    expect: { data: 'all-in-order', resumes: { ann: 1, bob: 1 } },
  },
  {
    name: 'lossy messages arrive as far as the network carries them',
    participants: [ann, bob],
    actions: [{ atS: 3, who: 'ann', do: 'send', how: 'lossy', count: 100, bytes: 800, everyMs: 20 }],
    durationS: 8,
    expect: { lossyArrived: 0.9 },
  },
  {
    name: 'subscribers on every one of four shards get what is published on any',
    shards: 4,
    participants: [
      ann,
      bob,
      ...Array.from({ length: 6 }, (_, index): ParticipantPlan => ({ identity: `s${index}`, network: 'wifi' })),
    ],
    actions: [
      { atS: 4, who: 'ann', do: 'rebind' },
      { atS: 4, who: 's1', do: 'rebind' },
      { atS: 4, who: 's2', do: 'restart-ice' },
      { atS: 3, who: 'bob', do: 'send', how: 'reliable', count: 30, bytes: 200, everyMs: 50 },
    ],
    durationS: 10,
    expect: { data: 'all-in-order', resumes: { s2: 1 }, sessions: 8 },
  },
  {
    name: 'rooms do not hear of each other',
    shards: 2,
    participants: [
      ann,
      bob,
      { identity: 'dan', network: 'wifi', roomName: 'other', publishes: both },
      { identity: 'eve', network: 'wifi', roomName: 'other', publishes: both },
    ],
    actions: [{ atS: 3, who: 'dan', do: 'send', how: 'reliable', count: 10, bytes: 100, everyMs: 50 }],
    durationS: 6,
    expect: { data: 'all-in-order' },
  },
];
