import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anyScope,
  type BusDocument,
  DocumentReader,
  DocumentWriter,
  FIRST_EPOCH,
  type InProcessBus,
  InProcessHub,
} from '@sluice/bus';
import {
  type NodeReport,
  nodeReportDocument,
  type SessionId,
  type SessionSpec,
  type SessionStatus,
  type SiteCertificate,
  sessionSpecDocument,
  sessionStatusDocument,
  siteCertificateDocument,
  siteKeyPurpose,
} from '@sluice/contracts';
import { sampleSpec } from '@sluice/contracts/internal';
import {
  PacketPathError,
  type PacketPathEvent,
  type PathSnapshot,
  type SessionSnapshot,
  type Version,
} from '@sluice/packet-path';
import { AppError, createMetrics, createSealer, seededRandom, systemRandom } from '@sluice/runtime';
import { RecordingLogger, VirtualClock } from '@sluice/runtime/internal';
import { MediaNodeConfig } from './config.ts';
import { type MediaNode, startMediaNode } from './main.ts';
import type { PacketPathPort, PacketPathWish } from './ports.ts';
import { incomingStream, outgoingStream, sessionSnapshot } from './quality/test-streams.ts';

const ONE = 'SE_one1' as SessionId;

/** Records what the node asks of its packet path, and tells what the test wants told. */
class RecordingPath implements PacketPathPort {
  readonly addresses = [{ address: '127.0.0.1', port: 40_000 }];
  readonly wish: PacketPathWish;
  readonly did: string[] = [];
  readonly sessions = new Map<SessionId, SessionSnapshot>();
  shards: PathSnapshot['shards'] = [];
  looks = 0;
  busy = false;

  constructor(wish: PacketPathWish) {
    this.wish = wish;
  }

  apply({ session }: SessionSpec, { epoch, generation }: Version): void {
    if (this.busy) throw new PacketPathError('PACKET_PATH_BUSY', 'busy');
    assert.ok(epoch >= FIRST_EPOCH && generation > 0);
    this.did.push(`apply ${session}`);
  }

  drop(session: SessionId): void {
    this.did.push(`drop ${session}`);
  }

  drain(): void {
    this.did.push('drain');
  }

  snapshot(): Promise<PathSnapshot>;
  snapshot(session: SessionId): Promise<SessionSnapshot | undefined>;
  async snapshot(session?: SessionId): Promise<PathSnapshot | SessionSnapshot | undefined> {
    if (session === undefined) return { shards: this.shards };
    this.looks++;
    return this.sessions.get(session);
  }

  close(): void {
    this.did.push('close');
  }

  tell(event: PacketPathEvent): void {
    this.wish.onEvent(event);
  }

  land(session: SessionId): void {
    this.tell({ type: 'landed', session, remote: '192.0.2.1:1' });
  }
}

/** A site of one node under test, with a signaling's and a controller's end of the bus. */
class Site {
  readonly clock = new VirtualClock();
  readonly hub = new InProcessHub({ clock: this.clock, random: seededRandom(5), bodies: 'frozen' });
  readonly sealer = createSealer('a secret of this cloud', systemRandom);
  readonly metrics = createMetrics();
  readonly logger = new RecordingLogger();
  readonly signaling: InProcessBus = this.hub.connect();
  readonly specs = new DocumentWriter({
    bus: this.signaling,
    clock: this.clock,
    kind: sessionSpecDocument,
    writer: 'WR_s',
  });
  readonly statuses: (SessionStatus | null)[] = [];
  readonly reports: (NodeReport | null)[] = [];
  readonly opened: RecordingPath[] = [];
  readonly node: MediaNode;

  constructor(secret = 'a secret of this cloud') {
    const { clock, hub, metrics, logger } = this;
    this.#read(sessionStatusDocument, 'RM_room', this.statuses);
    this.#read(nodeReportDocument, 'fra', this.reports);
    const random = seededRandom(6);
    const sealer = createSealer(secret, systemRandom);
    const openPacketPath = (wish: PacketPathWish): PacketPathPort => {
      const path = new RecordingPath(wish);
      this.opened.push(path);
      return path;
    };
    const config = MediaNodeConfig.parse({ site: 'fra', shards: 2 });
    const bus = hub.connect();
    this.node = startMediaNode(config, { bus, clock, random, metrics, sealer, logger, openPacketPath });
  }

