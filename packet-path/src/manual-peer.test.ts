import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type Fingerprint, Fingerprint as FingerprintSchema, type SessionId } from '@sluice/contracts';
import type { PacketPathEvent } from './events.ts';
import { ManualPacketPath } from './manual-packet-path.ts';
import { ManualPeer, type PeerEvent } from './manual-peer.ts';
import { generateIdentity } from './packet-path.ts';
import type { PeerSink } from './peer-media.ts';
import { firstVersion, identity, makeSpec } from './testing.ts';

const server = '192.0.2.1:7882';
const peerIdentity = generateIdentity(1_700_000_000, 36_500);

function fingerprintOf(certificatePem: string): Fingerprint {
  const digest = createHash('sha256').update(new X509Certificate(certificatePem).raw).digest('hex').toUpperCase();
  return FingerprintSchema.parse({ algorithm: 'sha-256', value: digest.match(/../g)?.join(':') });
}

/** A packet path of two shards and its clients on a network without delay; time moves in steps. */
class Room {
  readonly path: ManualPacketPath;
  readonly told: PacketPathEvent[] = [];
  readonly clients = new Map<string, { peer: ManualPeer; events: PeerEvent[] }>();
  nowUs = 1_000_000;
  readonly #toPath: { from: string; bytes: Uint8Array }[] = [];
  readonly #toClients: { to: string; bytes: Uint8Array }[] = [];

  constructor() {
    this.path = new ManualPacketPath({
      shards: 2,
      identity,
      tuning: {},
      seed: 1,
      onEvent: (event) => this.told.push(event),
      onDatagram: (to, bytes) => this.#toClients.push({ to, bytes }),
    });
  }

  join(name: string, address: string, changes: Record<string, unknown> = {}): void {
    const remoteFingerprints = [fingerprintOf(peerIdentity.certificatePem)];
    const spec = makeSpec(name, { remoteFingerprints, ...changes });
    this.path.apply(spec, firstVersion, this.nowUs);
    const events: PeerEvent[] = [];
    const channel = { label: '_reliable', protocol: '', ordered: true };
    const peer = new ManualPeer({
      server,
      local: { usernameFragment: 'peer', password: 'password-of-the-client-22' },
      remote: spec.localCredentials[0] ?? assert.fail(),
      dtlsRole: 'client',
      remoteFingerprints: [fingerprintOf(identity.certificatePem)],
      identity: peerIdentity,
      data: { remoteMaxMessageBytes: 262_144, channels: [channel] },
      seed: this.clients.size,
      onEvent: (event) => events.push(event),
      onDatagram: (_, bytes) => this.#toPath.push({ from: address, bytes }),
    });
    this.clients.set(address, { peer, events });
    peer.start(this.nowUs);
  }

  /** Carries what is sent, and does what is due, until `untilUs` from now. */
  run(untilUs: number): void {
    const endUs = this.nowUs + untilUs;
    for (;;) {
      this.#carry();
      const peers = [...this.clients.values()].map(({ peer }) => peer);
      const next = Math.min(
        this.path.nextDeadlineUs() ?? endUs,
        ...peers.map((peer) => peer.nextDeadlineUs() ?? endUs),
      );
      if (next >= endUs) break;
      this.nowUs = Math.max(this.nowUs, next);
      this.path.advance(this.nowUs);
      for (const peer of peers) peer.advance(this.nowUs);
    }
    this.nowUs = endUs;
  }

  #carry(): void {
    while (this.#toPath.length > 0 || this.#toClients.length > 0) {
      this.path.deliverAll(this.#toPath.splice(0), this.nowUs);
      for (const { to, bytes } of this.#toClients.splice(0)) {
        this.clients.get(to)?.peer.receive(server, bytes, this.nowUs);
      }
    }
  }

  client(address: string): { peer: ManualPeer; events: PeerEvent[] } {
    return this.clients.get(address) ?? assert.fail(`nobody at ${address}`);
  }
}

/** One RTP packet of a VP8 key frame (RFC 3550 §5.1, RFC 7741 §4.2). */
function vp8Packet(seq: number): Uint8Array {
  const packet = Buffer.alloc(100);
  packet.set([0x80, 0x80 | 96]);
  packet.writeUInt16BE(seq, 2);
  packet.writeUInt32BE(seq * 3000, 4);
  packet.writeUInt32BE(1, 8);
  packet.set([0x10, 0x00], 12);
  packet.writeUInt16BE(seq, 20);
  return packet;
}

const publisher = { outgoing: [] };
const subscriber = {
  incoming: [],
  outgoing: [
    {
      track: 'TR_ann',
      kind: 'video',
      mid: '0',
      ssrc: 77,
      codecs: [{ payloadType: 100, codec: 'vp8', clockRateHz: 90_000, profile: '' }],
      paused: false,
    },
  ],
};

