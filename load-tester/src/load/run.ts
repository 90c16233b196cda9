import { createHash, X509Certificate } from 'node:crypto';
import { Fingerprint, randomBase62 } from '@sluice/contracts';
import { generateIdentity, PeerSwarm } from '@sluice/packet-path';
import { type Clock, errorMessage, type RandomBytes } from '@sluice/runtime';
import type { PeerPort, RoomClientPorts } from '../client/ports.ts';
import { RoomClient } from '../client/room-client.ts';
import { Churn } from './churn.ts';
import { Crowd } from './crowd.ts';
import { isConnected, type LoadClient } from './measure.ts';
import { expectedStreams, type LoadMember, type LoadPlan, membersOf, networkOf } from './plan.ts';
import { type LoadReport, loadReport } from './report.ts';
import { ServerWatch } from './server-watch.ts';
import { swarmPeers } from './swarm-peers.ts';
import { accessToken } from './token.ts';
import { webSocketDialer } from './web-socket.ts';

export interface LoadDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** How far it is; several times a second. */
  readonly progress: (progress: LoadProgress) => void;
  /** Ends the test early; what was measured by then is reported. */
  readonly stop: AbortSignal;
}

export interface LoadProgress {
  readonly phase: 'joining' | 'measuring' | 'leaving';
  /** 0 to 1, of this phase. */
  readonly done: number;
  readonly connected: number;
  readonly wanted: number;
}

/** Whoever is not up by then is not waited for. */
const CONNECT_WITHIN_US = 20_000_000;
/** After the last client came up, before the measured time begins: first key frames, first repairs. */
const SETTLE_US = 1_000_000;
const PROGRESS_US = 200_000;
/** At the end of the measured time nobody goes any more, so that whoever came last has time to receive. */
const CALM_US = 10_000_000;
/** What does not flow in the last part of the calm does not flow. */
const FLOW_US = 5_000_000;
/** By then the server knows of everybody who vanished (RFC 7675: 30 s) that they are gone, and has ended their rooms. */
const FORGOTTEN_WITHIN_US = 75_000_000;
const CERTIFICATE_DAYS = 30;
/** Certificates are valid from a little before now: clocks differ. */
const BACKDATED_S = 3_600;

/** Runs a load test against a real server. */
export async function runLoad(plan: LoadPlan, deps: LoadDeps): Promise<LoadReport> {
  const { clock, random } = deps;
  const problems = new Map<string, number>();
  const problem = (what: string): void => void problems.set(what, (problems.get(what) ?? 0) + 1);
  const identity = generateIdentity(Math.floor(clock.unixMs() / 1000) - BACKDATED_S, CERTIFICATE_DAYS);
  const swarm = new PeerSwarm({
    threads: plan.threads,
    identity,
    seed: Buffer.from(random(4)).readUInt32BE(),
    onEventsLost: (count) => problem(`${count} events of peers were lost: the load is too much for this machine`),
  });
  const ports = {
    clock,
    random,
    fingerprint: fingerprintOf(identity.certificatePem),
    dial: webSocketDialer(plan.url),
  };
  const make = (member: LoadMember): LoadClient => {
    const network = networkOf(plan, member);
    const openPeer = unlessRefused(swarmPeers({ swarm, clock, up: network, down: network }), problem);
    return makeClient(plan, { ...ports, openPeer }, { member, problem });
  };
  try {
    const crowd = new Crowd(clock, make);
    return await new LoadRun({ plan, deps, swarm, crowd, problems, problem }).run();
  } finally {
    swarm.close();
  }
}

function makeClient(
  plan: LoadPlan,
  ports: RoomClientPorts,
  { member, problem }: { readonly member: LoadMember; readonly problem: (what: string) => void },
): LoadClient {
  const options = {
    token: accessToken(plan, member, ports.clock.unixMs()),
    mode: plan.mode,
    autoSubscribe: member.receives,
    ...(member.watch === undefined ? {} : { watch: member.watch }),
  };
  const room = new RoomClient(options, ports, { problem });
  if (member.publishes) for (const [name, wish] of Object.entries(plan.publishes)) room.publish(name, wish);
  return { member, room, expected: expectedStreams(plan, member) };
}

/** Whoever gets no socket from the system does not come in; the others go on. */
function unlessRefused(
  openPeer: RoomClientPorts['openPeer'],
  problem: (what: string) => void,
): RoomClientPorts['openPeer'] {
  return (wish) => {
    try {
      return openPeer(wish);
    } catch (error) {
      const advice = error instanceof Error && 'advice' in error ? `: ${String(error.advice)}` : '';
      problem(`${errorMessage(error)}${advice}`);
      return nobody;
    }
  };
}

const nothing = (): undefined => undefined;
const nobody: PeerPort = {
  restart: nothing,
  setMedia: nothing,
  send: () => 'no-such-channel',
  report: nothing,
  close: nothing,
  vanish: nothing,
};

interface RunParts {
  readonly plan: LoadPlan;
  readonly deps: LoadDeps;
  readonly swarm: PeerSwarm;
  readonly crowd: Crowd;
  readonly problems: ReadonlyMap<string, number>;
  readonly problem: (what: string) => void;
}

class LoadRun {
  readonly #parts: RunParts;
  readonly #members: readonly LoadMember[];
  readonly #server: ServerWatch | undefined;