  get path(): RecordingPath {
    const [path] = this.opened;
    assert.ok(path !== undefined, 'the packet path is open');
    return path;
  }

  /** Says the site's certificate, as its controller does. */
  certify(certificatePem = 'CERTIFICATE', bus = this.hub.connect()): DocumentWriter<SiteCertificate> {
    const { clock, sealer } = this;
    const writer = new DocumentWriter({ bus, clock, kind: siteCertificateDocument, writer: 'WR_c' });
    const site = MediaNodeConfig.parse({ site: 'fra' }).site;
    const sealedPrivateKey = sealer.seal(siteKeyPurpose(site), 'KEY');
    const fingerprints: SiteCertificate['fingerprints'] = [{ algorithm: 'sha-256', value: 'AB:CD' }];
    writer.set(site, site, { site, certificatePem, sealedPrivateKey, fingerprints, notAfterMs: 1 });
    return writer;
  }

  spec(session = ONE, over = {}): void {
    this.specs.set('fra', session, sampleSpec(session, { site: 'fra', ...over }));
  }

  async run(ms: number): Promise<void> {
    await this.clock.run(ms * 1_000);
  }

  async up(): Promise<this> {
    this.certify();
    await this.run(100);
    await this.node.ready;
    return this;
  }

  states(): string[] {
    return this.statuses.map((status) =>
      status === null ? 'gone' : [status.state, status.closeReason].join(' ').trim(),
    );
  }

  #read<T>(kind: ConstructorParameters<typeof DocumentReader<T>>[0]['kind'], scope: string, into: (T | null)[]): void {
    const { clock, hub } = this;
    new DocumentReader({ bus: hub.connect(), clock, kind, scope, changed: (body) => void into.push(body) });
  }
}

test('media node: opens the packet path with the identity of its site, and says that it is there', async () => {
  const site = await new Site().up();
  const { bind, shards, identity } = site.path.wish;
  assert.deepEqual(bind, [{ address: '0.0.0.0', port: 7882 }]);
  assert.equal(shards, 2);
  assert.deepEqual(identity, { certificatePem: 'CERTIFICATE', privateKeyPem: 'KEY' });
  assert.deepEqual(site.reports[0]?.publicAddresses, [{ address: '127.0.0.1', port: 40_000 }]);
  assert.ok(!JSON.stringify(site.logger.lines).includes('KEY'));
});

test('media node: waits for a certificate that comes late, asking', async () => {
  const site = new Site();
  await site.run(30_000);
  assert.equal(site.opened.length, 0);
  assert.ok(site.logger.events().includes('site.certificate-missing'));
  let asked = 0;
  site.hub.connect().onAskedAgain('site-certificate', 'fra', () => asked++);
  await site.run(5_000);
  assert.ok(asked >= 4, `${asked}`);
  await site.up();
  assert.equal(site.opened.length, 1);
});

test('media node: a key that does not open stops the start with a reason', async () => {
  const site = new Site('another secret');
  site.certify();
  await site.run(100);
  await assert.rejects(
    site.node.ready,
    (error) => error instanceof AppError && error.code === 'MEDIA_NODE_WRONG_CLUSTER_SECRET',
  );
  await site.node.close();
});

test('media node: says the certificate again, verbatim, to a controller that starts', async () => {
  const site = new Site();
  const bus = site.hub.connect();
  site.certify('CERTIFICATE', bus);
  await site.run(100);
  await bus.close();
  const heard: BusDocument[] = [];
  const late = site.hub.connect();
  new DocumentReader({
    bus: late,
    clock: site.clock,
    kind: siteCertificateDocument,
    scope: anyScope,
    changed: (_, document) => heard.push(document),
  });
  await site.run(100);
  assert.deepEqual(
    heard.map(({ writer, key }) => [writer, key]),
    [['WR_c', 'fra']],
  );
});

test('media node: another certificate changes nothing while it runs', async () => {
  const site = await new Site().up();
  site.certify('ANOTHER');
  await site.run(100);
  assert.equal(site.opened.length, 1);
  assert.ok(site.logger.events().includes('site.certificate-changed'));
});

