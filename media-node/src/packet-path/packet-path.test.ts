import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocumentReader, DocumentWriter, InProcessHub } from '@sluice/bus';
import {
  makeSessionId,
  type NodeReport,
  nodeReportDocument,
  type SessionId,
  type SessionStatus,
  type SiteCertificate,
  sessionSpecDocument,
  sessionStatusDocument,
  siteCertificateDocument,
  siteKeyPurpose,
} from '@sluice/contracts';
import { sampleSpec } from '@sluice/contracts/internal';
import { generateIdentity } from '@sluice/packet-path';
import { createMetrics, createSealer, seededRandom, silentLogger, systemRandom } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import { MediaNodeConfig } from '../config.ts';
import { startMediaNode } from '../main.ts';
import { bindingRequest } from './binding-request.ts';
import { ManualPath } from './manual-path.ts';

/** A node with the compiled packet path, on virtual time; clients are addresses, datagrams are handed over. */
class Scene {
  readonly clock = new VirtualClock();
  readonly hub = new InProcessHub({ clock: this.clock, random: seededRandom(1), bodies: 'frozen' });
  readonly bus = this.hub.connect();
  readonly specs = new DocumentWriter({ bus: this.bus, clock: this.clock, kind: sessionSpecDocument, writer: 'WR_s' });
  readonly metrics = createMetrics();
  readonly statuses: (SessionStatus | null)[] = [];
  readonly sent: { readonly to: string; readonly bytes: Uint8Array }[] = [];
  report: NodeReport | null = null;
  path: ManualPath | undefined;

  async start(): Promise<this> {
    const { clock, hub, metrics, bus } = this;
    const sealer = createSealer('a secret of this cloud', systemRandom);
    const config = MediaNodeConfig.parse({ site: 'fra', shards: 2 });
    const { certificatePem, privateKeyPem } = generateIdentity(Math.floor(clock.unixMs() / 1_000), 365);
    const certificate: SiteCertificate = {
      site: config.site,
      certificatePem,
      sealedPrivateKey: sealer.seal(siteKeyPurpose(config.site), privateKeyPem),
      fingerprints: [{ algorithm: 'sha-256', value: 'AB' }],
      notAfterMs: 1,
    };
    const writer = new DocumentWriter({ bus, clock, kind: siteCertificateDocument, writer: 'WR_c' });
    writer.set('fra', 'fra', certificate);
    const kept = (status: SessionStatus | null): void => void this.statuses.push(status);
    new DocumentReader({ bus, clock, kind: sessionStatusDocument, scope: 'RM_room', changed: kept });
    new DocumentReader({
      bus,
      clock,
      kind: nodeReportDocument,
      scope: 'fra',
      changed: (report) => {
        this.report = report;
      },
    });
    const node = startMediaNode(config, {
      bus: hub.connect(),
      clock,
      random: seededRandom(2),
      logger: silentLogger,
      metrics,
      sealer,
      openPacketPath: (wish) => {
        const onDatagram = (to: string, bytes: Uint8Array): void => void this.sent.push({ to, bytes: bytes.slice() });
        this.path = new ManualPath(wish, { clock, seed: 7, onDatagram });
        return this.path;
      },
    });
    await clock.run(200_000);
    await node.ready;
    return this;
  }

  spec(session: SessionId, over = {}): void {
    this.specs.set('fra', session, sampleSpec(session, { site: 'fra', ...over }));
  }

  /** A client's connectivity check for a session. */
  check(session: SessionId, from: string, password = 'a-password-of-22-letters'): void {
    this.path?.receive(from, bindingRequest(`frag${session.slice(3)}:peer`, password));
  }

  states(): string[] {
    return this.statuses.map((one) => (one === null ? 'gone' : [one.state, one.closeReason].join(' ').trim()));
  }
}

const session = (seed: number): SessionId => makeSessionId(seededRandom(seed));

