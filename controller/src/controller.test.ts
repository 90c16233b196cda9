import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { DocumentReader, DocumentWriter, type InProcessBus, InProcessHub } from '@sluice/bus';
import {
  type Intent,
  intentDocument,
  type LeaveReason,
  type RoomChange,
  type RoomInfo,
  RoomViewReader,
  roomViewDocument,
  type SiteCertificate,
  siteCertificateDocument,
  siteKeyPurpose,
} from '@sluice/contracts';
import { sampleIntent } from '@sluice/contracts/internal';
import { createMetrics, createSealer, seededRandom, silentLogger, systemRandom } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import { ControllerConfig } from './config.ts';
import { type Controller, startController } from './main.ts';

/** A cloud of controllers, speakers and listeners on one bus and virtual time. */
class Cloud {
  readonly clock = new VirtualClock();
  readonly hub = new InProcessHub({ clock: this.clock, random: seededRandom(3), bodies: 'frozen' });
  readonly sealer = createSealer('a secret of this cloud', systemRandom);
  readonly metrics = createMetrics();
  #seed = 100;

  controller(bus = this.hub.connect()): { controller: Controller; bus: InProcessBus } {
    const { clock, metrics, sealer } = this;
    const random = seededRandom(this.#seed++);
    const deps = { bus, clock, random, metrics, sealer, logger: silentLogger };
    return { controller: startController(ControllerConfig.parse({}), deps), bus };
  }

  speaker(bus = this.hub.connect()): DocumentWriter<Intent> {
    return new DocumentWriter({ bus, clock: this.clock, kind: intentDocument, writer: 'WR_speaker' });
  }

  listener(roomName = 'room'): Listener {
    return new Listener(this, roomName);
  }

  /** Every certificate of a site, as it is said. */
  site(name: string): SiteCertificate[] {
    const heard: SiteCertificate[] = [];
    new DocumentReader({
      bus: this.hub.connect(),
      clock: this.clock,
      kind: siteCertificateDocument,
      scope: name,
      changed: (certificate) => certificate !== null && heard.push(certificate),
    });
    return heard;
  }
}

/** Someone who follows a room as signaling does. */
class Listener {
  readonly room = new RoomViewReader();
  readonly changes: RoomChange[] = [];
  gaps = 0;

  constructor({ hub, clock }: Cloud, scope: string) {
    const reader = new DocumentReader({
      bus: hub.connect(),
      clock,
      kind: roomViewDocument,
      scope,
      order: 'every',
      changed: (view, { epoch, generation }) => {
        const outcome = this.room.apply({ epoch, generation }, view);
        if (outcome.type === 'changed') this.changes.push(outcome.change);
        if (outcome.type === 'gap') {
          this.gaps++;
          reader.askAgain();
        }
      },
    });
  }

  shown(): string {
    return [...this.room.participants()]
      .map(({ identity, left }) => (left === undefined ? identity : `${identity}:${left}`))
      .sort()
      .join(' ');
  }