  constructor(parts: RunParts) {
    const { plan, deps, problem } = parts;
    this.#parts = parts;
    this.#members = membersOf(plan, randomBase62(deps.random, 6));
    if (plan.metricsUrl !== undefined)
      this.#server = new ServerWatch({ clock: deps.clock, url: plan.metricsUrl, problem });
  }

  async run(): Promise<LoadReport> {
    const { crowd, swarm, deps, problems } = this.#parts;
    await this.#server?.begin();
    await this.#joinAll();
    await this.#pass(SETTLE_US);
    await this.#server?.measure();
    const threadsBefore = swarm.threads();
    const startUs = deps.clock.nowUs();
    crowd.measure();
    await this.#measure();
    const seconds = Math.max(0.001, (deps.clock.nowUs() - startUs) / 1_000_000);
    const tally = crowd.tally();
    const threads = swarm.threads().flatMap((thread, index) => {
      const earlier = threadsBefore[index];
      return earlier === undefined ? [] : [{ before: earlier, after: thread }];
    });
    for (const client of crowd.clients) this.#noteEnd(client);
    this.#server?.stop();
    crowd.leave();
    await this.#untilForgotten();
    return loadReport({ seconds, tally, threads, problems, server: this.#server?.report() });
  }

  /** One after the other, at the rate asked for; then as long as it takes, within bounds. */
  async #joinAll(): Promise<void> {
    const { plan, deps, crowd } = this.#parts;
    const { clock, stop } = deps;
    const intervalUs = 1_000_000 / plan.joinsPerSecond;
    const startUs = clock.nowUs();
    for (const [index, member] of this.#members.entries()) {
      if (stop.aborted) return;
      crowd.come(member);
      const nextUs = startUs + (index + 1) * intervalUs;
      if (nextUs > clock.nowUs()) await this.#sleep(nextUs - clock.nowUs());
      if (index % Math.ceil(plan.joinsPerSecond / 5) === 0) this.#tell('joining', index / this.#members.length);
    }
    const endUs = clock.nowUs() + CONNECT_WITHIN_US;
    while (!stop.aborted && clock.nowUs() < endUs && !crowd.settled) {
      await this.#sleep(PROGRESS_US);
      this.#tell('joining', crowd.connected / this.#members.length);
    }
  }

  async #measure(): Promise<void> {
    const { plan, deps, crowd } = this.#parts;
    // Without anybody there is nothing to wait for.
    if (crowd.connected === 0) return;
    const wholeUs = plan.seconds * 1_000_000;
    const perMinute = plan.churnPerMinute;
    if (perMinute === undefined) return await this.#pass(wholeUs, (done) => this.#tell('measuring', done));
    const calmUs = Math.min(CALM_US, wholeUs / 2);
    const lastUs = Math.min(FLOW_US, calmUs / 2);
    const partsUs = [wholeUs - calmUs, calmUs - lastUs, lastUs] as const;
    let doneUs = 0;
    const pass = async (forUs: number): Promise<void> => {
      await this.#pass(forUs, (done) => this.#tell('measuring', (doneUs + done * forUs) / wholeUs));
      doneUs += forUs;
    };
    const churn = new Churn({ clock: deps.clock, random: deps.random, crowd, perMinute });
    await pass(partsUs[0]);
    churn.stop();
    await pass(partsUs[1]);
    crowd.expectFlow();
    await pass(partsUs[2]);
  }

  /** Gives a server that is watched the time to forget everybody. */
  async #untilForgotten(): Promise<void> {
    this.#tell('leaving', 0);
    if (this.#server === undefined) return;
    const { clock, stop } = this.#parts.deps;
    const startUs = clock.nowUs();
    while (!(await this.#server.end()) && !stop.aborted && clock.nowUs() - startUs < FORGOTTEN_WITHIN_US) {
      await this.#pass(1_000_000);
      this.#tell('leaving', (clock.nowUs() - startUs) / FORGOTTEN_WITHIN_US);
    }
  }

  /** Lets time pass, or not when it is to stop. */
  async #pass(forUs: number, tell: (done: number) => void = () => {}): Promise<void> {
    const { clock, stop } = this.#parts.deps;
    const startUs = clock.nowUs();
    for (let leftUs = forUs; leftUs > 0 && !stop.aborted; leftUs = startUs + forUs - clock.nowUs()) {
      await this.#sleep(Math.min(PROGRESS_US, leftUs));
      tell(Math.min(1, (clock.nowUs() - startUs) / forUs));
    }
  }

  #sleep(forUs: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.deps.clock.setTimer(forUs, resolve));
  }

  #tell(phase: LoadProgress['phase'], done: number): void {
    const { deps, crowd } = this.#parts;
    deps.progress({ phase, done: Math.min(1, done), connected: crowd.connected, wanted: this.#members.length });
  }

  #noteEnd(client: LoadClient): void {
    if (isConnected(client)) return;
    const { endedBecause, lastTrouble } = client.room;
    this.#parts.problem(endedBecause ?? lastTrouble ?? 'its media did not come up in time');
  }
}

function fingerprintOf(certificatePem: string): Fingerprint {
  const der = new X509Certificate(certificatePem).raw;
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return Fingerprint.parse({ algorithm: 'sha-256', value: hex.match(/../g)?.join(':') });
}
