import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Bus, DocumentWriter, InProcessHub } from '@sluice/bus';
import {
  makeSessionId,
  type NodeReport,
  nodeReportDocument,
  type SessionStatus,
  sessionSpecDocument,
  sessionStatusDocument,
  siteCertificateDocument,
  siteKeyPurpose,
} from '@sluice/contracts';
import { sampleSpec } from '@sluice/contracts/internal';
import { generateIdentity } from '@sluice/packet-path';
import { AppError, createMetrics, createSealer, silentLogger, systemClock, systemRandom } from '@sluice/runtime';
import { MediaNodeConfig } from './config.ts';
import { type MediaNode, startMediaNode } from './main.ts';
import { bindingRequest } from './packet-path/binding-request.ts';

const clock = systemClock;
const sealer = createSealer('a secret of this cloud', systemRandom);

/** A hub whose site `local` has a certificate, as its controller would have made it. */
function certifiedHub(): { readonly hub: InProcessHub; readonly bus: Bus; close(): Promise<void> } {
  const hub = new InProcessHub({ clock, random: systemRandom, bodies: 'frozen' });
  const bus = hub.connect();
  const { certificatePem, privateKeyPem } = generateIdentity(Math.floor(clock.unixMs() / 1_000), 365);
  const { site } = MediaNodeConfig.parse({});
  const certificates = new DocumentWriter({ bus, clock, kind: siteCertificateDocument, writer: 'WR_c' });
  certificates.set(site, site, {
    site,
    certificatePem,
    sealedPrivateKey: sealer.seal(siteKeyPurpose(site), privateKeyPem),
    fingerprints: [{ algorithm: 'sha-256', value: 'AB' }],
    notAfterMs: 1,
  });
  return {
    hub,
    bus,
    close: async () => {
      certificates.close();
      await bus.close();
    },
  };
}

function start(hub: InProcessHub, over: object = {}): MediaNode {
  const config = MediaNodeConfig.parse({ udpPort: 0, shards: 2, ...over });
  const metrics = createMetrics();
  return startMediaNode(config, {
    bus: hub.connect(),
    clock,
    random: systemRandom,
    logger: silentLogger,
    metrics,
    sealer,
  });
}

/** The first document of a kind and scope that `fits`. */
const first = <T>(bus: Bus, kind: { name: string }, scope: string, fits: (body: T) => boolean): Promise<T> =>
  new Promise((resolve) => {
    bus.read(kind.name, scope, ({ body }) => {
      if (body !== null && fits(body as T)) resolve(body as T);
    });
  });

test('media node on real sockets: a client lands at the address that its report names', async () => {
  const { hub, bus, close } = certifiedHub();
  const reported = first<NodeReport>(bus, nodeReportDocument, 'local', () => true);
  const session = makeSessionId(systemRandom);
  const landed = first<SessionStatus>(bus, sessionStatusDocument, 'RM_room', ({ state }) => state === 'landed');
  const closed = first<SessionStatus>(bus, sessionStatusDocument, 'RM_room', ({ state }) => state === 'closed');
  const counted = first<NodeReport>(bus, nodeReportDocument, 'local', ({ sessions }) => sessions === 1);
  const specs = new DocumentWriter({ bus, clock, kind: sessionSpecDocument, writer: 'WR_s' });
  specs.set('local', session, sampleSpec(session));
  const node = start(hub);
  const client = createSocket('udp4');
  try {
    await node.ready;
    const [address] = (await reported).publicAddresses;
    assert.ok(address !== undefined && address.port > 0);
    client.send(
      bindingRequest(`frag${session.slice(3)}:peer`, 'a-password-of-22-letters'),
      address.port,
      address.address,
    );
    const [answer] = (await once(client, 'message')) as [Buffer];
    assert.equal(answer.readUInt16BE(0), 0x0101);
    assert.equal((await landed).session, session);
    assert.ok((await counted).packetsIn >= 1);
    specs.remove('local', session);
    assert.equal((await closed).closeReason, 'dropped');
  } finally {
    client.close();
    specs.close();
    await node.close();
    await close();
  }
});

test('media node on real sockets: a port that is taken is one clear error with advice', async () => {
  const { hub, close } = certifiedHub();
  const taken = createSocket('udp4');
  taken.bind(0, '127.0.0.1');
  await once(taken, 'listening');
  const node = start(hub, { udpPort: taken.address().port });
  try {
    await assert.rejects(
      node.ready,
      (error) => error instanceof AppError && error.code === 'PACKET_PATH_ADDRESS_IN_USE' && error.advice !== undefined,
    );
  } finally {
    await node.close();
    taken.close();
    await close();
  }
});