  info(): RoomInfo {
    assert.ok(this.room.info !== undefined);
    return this.room.info;
  }
}

const intent = (cloud: Cloud, sid: string, over: Partial<Record<keyof Intent, unknown>> = {}): Intent =>
  sampleIntent(sid, { joinedAtMs: cloud.clock.unixMs(), ...over });

async function running(): Promise<Cloud> {
  const cloud = new Cloud();
  const { controller } = cloud.controller();
  await cloud.clock.run(1_000_000);
  await controller.ready;
  return cloud;
}

test('controller: a room appears with its first participant and everyone hears of everyone', async () => {
  const cloud = await running();
  const [early, speaker] = [cloud.listener(), cloud.speaker()];
  speaker.set('room', 'PA_a', intent(cloud, 'a'));
  await cloud.clock.run(1_000);
  assert.equal(early.shown(), 'a', 'within a millisecond of virtual time: nothing waits');
  const late = cloud.listener();
  speaker.set('room', 'PA_b', intent(cloud, 'b'));
  await cloud.clock.run(100_000);
  assert.equal(early.shown(), 'a b');
  assert.equal(late.shown(), 'a b');
  assert.match(early.info().room, /^RM_[0-9A-Za-z]{12}$/);
  assert.equal(early.info().numParticipants, 2);
});

test('controller: rooms of other names are other rooms', async () => {
  const cloud = await running();
  const [one, two, speaker] = [cloud.listener('one'), cloud.listener('two'), cloud.speaker()];
  speaker.set('one', 'PA_a', intent(cloud, 'a', { roomName: 'one' }));
  speaker.set('two', 'PA_b', intent(cloud, 'b', { roomName: 'two' }));
  await cloud.clock.run(100_000);
  assert.deepEqual([one.shown(), two.shown()], ['a', 'b']);
  assert.notEqual(one.info().room, two.info().room);
});

test('controller: a thousand changes at once are few views', async () => {
  const cloud = await running();
  const [listener, speaker] = [cloud.listener(), cloud.speaker()];
  for (let i = 0; i < 1_000; i++) speaker.set('room', `PA_p${i}`, intent(cloud, `p${i}`));
  await cloud.clock.run(1_000_000);
  assert.equal(listener.info().numParticipants, 1_000);
  assert.ok(listener.changes.length <= 3, `${listener.changes.length}`);
});

test('controller: taking an intent back is leaving, and an empty room ends', async () => {
  const cloud = await running();
  const [listener, speaker] = [cloud.listener(), cloud.speaker()];
  speaker.set('room', 'PA_a', intent(cloud, 'a'));
  await cloud.clock.run(100_000);
  const { room } = listener.info();
  speaker.remove('room', 'PA_a');
  await cloud.clock.run(100_000);
  assert.equal(listener.shown(), 'a:signal-close');
  await cloud.clock.run(21_000_000);
  assert.equal(listener.room.info, undefined);
  speaker.set('room', 'PA_b', intent(cloud, 'b'));
  await cloud.clock.run(100_000);
  assert.notEqual(listener.info().room, room, 'the next one of that name is another room');
});

test('controller: participants whose signaling died are kept for a while, then leave', async () => {
  const cloud = await running();
  const bus = cloud.hub.connect();
  const [listener, speaker] = [cloud.listener(), cloud.speaker(bus)];
  speaker.set('room', 'PA_a', intent(cloud, 'a'));
  await cloud.clock.run(60_000_000);
  assert.equal(listener.shown(), 'a');
  bus.cut();
  await cloud.clock.run(19_000_000);
  assert.equal(listener.shown(), 'a');
  await cloud.clock.run(15_000_000);
  assert.equal(listener.shown(), 'a:connection-timeout');
});

test('controller: loss on the bus heals', async () => {
  const cloud = await running();
  const [listener, speaker] = [cloud.listener(), cloud.speaker()];
  cloud.hub.setConditions({ delayUs: [1_000, 30_000], loss: 0.5 });
  for (let i = 0; i < 20; i++) {
    speaker.set('room', `PA_p${i}`, intent(cloud, `p${i}`));
    await cloud.clock.run(200_000);
    speaker.set('room', `PA_p${i}`, intent(cloud, `p${i}`, { name: 'renamed', joinedAtMs: 1 }));
  }
  cloud.hub.setConditions({ delayUs: [0, 1_000], loss: 0 });
  await cloud.clock.run(21_000_000);
  const present = [...listener.room.participants()].filter(({ left }) => left === undefined);
  assert.equal(present.length, 20);
  assert.ok(present.every(({ name }) => name === 'renamed'));
});

test('controller: an outage of the bus ends no room and no participant', async () => {
  const cloud = await running();
  const [listener, speaker] = [cloud.listener(), cloud.speaker()];
  speaker.set('room', 'PA_a', intent(cloud, 'a'));
  await cloud.clock.run(1_000_000);
  const known = { room: listener.info().room, createdAtMs: listener.info().createdAtMs };
  speaker.set('room', 'PA_a', intent(cloud, 'a', { known }));
  await cloud.clock.run(1_000_000);
  cloud.hub.cut();
  await cloud.clock.run(120_000_000);
  cloud.hub.restore();
  speaker.set('room', 'PA_b', intent(cloud, 'b'));
  await cloud.clock.run(3_000_000);
  assert.equal(listener.shown(), 'a b');
  assert.equal(listener.info().room, known.room);
});

test('controller: when it dies another one goes on with the same room and higher versions', async () => {
  const cloud = new Cloud();
  const first = cloud.controller();
  const [listener, speaker] = [cloud.listener(), cloud.speaker()];
  await cloud.clock.run(1_000_000);
  cloud.controller();
  speaker.set('room', 'PA_a', intent(cloud, 'a'));
  await cloud.clock.run(1_000_000);
  const { room, createdAtMs } = listener.info();
  speaker.set('room', 'PA_a', intent(cloud, 'a', { joinedAtMs: 1, known: { room, createdAtMs } }));
  speaker.set('room', 'PA_b', intent(cloud, 'b'));
  await cloud.clock.run(1_000_000);
  const version = listener.room.get(intent(cloud, 'b').participant)?.version ?? 0;
  first.bus.cut();
  await cloud.clock.run(1_500_000);
  speaker.set('room', 'PA_c', intent(cloud, 'c'));
  await cloud.clock.run(3_000_000);
  assert.equal(listener.shown(), 'a b c');
  assert.equal(listener.info().room, room);
  assert.equal(listener.info().createdAtMs, createdAtMs);
  assert.ok((listener.room.get(intent(cloud, 'b').participant)?.version ?? 0) > version);
  first.bus.restore();
  await cloud.clock.run(5_000_000);
  speaker.set('room', 'PA_d', intent(cloud, 'd'));
  await cloud.clock.run(1_000_000);
  assert.equal(listener.shown(), 'a b c d', 'the old one does not disturb');
  assert.ok(
    listener.changes.every(({ vanished }) => vanished.length === 0),
    'nobody ever vanished',
  );
});

test('controller: one that ends in order hands over at once', async () => {
  const cloud = new Cloud();
  const first = cloud.controller();
  const speaker = cloud.speaker();
  await cloud.clock.run(1_000_000);
  cloud.controller();
  await cloud.clock.run(1_000_000);
  await first.controller.close();
  await cloud.clock.run(1_000_000);
  const listener = cloud.listener();
  speaker.set('room', 'PA_a', intent(cloud, 'a'));
  await cloud.clock.run(100_000);
  assert.equal(listener.shown(), 'a');
});

test('controller: of two sessions of an identity everybody hears the same end', async () => {
  const cloud = await running();
  const [a, b] = [cloud.listener(), cloud.listener()];
  const [one, two] = [cloud.speaker(), cloud.speaker()];
  one.set('room', 'PA_old', intent(cloud, 'old', { identity: 'alice', joinedAtMs: 1 }));
  two.set('room', 'PA_new', intent(cloud, 'new', { identity: 'alice', joinedAtMs: 2 }));
  await cloud.clock.run(1_000_000);
  const fate = (listener: Listener): (LeaveReason | undefined)[] =>
    ['PA_old', 'PA_new'].map((sid) => [...listener.room.participants()].find((one) => one.participant === sid)?.left);
  assert.deepEqual(fate(a), ['duplicate-identity', undefined]);
  assert.deepEqual(fate(b), fate(a));
});

test('controller: views of a large room come in parts, and repetitions are small', async () => {
  const cloud = await running();
  const speaker = cloud.speaker();
  for (let i = 0; i < 600; i++) speaker.set('room', `PA_p${i}`, intent(cloud, `p${i}`));
  await cloud.clock.run(1_000_000);
  const sizes: number[] = [];
  cloud.hub.connect().read('room-view', 'room', ({ body }) => sizes.push(JSON.stringify(body).length));
  const listener = cloud.listener();
  await cloud.clock.run(1_000_000);
  assert.equal(listener.info().numParticipants, 600);
  assert.equal([...listener.room.participants()].length, 600);
  assert.ok(sizes.length >= 3 && Math.max(...sizes) < 512 * 1024, String(sizes));
  sizes.length = 0;
  await cloud.clock.run(10_000_000);
  assert.deepEqual([sizes.length, Math.max(...sizes) < 1_000], [1, true]);
});

test('controller: the first question for a site makes its certificate', async () => {
  const cloud = await running();
  const heard = cloud.site('fra');
  await cloud.clock.run(1_000_000);
  const [certificate] = heard;
  assert.ok(certificate !== undefined && heard.length === 1);
  const x509 = new X509Certificate(certificate.certificatePem);
  assert.ok(x509.verify(x509.publicKey));
  assert.equal(x509.subject, 'CN=Sluice fra');
  const printed = new Map(certificate.fingerprints.map(({ algorithm, value }) => [algorithm, value]));
  assert.equal(printed.get('sha-256'), x509.fingerprint256);
  assert.equal(printed.get('sha-512'), x509.fingerprint512);
  assert.equal(printed.get('sha-384')?.length, 48 * 3 - 1);
  const key = cloud.sealer.open(siteKeyPurpose(certificate.site), certificate.sealedPrivateKey);
  assert.ok(key !== undefined && x509.checkPrivateKey(createPrivateKey(key)));
  assert.ok(!JSON.stringify(certificate).includes('PRIVATE KEY'));
});

test('controller: a site keeps its certificate when controllers come and go', async () => {
  const cloud = new Cloud();
  const first = cloud.controller();
  await cloud.clock.run(1_000_000);
  const heard = cloud.site('fra');
  await cloud.clock.run(1_000_000);
  cloud.controller();
  await cloud.clock.run(1_000_000);
  await first.controller.close();
  await cloud.clock.run(20_000_000);
  const late = cloud.site('fra');
  await cloud.clock.run(1_000_000);
  assert.equal(late.length, 1);
  assert.equal(new Set([...heard, ...late].map(({ certificatePem }) => certificatePem)).size, 1);
});

test('controller: questions for what is no site make nothing', async () => {
  const cloud = await running();
  const heard = cloud.site('Not A Site');
  await cloud.clock.run(1_000_000);
  assert.deepEqual(heard, []);
});

test('controller: closing leaves no timer, and its numbers are shown until then', async () => {
  const cloud = new Cloud();
  const { controller } = cloud.controller();
  const early = cloud.controller();
  await early.controller.close();
  await cloud.clock.run(1_000_000);
  const speaker = cloud.speaker();
  speaker.set('room', 'PA_a', intent(cloud, 'a'));
  await cloud.clock.run(100_000);
  assert.match(await cloud.metrics.text(), /sluice_controller_participants 1/);
  speaker.close();
  await controller.close();
  await cloud.clock.run(0);
  assert.equal(cloud.clock.pendingTimers(), 0);
});

test('controller: an intent that stands elsewhere than it says is nobody', async () => {
  const cloud = await running();
  const [listener, speaker] = [cloud.listener(), cloud.speaker()];
  speaker.set('room', 'PA_a', intent(cloud, 'b'));
  speaker.set('room', 'PA_c', intent(cloud, 'c', { roomName: 'hall' }));
  await cloud.clock.run(1_000_000);
  assert.equal(listener.room.info, undefined);
  assert.match(await cloud.metrics.text(), /refused_documents_total\{reason="misaddressed"\} 2/);
});