test('media node: makes the packet path equal to the specs, and says what lands', async () => {
  const site = await new Site().up();
  site.spec();
  await site.run(10);
  assert.deepEqual(site.path.did, ['apply SE_one1']);
  site.path.land(ONE);
  site.path.tell({ type: 'connected', session: ONE });
  await site.run(10);
  assert.deepEqual(site.states(), ['landed', 'connected']);
  site.specs.remove('fra', ONE);
  await site.run(10);
  assert.deepEqual(site.path.did, ['apply SE_one1', 'drop SE_one1']);
  assert.deepEqual(site.states().slice(2), ['closed dropped', 'gone']);
});

test('media node: specs from before its start are asked for', async () => {
  const site = new Site();
  site.spec();
  await site.run(100);
  await site.up();
  assert.deepEqual(site.path.did, ['apply SE_one1']);
});

test('media node: specs of other sites are not its own', async () => {
  const site = await new Site().up();
  site.specs.set('other', ONE, sampleSpec(ONE, { site: 'other' }));
  await site.run(100);
  assert.deepEqual(site.path.did, []);
});

test('media node: a busy packet path gets the spec a moment later', async () => {
  const site = await new Site().up();
  site.path.busy = true;
  site.spec();
  await site.run(100);
  site.path.busy = false;
  await site.run(250);
  assert.deepEqual(site.path.did, ['apply SE_one1']);
});

test('media node: an unknown username fragment makes it ask, noise does not make it ask much', async () => {
  const site = await new Site().up();
  let asked = 0;
  site.hub.connect().onAskedAgain('session-spec', 'fra', () => asked++);
  for (let i = 0; i < 10_000; i++) {
    site.path.tell({ type: 'unknown-username-fragment', usernameFragment: `noise${i}`, from: '192.0.2.9:9' });
    if (i % 100 === 0) await site.run(100);
  }
  assert.ok(asked >= 1 && asked <= 5, `${asked}`);
});

test('media node: a spec that the bus lost comes with the question', async () => {
  const site = await new Site().up();
  site.hub.setConditions({ delayUs: [0, 0], loss: 1 });
  site.spec();
  await site.run(10);
  site.hub.setConditions({ delayUs: [0, 0], loss: 0 });
  assert.deepEqual(site.path.did, []);
  site.path.tell({ type: 'unknown-username-fragment', usernameFragment: 'fragone1', from: '192.0.2.9:9' });
  await site.run(200);
  assert.deepEqual(site.path.did, ['apply SE_one1']);
});

test('media node: a call outlives its signaling until nobody comes for it', async () => {
  const site = await new Site().up();
  site.spec();
  await site.run(10);
  site.path.land(ONE);
  site.signaling.cut();
  await site.run(200_000);
  assert.deepEqual(site.path.did, ['apply SE_one1']);
  assert.ok(site.logger.events().includes('session.orphaned'));
  await site.run(200_000);
  assert.deepEqual(site.path.did, ['apply SE_one1', 'drop SE_one1']);
});

test('media node: a call outlives the bus, however long it is away', async () => {
  const site = await new Site().up();
  site.spec();
  await site.run(10);
  site.path.land(ONE);
  site.hub.cut();
  await site.run(3_600_000);
  site.hub.restore();
  await site.run(1_000);
  assert.deepEqual(site.path.did, ['apply SE_one1']);
  assert.equal(site.states().at(-1), 'landed');
});

test('media node: lost events are made good by looking at what it holds', async () => {
  const site = await new Site().up();
  site.spec();
  await site.run(10);
  site.path.land(ONE);
  site.path.tell({ type: 'events-lost', count: 3 });
  await site.run(1_000);
  assert.equal(site.states().at(-1), 'closed dropped', 'the packet path knows nothing of it');
});

test('media node: looks at few sessions at a time, at all of them in turn', async () => {
  const site = await new Site().up();
  const sessions = Array.from({ length: 120 }, (_, i) => `SE_many${i}` as SessionId);
  for (const session of sessions) site.spec(session);
  await site.run(10);
  for (const session of sessions) site.path.land(session);
  await site.run(10);
  const before = site.path.looks;
  await site.run(200);
  assert.ok(site.path.looks - before <= 50, `${site.path.looks - before}`);
  await site.run(800);
  assert.ok(site.path.looks - before >= 200);
});

