import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  AddTrackRequest,
  DataChannelInfo,
  MuteTrackRequest,
  SessionDescription,
  SignalRequest,
  SyncState,
  TrickleRequest,
  UpdateParticipantMetadata,
  UpdateSubscription,
  WrappedJoinRequest,
  WrappedJoinRequest_Compression,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import {
  assemble,
  assertGood,
  camera360p,
  type Member,
  observeCall,
  untilAllReceive,
  withDiaries,
} from '../src/call.ts';
import { seededRandom } from '../src/random.ts';
import { RawClient } from '../src/raw-client.ts';
import { setting } from '../src/setting.ts';
import { until, within } from '../src/wait.ts';

const DEADLINE_MS = 15_000;
/** What hostile clients may leave in memory: parts of messages that are being read, one slow client's queue. */
const MOST_GROWTH_KIB = 98_304;

const here = setting();

const token = (identity: string, room = 'hostile') => here.sluice.token({ room, identity });

async function otherToken(
  change: (token: AccessToken) => void,
  secret = here.sluice.secret,
  key = here.sluice.key,
): Promise<string> {
  const made = new AccessToken(key, secret, { identity: 'x', ttl: '1h' });
  change(made);
  return await made.toJwt();
}

describe('tokens that are no good are refused before anything is opened', () => {
  const join = (made: AccessToken): void => made.addGrant({ roomJoin: true, room: 'r' });
  const unsigned = (header: object, claims: object): string =>
    `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const claims = { iss: 'devkey', sub: 'x', exp: 4e9, video: { roomJoin: true, room: 'r' } };
  const tokens: readonly [string, () => string | Promise<string>][] = [
    ['none', () => ''],
    ['noise', () => 'not-a-token'],
    ['another secret', () => otherToken(join, 'another secret')],
    ['an unknown key', () => otherToken(join, here.sluice.secret, 'nobody')],
    ['algorithm none', () => unsigned({ alg: 'none' }, claims)],
    ['no right to join', () => otherToken((made) => made.addGrant({ room: 'r' }))],
    ['expired', () => new AccessToken(here.sluice.key, here.sluice.secret, { identity: 'x', ttl: -3600 }).toJwt()],
    ['thirty kilobytes', () => 'a'.repeat(30_000)],
  ];
  for (const [what, make] of tokens) {
    test(what, async () => {
      const made = await make();
      for (const path of ['/rtc', '/rtc/v1']) {
        const validate = await fetch(`${here.sluice.httpUrl}${path}/validate?access_token=${encodeURIComponent(made)}`);
        assert.ok([400, 401, 403].includes(validate.status), `${path}/validate answers ${validate.status}`);
        assert.doesNotMatch(await validate.text(), /requested room does not exist/);
        using client = await RawClient.open(
          `${here.sluice.webSocketUrl}${path}?access_token=${encodeURIComponent(made)}&protocol=17`,
        );
        assert.notEqual(client.state, 'open', `${path} let it in`);
      }
    });
  }
});

describe('join requests that are no good are refused', () => {
  const wrapped = (compression: WrappedJoinRequest_Compression, joinRequest: Uint8Array): string =>
    Buffer.from(new WrappedJoinRequest({ compression, joinRequest: new Uint8Array(joinRequest) }).toBinary()).toString(
      'base64url',
    );
  const requests: readonly [string, () => string][] = [
    ['noise', () => Buffer.from(seededRandom(3).bytes(300)).toString('base64url')],
    ['not base64', () => '!!!'],
    ['noise inside', () => wrapped(WrappedJoinRequest_Compression.NONE, seededRandom(4).bytes(400))],
    ['a broken gzip', () => wrapped(WrappedJoinRequest_Compression.GZIP, gzipSync('x'.repeat(5_000)).subarray(0, 20))],
    ['a gzip bomb', () => wrapped(WrappedJoinRequest_Compression.GZIP, gzipSync(Buffer.alloc(24 << 20)))],
  ];
  for (const [what, make] of requests) {
    test(what, async () => {
      const url = `${here.sluice.webSocketUrl}/rtc/v1?access_token=${await token('joiner')}&join_request=${encodeURIComponent(make())}`;
      using client = await RawClient.open(url);
      assert.notEqual(client.state, 'open');
    });
  }
});

test('sockets that say nothing, half a request or too much are not kept for ever', async () => {
  const probes = [
    '',
    'GET / HTTP/1.1\r\nHost: x\r\n',
    `GET /${'a'.repeat(200_000)} HTTP/1.1\r\n\r\n`,
    '\x16\x03\x01\x02\x00\x01\x00',
  ];
  const sockets = probes.flatMap((probe) =>
    Array.from({ length: 20 }, () => {
      const socket = connect(here.sluice.httpPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(probe);
      return socket;
    }),
  );
  try {
    const answer = await within('a health check beside them', 2_000, fetch(`${here.sluice.httpUrl}/`));
    assert.equal(answer.status, 200);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

/** What a hostile client says once it is in. */
const attacks: readonly [string, (client: RawClient) => void][] = [
  [
    'noise',
    (client) => {
      const random = seededRandom(11);
      for (let i = 0; i < 300; i += 1) client.sendRaw(random.bytes(random.below(600)));
    },
  ],
  [
    'text that is no JSON',
    (client) => {
      for (const text of [
        '',
        '{',
        'null',
        '[]',
        '{"offer":7}',
        '{"unknown":{}}',
        '\u0000',
        `{"a":${'['.repeat(50_000)}`,
      ])
        client.sendRaw(text);
    },
  ],
  [
    'empty frames',
    (client) => {
      for (let i = 0; i < 500; i += 1) client.sendRaw(new Uint8Array(0));
    },
  ],
  ['a frame of 8 MiB', (client) => client.sendRaw(new Uint8Array(8 << 20))],
  [
    'truncated messages',
    (client) => {
      const whole = new SignalRequest({ message: { case: 'offer', value: offer(realOffer) } }).toBinary();
      for (let length = 1; length < whole.length; length += 17) client.sendRaw(whole.subarray(0, length));
    },
  ],
  [
    'a flood of pings',
    (client) => {
      for (let i = 0; i < 20_000; i += 1) client.send({ case: 'ping', value: BigInt(i) });
    },
  ],
  [
    'a flood of tracks',
    (client) => {
      for (let i = 0; i < 3_000; i += 1)
        client.send({ case: 'addTrack', value: new AddTrackRequest({ cid: `cid-${i}`, name: 'x'.repeat(200) }) });
    },
  ],
  [
    'subscriptions to what is not there',
    (client) => {
      for (let i = 0; i < 200; i += 1) {
        const trackSids = Array.from({ length: 200 }, (_, n) => `TR_nothing${i}x${n}`);
        client.send({ case: 'subscription', value: new UpdateSubscription({ trackSids, subscribe: true }) });
      }
    },
  ],
  [
    'metadata of a megabyte',
    (client) =>
      client.send({
        case: 'updateMetadata',
        value: new UpdateParticipantMetadata({
          metadata: 'm'.repeat(1 << 20),
          attributes: { ['k'.repeat(100_000)]: 'v' },
        }),
      }),
  ],
  [
    'mutes of others’ tracks',
    (client) => client.send({ case: 'mute', value: new MuteTrackRequest({ sid: 'TR_VCsomebody', muted: true }) }),
  ],
  [
    'trickles of nonsense',
    (client) => {
      for (const candidateInit of [
        '',
        '{',
        '{"candidate":7}',
        `{"candidate":"${'c'.repeat(60_000)}","sdpMid":"0","sdpMLineIndex":0}`,
      ]) {
        client.send({ case: 'trickle', value: new TrickleRequest({ candidateInit }) });
      }
    },
  ],
  [
    'an answer nobody asked for',
    (client) => client.send({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: realOffer }) }),
  ],
  [
    'a sync state of lies',
    (client) =>
      client.send({
        case: 'syncState',
        value: new SyncState({
          offer: offer('v=0'),
          dataChannels: Array.from({ length: 5_000 }, (_, id) => new DataChannelInfo({ label: 'x'.repeat(100), id })),
        }),
      }),
  ],
  [
    'offers that are none',
    (client) => {
      for (const sdp of [
        '',
        'v=0',
        'v=0\r\n',
        'hello',
        '\u0000',
        'm=video 9 UDP/TLS/RTP/SAVPF 96\r\n'.repeat(5_000),
        'a=x\r\n'.repeat(200_000),
      ]) {
        client.send({ case: 'offer', value: offer(sdp) });
      }
    },
  ],
  [
    'mutated offers',
    (client) => {
      const random = seededRandom(12);
      for (let i = 0; i < 300; i += 1) client.send({ case: 'offer', value: offer(mutateLines(random, realOffer)) });
    },
  ],
];

const offer = (sdp: string): SessionDescription => new SessionDescription({ type: 'offer', sdp, id: 1 });

/** Drops, doubles and damages lines. */
function mutateLines(random: ReturnType<typeof seededRandom>, sdp: string): string {
  const lines = sdp.split('\r\n');
  for (let i = random.below(5); i >= 0; i -= 1) {
    const at = random.below(lines.length);
    const line = lines[at] ?? '';
    const change = random.below(5);
    if (change === 0) lines.splice(at, 1);
    if (change === 1) lines.splice(at, 0, line);
    if (change === 2) lines[at] = line.slice(0, random.below(line.length + 1));
    if (change === 3) lines[at] = line.replace(/\d+/, () => String(random.pick([-1, 0, 65_536, 4_294_967_296, 1e30])));
    if (change === 4) lines[at] = `${line} ${random.bytes(8).toString('latin1')}`;
  }
  return lines.join('\r\n');
}

const realOffer = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=msid-semantic: WMS s',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  'a=ice-options:trickle',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'a=sendonly',
  'a=msid:s t',
  'a=rtcp-mux',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack pli',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=ssrc-group:FID 1111 2222',
  'a=ssrc:1111 cname:c',
  'a=ssrc:2222 cname:c',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:1',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
  '',
].join('\r\n');

test('hostile clients in the room: refused or cut off, and the call beside them goes on', async () => {
  const members: Member[] = [];
  for (const identity of ['alice', 'bob']) {
    members.push({
      identity,
      client: await here.stage.client(),
      camera: { ...camera360p, codec: 'vp8' },
      microphone: 'on',
    });
  }
  const clients = members.map(({ client }) => client);
  await withDiaries(here.sluice, clients, async () => {
    await assemble(here.sluice, 'hostile', members, 'single');
    await untilAllReceive(members);
    const before = here.sluice.footprint();
    const watching = observeCall(members, 20_000);
    for (const [i, [what, attack]] of attacks.entries()) {
      using client = await RawClient.join(here.sluice.webSocketUrl, await token(`attacker-${i}`));
      attack(client);
      client.send({ case: 'ping', value: 424_242n });
      // Either it is still served after all that, or it was shown the door; it is never just forgotten.
      const end = await until(
        `an end to "${what}"`,
        DEADLINE_MS,
        () =>
          client.state === 'open'
            ? client.responses.some(({ message }) => message.case === 'pong') && 'still served'
            : client.state,
        () => [client.state, client.responses.map(({ message }) => message.case)],
      );
      console.log(`  ${what}: ${end}${client.leave === undefined ? '' : ', leave'}`);
    }
    assertGood(await watching, members, { fps: 15 });
    for (const client of clients) {
      const events = await client.call.events();
      assert.deepEqual(
        events.filter((line) => /reconnect| disconnected/i.test(line) && !/participant/.test(line)),
        [],
      );
    }
    using late = await RawClient.join(here.sluice.webSocketUrl, await token('late'));
    assert.equal(late.state, 'open', 'a new client is let in');
    const after = here.sluice.footprint();
    console.log(
      `  resident ${before.residentKiB} → ${after.residentKiB} KiB, sockets ${before.sockets} → ${after.sockets}`,
    );
    assert.ok(after.residentKiB - before.residentKiB < MOST_GROWTH_KIB, 'memory grew');
  });
});
