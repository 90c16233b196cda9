import { Cloud } from '../cloud/cloud.ts';
import type { SimClient } from '../cloud/sim-client.ts';
import { networks } from '../network/networks.ts';
import { Competitor } from './competitor.ts';
import { figuresOf, judge } from './figures.ts';
import type { Result, Sample, Trial } from './trial.ts';

const LOOK_S = 0.1;
const VIEWER = 'viewer';

/** Runs a trial with one seed. */
export async function runTrial(trial: Trial, seed: number): Promise<Result> {
  const cloud = await Cloud.start({ seed });
  const { clock } = cloud.time;
  const startUs = clock.nowUs();
  const nowS = (): number => (clock.nowUs() - startUs) / 1_000_000;
  for (const [index, tracks] of trial.publishers.entries()) {
    const publisher = await join(cloud, `publisher-${index + 1}`, networks.lan);
    for (const [name, publishing] of Object.entries(tracks)) publisher.room.publish(name, publishing);
    publisher.room.connect();
  }
  const { viewerJoinsAtS = 1, down } = trial;
  await cloud.run(viewerJoinsAtS);
  const { rateBps: _, ...symmetric } = down;
  const viewer = await join(cloud, VIEWER, { down, up: trial.up ?? symmetric });
  viewer.room.connect();
  const changes = [...(trial.steps ?? [])];
  const competitor = new Competitor(clock, viewer.host.down);
  const competes = { toStart: trial.competitor?.fromS, toStop: trial.competitor?.untilS };
  const samples: Sample[] = [];
  let carried = viewer.host.down.carriedBytes;
  let competed = 0;
  while (nowS() < trial.durationS) {
    await cloud.run(LOOK_S);
    if (competes.toStart !== undefined && nowS() >= competes.toStart) {
      competes.toStart = undefined;
      competitor.start();
    }
    if (competes.toStop !== undefined && nowS() >= competes.toStop) competitor.stop();
    const { carriedBytes } = viewer.host.down;
    samples.push(await look(cloud, viewer, nowS(), [carriedBytes - carried, competitor.bytes - competed]));
    carried = carriedBytes;
    competed = competitor.bytes;
    while (changes[0] !== undefined && changes[0].atS <= nowS())
      viewer.host.change({ down: changes.shift()?.down ?? {} });
  }
  const { received } = viewer.report();
  const figures = figuresOf(trial, samples, received);
  await cloud.close();
  return { trial, seed, samples, figures, wrong: judge(trial, figures) };
}

const join = (cloud: Cloud, identity: string, network: Parameters<Cloud['client']>[0]['network']): Promise<SimClient> =>
  cloud.client({ identity, roomName: 'trial', network, mode: 'single', autoSubscribe: true });

async function look(
  cloud: Cloud,
  viewer: SimClient,
  atS: number,
  [bytes, competitor]: readonly [number, number],
): Promise<Sample> {
  const link = viewer.host.down;
  const sends = (await cloud.sessionsOf(VIEWER)).flatMap(({ send }) => send ?? []);
  return {
    atS,
    capacityBps: link.conditions.rateBps,
    targetBps: Math.max(0, ...sends.map(({ targetBps }) => targetBps)),
    carriedBps: (bytes * 8) / LOOK_S,
    competitorBps: (competitor * 8) / LOOK_S,
    queueMs: link.waitingUs(cloud.time.clock.nowUs()) / 1000,
    videos: viewer
      .report()
      .received.flatMap(({ stream }) =>
        stream?.frames === undefined ? [] : [{ frames: stream.frames.decoded, encoding: stream.frames.encoding }],
      ),
  };
}