test('manual peer: two clients connect, and what one publishes the other gets, rewritten', () => {
  const room = new Room();
  room.join('ann', '198.51.100.1:5000', publisher);
  room.join('bob', '198.51.100.2:5000', subscriber);
  room.run(1_000_000);
  for (const { events } of room.clients.values()) assert.deepEqual(events[0], { type: 'connected', media: true });
  assert.equal(room.told.filter(({ type }) => type === 'connected').length, 2);
  assert.equal(room.path.sessionSnapshot('SE_bob' as SessionId, room.nowUs)?.state, 'connected');

  for (let seq = 1; seq <= 20; seq += 1) {
    room.client('198.51.100.1:5000').peer.sendRtp([vp8Packet(seq)]);
    room.run(20_000);
  }
  assert.ok(room.told.some((event) => event.type === 'track-started' && event.track === 'TR_ann' && event.ssrc === 1));
  const { peer, events } = room.client('198.51.100.2:5000');
  const packets = events.filter((event) => event.type === 'rtp').map(({ packet }) => Buffer.from(packet));
  assert.equal(packets.length, 20);
  assert.equal(peer.status().rtpReceived, 20);
  for (const packet of packets) {
    assert.equal((packet[1] ?? 0) & 0x7f, 100);
    assert.equal(packet.readUInt32BE(8), 77);
  }
  assert.deepEqual(
    packets.map((packet) => (packet.readUInt16BE(2) - (packets[0]?.readUInt16BE(2) ?? 0)) & 0xffff),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test('manual peer: its channel opens, and a call that ends here ends there', () => {
  const room = new Room();
  room.join('ann', '198.51.100.1:5000', publisher);
  room.run(2_000_000);
  const { peer, events } = room.client('198.51.100.1:5000');
  const opened = events.find((event) => event.type === 'channel-opened');
  assert.equal(opened?.label, '_reliable');
  assert.equal(peer.send(opened?.streamId ?? 0, 'binary', new Uint8Array(1000), room.nowUs), 'ok');
  assert.equal(peer.send(999, 'binary', new Uint8Array(1), room.nowUs), 'no-such-channel');
  assert.equal(peer.send(opened?.streamId ?? 0, 'binary', new Uint8Array(262_145), room.nowUs), 'too-large');
  peer.close();
  room.run(1_000_000);
  assert.deepEqual(events.at(-1), { type: 'ended', reason: 'closed-here' });
  assert.ok(room.told.some((event) => event.type === 'closed' && event.reason === 'dtls-closed'));
});

test('manual peer: nobody answers, and it says so', () => {
  const room = new Room();
  room.join('ann', '198.51.100.1:5000', publisher);
  room.path.drop('SE_ann' as SessionId, room.nowUs);
  room.run(20_000_000);
  assert.deepEqual(room.client('198.51.100.1:5000').events, [{ type: 'ended', reason: 'unreachable' }]);
});

test('manual peer: bad values are refused by name', () => {
  const make = (changes: Record<string, unknown>): ManualPeer =>
    new ManualPeer({
      server,
      local: { usernameFragment: 'peer', password: 'password-of-the-client-22' },
      remote: { usernameFragment: 'path', password: 'password-of-the-server-22' },
      dtlsRole: 'client',
      remoteFingerprints: [],
      identity,
      data: undefined,
      seed: 1,
      onEvent: () => {},
      onDatagram: () => {},
      ...changes,
    });
  assert.throws(() => make({ server: 'there' }), { message: 'options.server must be an address with its port' });
  assert.throws(() => make({ dtlsRole: 7 }), { code: 'PACKET_PATH_BAD_VALUE' });
  assert.throws(() => make({ identity: { certificatePem: '', privateKeyPem: '' } }), {
    code: 'PACKET_PATH_BAD_CERTIFICATE',
  });
  assert.throws(() => make({}).sendRtp(['x' as never]), { message: 'packets[0] must be a Uint8Array' });
});

test('manual peer: with media set it sends and receives by itself, and reports what a user would see', () => {
  const room = new Room();
  room.join('ann', '198.51.100.1:5000', publisher);
  room.join('bob', '198.51.100.2:5000', subscriber);
  const nothing = { headerExtensions: [], transportCc: false, video: [], audio: [], sinks: [] };
  const encoding = { ssrc: 1, rtxSsrc: 2, rid: '', maxBitsPerSecond: 1_000_000, minBitsPerSecond: 0 };
  const camera = {
    mid: '0',
    payloadType: 96,
    rtxPayloadType: 97,
    framesPerSecond: 30,
    temporalLayers: 1,
    muted: false,
    encodings: [{ ...encoding, width: 1280, height: 720, active: true }],
  };
  const sink = { ssrc: 77, kind: 'video', mid: '0', codecs: subscriber.outgoing[0]?.codecs, nack: true, idle: false };
  const ann = room.client('198.51.100.1:5000').peer;
  const bob = room.client('198.51.100.2:5000').peer;
  assert.equal(bob.mediaReport(room.nowUs), undefined);
  ann.setMedia({ ...nothing, video: [camera] }, room.nowUs);
  bob.setMedia({ ...nothing, sinks: [sink as PeerSink] }, room.nowUs);
  room.run(3_000_000);
  const [sent] = ann.mediaReport(room.nowUs)?.sent ?? [];
  const [received] = bob.mediaReport(room.nowUs)?.received ?? [];
  assert.ok(sent !== undefined && received !== undefined);
  assert.ok(sent.frames >= 85 && sent.frames <= 90, `${sent.frames} frames`);
  assert.equal(received.source, 1);
  assert.ok((received.frames?.decoded ?? 0) >= sent.frames - 5);
  assert.equal(received.frames?.brokenReferences, 0);
  assert.equal(received.frames?.freezes, 0);
  assert.ok(!room.client('198.51.100.2:5000').events.some(({ type }) => type === 'rtp'));
  const wrong = { ...nothing, video: [{ ...camera, encodings: [] }] };
  assert.throws(() => ann.setMedia(wrong, room.nowUs), {
    message: 'media.video[0].encodings must have at least one element',
  });
});
