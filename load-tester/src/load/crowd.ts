import type { ReceivedStreamReport } from '@sluice/packet-path';
import type { Clock } from '@sluice/runtime';
import type { ClientReport } from '../client/client-report.ts';
import {
  type Entry,
  entryOf,
  isConnected,
  type LoadClient,
  type StreamSpan,
  type Streams,
  spanOf,
  streamsOf,
} from './measure.ts';
import type { LoadMember } from './plan.ts';

/** How a client goes: as it should, with its sockets closed by the system, or without anything more from it. */
export type Departure = 'leave' | 'crash' | 'vanish';

/** How many came and went. */
export interface ClientCounts {
  /** Everybody who was to come in, those who came for others too. */
  readonly wanted: number;
  /** In the room with media up: when the measured time began, or later where they came later. */
  readonly connected: number;
  /** Of these, not there any more when it ended, though nobody sent them away. */
  readonly dropped: number;
  readonly resumes: number;
  readonly rejoins: number;
  /** Sent away while it was measured (churn). */
  readonly departures: Readonly<Record<Departure, number>>;
}

/** What is known of everybody who is, or was, of a test. */
export interface CrowdTally {
  readonly clients: ClientCounts;
  readonly streams: { readonly expected: number; readonly flowing: number };
  readonly entries: readonly Entry[];
  readonly spans: readonly StreamSpan[];
}

/** Of someone who is there. */
interface Watch {
  /** In the room with media up when the measured time began. */
  connected: boolean;
  /** It came later. */
  readonly newcomer: boolean;
  before: Streams;
  /** Since when its streams must flow. */
  calm: Streams;
  /** Whose publishers went. */
  readonly over: Set<number>;
  /** Of what it has seen, also of those who went. */
  firstPictureUs: number | undefined;
}

/** Everybody of a load test: those who are there, and what those saw who went. */
export class Crowd {
  readonly #clock: Clock;
  readonly #make: (member: LoadMember) => LoadClient;
  readonly #there = new Map<LoadClient, Watch>();
  readonly #entries: Entry[] = [];
  readonly #spans: StreamSpan[] = [];
  readonly #departures: Record<Departure, number> = { leave: 0, crash: 0, vanish: 0 };
  #gone = { wanted: 0, connected: 0, resumes: 0, rejoins: 0 };
  #measuredFromUs: number | undefined;

  constructor(clock: Clock, make: (member: LoadMember) => LoadClient) {
    this.#clock = clock;
    this.#make = make;
  }

  get clients(): LoadClient[] {
    return [...this.#there.keys()];
  }

  get connected(): number {
    return this.clients.filter(isConnected).length;
  }

  /** Nobody is to be waited for any more. */
  get settled(): boolean {
    return this.clients.every((client) => isConnected(client) || client.room.state === 'ended');
  }

  come(member: LoadMember): void {
    const client = this.#make(member);
    const newcomer = this.#measuredFromUs !== undefined;
    this.#there.set(client, {
      connected: false,
      newcomer,
      before: new Map(),
      calm: new Map(),
      over: new Set(),
      firstPictureUs: undefined,
    });
    client.room.connect();
  }

  go(client: LoadClient, how: Departure): void {
    const watch = this.#there.get(client);
    if (watch === undefined) return;
    this.#bank(client, watch);
    this.#endStreamsOf(client);
    this.#there.delete(client);
    this.#departures[how]++;
    client.room[how]();
  }

  /** What happens from now on counts. */
  measure(): void {
    this.#measuredFromUs = this.#clock.nowUs();
    for (const [client, watch] of this.#there) {
      watch.before = streamsOf(client.room.report());
      watch.connected = isConnected(client);
    }
    this.expectFlow();
  }

  /** Every stream that is to come must come from now on. */
  expectFlow(): void {
    for (const [client, watch] of this.#there) watch.calm = streamsOf(client.room.report());
  }

  tally(): CrowdTally {
    const streams = { expected: 0, flowing: 0 };
    const entries = [...this.#entries];
    const spans = [...this.#spans];
    let connected = 0;
    let dropped = 0;
    for (const [client, watch] of this.#there) {
      const report = client.room.report();
      const came = hasCome(client, watch);
      if (came) connected++;
      if (came && client.room.state !== 'live') dropped++;
      entries.push(entryOf(client.room.times, firstPicture(report, watch)));
      spans.push(...this.#spansOf(report, watch));
      streams.expected += client.expected;
      streams.flowing += Math.min(client.expected, flowing(streamsOf(report), watch));
    }
    const rooms = this.clients.map(({ room }) => room);
    const clients = {
      wanted: this.#gone.wanted + this.#there.size,
      connected: this.#gone.connected + connected,
      dropped,
      resumes: rooms.reduce((total, { resumes }) => total + resumes, this.#gone.resumes),
      rejoins: rooms.reduce((total, { rejoins }) => total + rejoins, this.#gone.rejoins),
      departures: { ...this.#departures },
    };
    return { clients, streams, entries, spans };
  }

  leave(): void {
    for (const { room } of this.clients) room.leave();
  }

  /** Remembers what someone saw who goes. */
  #bank(client: LoadClient, watch: Watch): void {
    const report = client.room.report();
    this.#entries.push(entryOf(client.room.times, firstPicture(report, watch)));
    this.#spans.push(...this.#spansOf(report, watch));
    this.#gone.wanted++;
    if (hasCome(client, watch)) this.#gone.connected++;
    this.#gone.resumes += client.room.resumes;
    this.#gone.rejoins += client.room.rejoins;
  }

  /** What the others saw of someone who goes is over: that nothing more comes is no fault of the server's. */
  #endStreamsOf(publisher: LoadClient): void {
    if (!publisher.member.publishes) return;
    const marks = new Set(publisher.room.report().sent.map(({ mark }) => mark));
    for (const [client, watch] of this.#there) {
      if (client.member.roomName !== publisher.member.roomName || client === publisher) continue;
      const report = client.room.report();
      watch.firstPictureUs = firstPicture(report, watch);
      const ended = { ...report, received: report.received.filter(({ stream }) => marks.has(stream?.source ?? 0)) };
      this.#spans.push(...this.#spansOf(ended, watch));
      for (const ssrc of streamsOf(ended).keys()) watch.over.add(ssrc);
    }
  }

  #spansOf(report: ClientReport, { before, over }: Watch): StreamSpan[] {
    const toUs = this.#clock.nowUs();
    const fromUs = this.#measuredFromUs ?? toUs;
    return [...streamsOf(report)].flatMap(([ssrc, stream]) =>
      over.has(ssrc) ? [] : [spanOf(before.get(ssrc), stream, { fromUs, toUs })],
    );
  }
}

const hasCome = (client: LoadClient, { connected, newcomer }: Watch): boolean =>
  newcomer ? client.room.times.connectedUs !== undefined : connected;

const flowing = (streams: Streams, { calm }: Watch): number =>
  [...streams].filter(([ssrc, stream]) => {
    const before = calm.get(ssrc);
    return usable(stream) > (before === undefined ? 0 : usable(before));
  }).length;

/** Packets of video of which nothing can be shown are no stream. */
const usable = ({ packets, frames }: ReceivedStreamReport): number => frames?.decoded ?? packets;

function firstPicture(report: ClientReport, { firstPictureUs }: Watch): number | undefined {
  const moments = report.received.flatMap(({ stream }) => stream?.frames?.firstUs ?? []);
  const all = firstPictureUs === undefined ? moments : [...moments, firstPictureUs];
  return all.length === 0 ? undefined : Math.min(...all);
}