test('media node: reports once a second how it is, and shows every number', async () => {
  const site = await new Site().up();
  site.path.shards = [
    {
      shard: 0,
      sessions: 0,
      counters: { 'stun-in': 4 },
      drops: { 'pool-empty': 3, paused: 0 },
      io: {
        datagramsReceived: 5,
        bytesReceived: 500,
        receiveCalls: 1,
        datagramsSent: 6,
        bytesSent: 600,
        sendCalls: 1,
        burstsSplit: 0,
        rounds: 1,
        sleeps: 1,
        cpuUs: 100_000,
        drops: {},
      },
    },
  ];
  const before = site.reports.length;
  site.spec();
  await site.run(10);
  site.path.land(ONE);
  await site.run(3_000);
  assert.ok(site.reports.length - before >= 3);
  const last = site.reports.at(-1);
  assert.deepEqual([last?.sessions, last?.packetsIn, last?.drops['pool-empty'], last?.draining], [1, 5, 3, false]);
  const text = await site.metrics.text();
  for (const line of [
    'sluice_media_sessions 1',
    'sluice_media_drops_total{reason="pool-empty"} 3',
    'sluice_media_drops_total{reason="paused"} 0',
    'sluice_media_events_total{event="stun-in",shard="0"} 4',
    'sluice_media_io_total{event="datagrams-sent",shard="0"} 6',
    'sluice_media_document_events_total{event="specs-refused"} 0',
  ]) {
    assert.ok(text.includes(line), `${line} in\n${text}`);
  }
});

test('media node: shows what its streams do in sums and distributions, and each session when asked', async () => {
  const site = await new Site().up();
  site.spec();
  await site.run(10);
  site.path.land(ONE);
  for (let n = 0; n < 4; n++) {
    const incoming = [incomingStream({ packets: 300 * n, bytes: 40_000 * n, lost: 3 * n, nacks: n, jitterMs: 4 })];
    const outgoing = [outgoingStream({ track: 'TR_x' as never, paused: true })];
    site.path.sessions.set(ONE, sessionSnapshot({ session: ONE, datagramsIn: n, rttMs: 30, incoming, outgoing }));
    await site.run(5_200);
  }
  const text = await site.metrics.text();
  assert.match(text, /sluice_media_stream_packets_total\{direction="in",kind="audio"\} [69]00/);
  assert.match(text, /sluice_media_stream_seconds_total\{direction="out",kind="video",state="paused"\} (1\d|20)/);
  assert.match(text, /sluice_media_session_score_count\{quality="excellent"\} [23]/);
  const status = site.statuses.at(-1);
  assert.equal(status?.quality?.quality, 'excellent');

  const inspection = site.node.inspection();
  assert.ok(inspection !== undefined);
  const [summary] = inspection.sessions();
  assert.deepEqual([summary?.session, summary?.state, summary?.quality?.quality], [ONE, 'connected', 'excellent']);
  const detail = await inspection.session(ONE);
  assert.equal(detail?.snapshot?.rttMs, 30);
  assert.ok(!JSON.stringify(detail).includes('a-password-of-22-letters'), 'nothing that lets others in');
  assert.equal(await inspection.session('SE_none' as SessionId), undefined);
  assert.equal((await inspection.room('RM_room' as never)).sessions.length, 1);
  assert.equal((await inspection.node()).sessions, 1);
});

test('media node: draining is said at once', async () => {
  const site = await new Site().up();
  site.node.drain();
  await site.run(1);
  assert.deepEqual(site.path.did, ['drain']);
  assert.equal(site.reports.at(-1)?.draining, true);
});

test('media node: closing says so, closes the packet path and leaves no timer', async () => {
  const site = await new Site().up();
  site.spec();
  await site.run(10);
  site.path.land(ONE);
  await site.run(1_000);
  await site.node.close();
  await site.node.close();
  await site.run(1);
  assert.equal(site.reports.at(-1), null);
  assert.deepEqual(site.path.did.slice(-2), ['drop SE_one1', 'close']);
  assert.deepEqual(site.states().slice(-2), ['closed dropped', 'gone'], 'owners need not wait for the silence');
  assert.ok(!(await site.metrics.text()).includes('sluice_media_sessions 1'));
});

test('media node: one that is closed before its certificate comes never opens', async () => {
  const site = new Site();
  await site.node.close();
  site.certify();
  await site.run(1_000);
  assert.equal(site.opened.length, 0);
  await assert.rejects(site.node.ready, (error) => error instanceof AppError && error.code === 'MEDIA_NODE_CLOSED');
});