test('media node and packet path: a check for a known session lands it, is answered, and everybody hears', async () => {
  const scene = await new Scene().start();
  const one = session(1);
  scene.spec(one, { remoteCredentials: { usernameFragment: 'peer', password: 'another-password-of-22' } });
  await scene.clock.run(1_000);
  scene.check(one, '192.0.2.1:5000');
  await scene.clock.run(1_000);
  assert.deepEqual(scene.states(), ['landed']);
  assert.equal(scene.sent[0]?.to, '192.0.2.1:5000');
  assert.equal(Buffer.from(scene.sent[0]?.bytes ?? []).readUInt16BE(0), 0x0101, 'a binding success response');
  await scene.clock.run(1_000_000);
  assert.deepEqual([scene.report?.sessions, scene.report?.draining], [1, false]);
});

test('media node and packet path: a check that comes before its spec is answered when the spec comes', async () => {
  const scene = await new Scene().start();
  const one = session(2);
  let asked = 0;
  scene.hub.connect().onAskedAgain('session-spec', 'fra', () => asked++);
  scene.check(one, '192.0.2.1:5000');
  await scene.clock.run(250_000);
  assert.deepEqual([asked, scene.sent.length], [1, 0]);
  scene.spec(one);
  await scene.clock.run(1_000);
  assert.deepEqual([scene.states(), scene.sent.length], [['landed'], 1]);
});

test('media node and packet path: a wrong password lands nothing and is counted by its reason', async () => {
  const scene = await new Scene().start();
  const one = session(3);
  scene.spec(one);
  await scene.clock.run(1_000);
  scene.check(one, '192.0.2.1:5000', 'not-the-password-of-22');
  await scene.clock.run(2_000_000);
  assert.deepEqual(scene.states(), []);
  assert.equal(scene.report?.drops['stun-unauthenticated'], 1);
  assert.match(await scene.metrics.text(), /sluice_media_drops_total\{reason="stun-unauthenticated"\} 1/);
});

test('media node and packet path: removing the spec ends the session', async () => {
  const scene = await new Scene().start();
  const one = session(4);
  scene.spec(one);
  await scene.clock.run(1_000);
  scene.check(one, '192.0.2.1:5000');
  await scene.clock.run(1_000);
  scene.specs.remove('fra', one);
  await scene.clock.run(1_000_000);
  assert.deepEqual(scene.states(), ['landed', 'closed dropped', 'gone']);
  assert.equal(scene.report?.sessions, 0);
  assert.equal(await scene.path?.snapshot(one), undefined);
});

test('media node and packet path: a client that stops checking is closed, and why is said', async () => {
  const scene = await new Scene().start();
  const one = session(5);
  scene.spec(one);
  await scene.clock.run(1_000);
  scene.check(one, '192.0.2.1:5000');
  await scene.clock.run(60_000_000);
  assert.equal(scene.states()[0], 'landed');
  assert.match(scene.states()[1] ?? '', /^closed (consent-expired|setup-timeout)$/);
});

test('media node and packet path: an ICE restart keeps the session, old and new credentials land', async () => {
  const scene = await new Scene().start();
  const one = session(6);
  const old = { usernameFragment: `frag${one.slice(3)}`, password: 'a-password-of-22-letters' };
  const anew = { usernameFragment: 'restarted', password: 'a-new-password-of-22-letters' };
  scene.spec(one);
  await scene.clock.run(1_000);
  scene.check(one, '192.0.2.1:5000');
  scene.spec(one, { localCredentials: [anew, old] });
  await scene.clock.run(1_000);
  scene.path?.receive('192.0.2.1:5000', bindingRequest('restarted:peer', anew.password));
  scene.check(one, '192.0.2.1:5000');
  await scene.clock.run(1_000);
  assert.equal(scene.sent.length, 3);
  assert.deepEqual(new Set(scene.states()), new Set(['landed']));
});
