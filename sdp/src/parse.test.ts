import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Description, isRejected, type RtpSection } from './model.ts';
import { defaultParseLimits, type ParseLimits, parseDescription } from './parse.ts';
import { readTestDescription, testDescriptionNames } from './test-descriptions.ts';

const SESSION = ['v=0', 'o=- 4962303333179871722 1 IN IP4 0.0.0.0', 's=-', 't=0 0'];

function parsed(lines: readonly string[], newline = '\r\n'): Description {
  const result = parseDescription(lines.join(newline) + newline);
  assert.ok(result.ok, JSON.stringify(result));
  return result.description;
}

function refused(lines: readonly string[], limits: ParseLimits = defaultParseLimits): unknown {
  const result = parseDescription(lines.join('\r\n'), limits);
  assert.ok(!result.ok);
  const { reason, line, what } = result;
  return { reason, line, what };
}

function firstRtp(lines: readonly string[]): RtpSection {
  const section = parsed([...SESSION, ...lines]).sections[0];
  assert.equal(section?.type, 'rtp');
  return section;
}

for (const name of testDescriptionNames()) {
  test(`reads ${name}`, () => {
    const result = parseDescription(readTestDescription(name));
    assert.ok(result.ok);
    for (const section of result.description.sections) {
      assert.notEqual(section.type, 'other');
      assert.notEqual(section.mid, '');
      assert.equal(section.transport.setup, 'actpass');
      assert.equal(section.transport.fingerprints[0]?.algorithm, 'sha-256');
      assert.equal(isRejected(section), false);
    }
  });
}

test('a Chromium simulcast offer: rids, simulcast, extensions, codecs with their fmtp and feedback', () => {
  const result = parseDescription(readTestDescription('chromium-simulcast'));
  assert.ok(result.ok);
  const video = result.description.sections[1];
  assert.equal(video?.type, 'rtp');
  assert.deepEqual(result.description.bundleGroups, [['0', '1', '2']]);
  assert.deepEqual(
    video.rids.map(({ id, direction }) => `${id} ${direction}`),
    ['q send', 'h send', 'f send'],
  );
  assert.deepEqual(
    video.simulcast?.send.map(([first]) => first?.rid),
    ['q', 'h', 'f'],
  );
  assert.equal(video.extensions.find(({ uri }) => uri.endsWith('sdes:mid'))?.id, 4);
  const h264 = video.codecs.find(({ payloadType }) => payloadType === 108);
  assert.equal(h264?.parameters.get('profile-level-id'), '42e01f');
  assert.deepEqual(h264?.feedback, ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli']);
  const red = result.description.sections[0]?.type === 'rtp' ? result.description.sections[0].codecs[1] : undefined;
  assert.deepEqual([...(red?.parameters ?? [])], [['111/111', '']]);
});

test('a Firefox offer: bundle-only sections have port 0 and are not rejected; the session’s fingerprint is everyone’s', () => {
  const result = parseDescription(readTestDescription('firefox-single'));
  assert.ok(result.ok);
  const { sections } = result.description;
  assert.deepEqual(
    sections.map(({ port, bundleOnly }) => [port, bundleOnly]),
    [
      [9, false],
      [0, true],
      [0, true],
      [9, false],
      [0, true],
      [0, true],
      [9, false],
    ],
  );
  assert.equal(new Set(sections.map(({ transport }) => transport.fingerprints[0]?.value)).size, 1);
});

test('LF and CRLF, with empty lines between sections, are the same', () => {
  const lines = [...SESSION, 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', '', 'a=mid:d1'];
  assert.deepEqual(parsed(lines, '\n'), parsed(lines, '\r\n'));
});

test('what a section says of ICE, DTLS and direction stands before what the session says', () => {
  const description = parsed([
    ...SESSION,
    'a=ice-ufrag:session',
    'a=ice-pwd:session0123456789012345',
    'a=setup:active',
    'a=recvonly',
    'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 8',
    'a=ice-ufrag:section',
    'a=ice-pwd:section0123456789012345',
    'a=setup:passive',
    'a=inactive',
  ]);
  const said = description.sections.map((section) => [
    section.transport.ice?.usernameFragment,
    section.transport.setup,
    section.type === 'rtp' && section.direction,
    section.type === 'rtp' && section.extensions.length,
  ]);
  assert.deepEqual(said, [
    ['session', 'active', 'recvonly', 1],
    ['section', 'passive', 'inactive', 1],
  ]);
});

test('static audio payload types need no rtpmap; dynamic ones without one are left out', () => {
  const audio = firstRtp(['m=audio 9 UDP/TLS/RTP/SAVPF 0 8 111 96', 'a=rtpmap:96 opus/48000/2']);
  assert.deepEqual(
    audio.codecs.map(({ payloadType, name, channels }) => [payloadType, name, channels]),
    [
      [0, 'PCMU', 1],
      [8, 'PCMA', 1],
      [96, 'opus', 2],
    ],
  );
});

test('rtcp-fb for * is feedback of every format, once', () => {
  const lines = ['a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=rtcp-fb:* nack', 'a=rtcp-fb:96 nack'];
  const video = firstRtp(['m=video 9 UDP/TLS/RTP/SAVPF 96 97', ...lines]);
  assert.deepEqual(
    video.codecs.map(({ feedback }) => feedback),
    [['nack'], ['nack']],
  );
});

test('fmtp keeps values with "=" whole and parameters without one', () => {
  const video = firstRtp([
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==;flag',
  ]);
  assert.deepEqual(Object.fromEntries(video.codecs[0]?.parameters ?? []), {
    'packetization-mode': '1',
    'sprop-parameter-sets': 'Z0IACpZTBYmI,aMljiA==',
    flag: '',
  });
});

test('parameter names of Object’s prototype are parameters like others', () => {
  const audio = firstRtp(['m=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=fmtp:0 __proto__=1;constructor=2', 'a=constructor:x']);
  assert.deepEqual(
    [...(audio.codecs[0]?.parameters ?? [])],
    [
      ['__proto__', '1'],
      ['constructor', '2'],
    ],
  );
});

test('candidates: mDNS and TCP are read, unreadable ones skipped', () => {
  const audio = firstRtp([
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'a=candidate:1 1 UDP 2130706431 192.0.2.1 7882 typ host generation 0',
    'a=candidate:2 1 tcp 1518280447 4f0b.local 9 typ host tcptype active',
    'a=candidate:nonsense',
    'a=end-of-candidates',
  ]);
  assert.deepEqual(
    audio.transport.candidates.map(({ transport, address, port, tcpType }) => [transport, address, port, tcpType]),
    [
      ['udp', '192.0.2.1', 7882, ''],
      ['tcp', '4f0b.local', 9, 'active'],
    ],
  );
  assert.equal(audio.transport.endOfCandidates, true);
});

test('simulcast: both directions, alternatives, paused', () => {
  const video = firstRtp([
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=rtpmap:96 VP8/90000',
    'a=rid:f send pt=96;max-width=1280',
    'a=simulcast:recv 1 send f,g;~q',
  ]);
  assert.deepEqual(video.simulcast, {
    send: [
      [
        { rid: 'f', paused: false },
        { rid: 'g', paused: false },
      ],
      [{ rid: 'q', paused: true }],
    ],
    receive: [[{ rid: '1', paused: false }]],
  });
  assert.deepEqual(video.rids, [{ id: 'f', direction: 'send', restrictions: 'pt=96;max-width=1280' }]);
});

test('sections that are neither RTP nor data channels keep their place', () => {
  const { sections } = parsed([
    ...SESSION,
    'm=application 9 DTLS/SCTP 5000',
    'm=image 0 udptl t38',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
  ]);
  assert.deepEqual(
    sections.map(({ type }) => type),
    ['other', 'other', 'rtp'],
  );
});

test('refuses with the line and the attribute that is wrong', () => {
  const audio = [...SESSION, 'm=audio 9 UDP/TLS/RTP/SAVPF 0'];
  const wrong: Record<string, string[]> = {
    rtpmap: ['a=rtpmap:128 opus/48000', 'a=rtpmap:96 opus', 'a=rtpmap:96 /48000', 'a=rtpmap:96 a/b/c'],
    fmtp: ['a=fmtp:x apt=1'],
    'rtcp-fb': ['a=rtcp-fb:96', 'a=rtcp-fb:x nack'],
    extmap: ['a=extmap:0 urn:x', 'a=extmap:256 urn:x', 'a=extmap:1', 'a=extmap:1/up urn:x'],
    ssrc: ['a=ssrc:4294967296 cname:x', 'a=ssrc:-1 cname:x'],
    'ssrc-group': ['a=ssrc-group:FID 1 x', 'a=ssrc-group:'],
    rid: ['a=rid:q', 'a=rid:q up', 'a=rid:! send'],
    simulcast: ['a=simulcast:', 'a=simulcast:send', 'a=simulcast:send ;', 'a=simulcast:up q'],
    'ice-ufrag': ['a=ice-ufrag:abc', `a=ice-ufrag:${'a'.repeat(257)}`, 'a=ice-ufrag:a b c d'],
    'ice-pwd': ['a=ice-pwd:short'],
    fingerprint: ['a=fingerprint:sha-256 AA', 'a=fingerprint:sha-256', 'a=fingerprint:sha-256 ZZ:ZZ'],
    setup: ['a=setup:maybe'],
    mid: ['a=mid:', 'a=mid:a b'],
    'sctp-port': ['a=sctp-port:0', 'a=sctp-port:65536'],
    'max-message-size': ['a=max-message-size:-1'],
    b: ['b=AS', 'b=AS:x'],
  };
  for (const [what, lines] of Object.entries(wrong)) {
    for (const line of lines) {
      assert.deepEqual(refused([...audio, line]), { reason: 'malformed', line: 6, what }, line);
    }
  }
  for (const media of [
    'm=audio',
    'm=audio x UDP/TLS/RTP/SAVPF 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF',
    'm=audio 9 RTP/AVP 0 0',
  ]) {
    assert.deepEqual(refused([...SESSION, media]), { reason: 'malformed', line: 5, what: 'm' }, media);
  }
});

test('refuses what is no SDP', () => {
  assert.deepEqual(refused(['']), { reason: 'not-sdp', line: 1, what: 'v' });
  assert.deepEqual(refused(['{"sdp":1}']), { reason: 'not-sdp', line: 1, what: '' });
  assert.deepEqual(refused(['v=1', ...SESSION.slice(1)]), { reason: 'not-sdp', line: 1, what: 'v' });
  assert.deepEqual(refused(['v=0', 's=-']), { reason: 'malformed', line: 2, what: 'o' });
  assert.deepEqual(refused([...SESSION, 'a=tool:\0']), { reason: 'malformed', line: 5, what: '' });
  assert.deepEqual(refused([...SESSION, 'a=mid:0\ra=mid:1']), { reason: 'malformed', line: 5, what: '' });
});

test('refuses what is past its bounds', () => {
  const limits = { maxLength: 2000, maxSections: 2, maxLineLength: 100 };
  const section = 'm=audio 9 UDP/TLS/RTP/SAVPF 0';
  assert.deepEqual(refused([...SESSION, 'x'.repeat(2000)], limits), { reason: 'too-large', line: 0, what: '' });
  assert.deepEqual(refused([...SESSION, `a=${'x'.repeat(99)}`], limits), {
    reason: 'line-too-long',
    line: 5,
    what: '',
  });
  assert.deepEqual(refused([...SESSION, section, section, section], limits), {
    reason: 'too-many-sections',
    line: 0,
    what: 'm',
  });
});

test('more feedback than any stack has is malformed, so that a wildcard cannot multiply without end', () => {
  const lines = Array.from({ length: 65 }, (_, i) => `a=rtcp-fb:* x${i}`);
  assert.deepEqual(refused([...SESSION, 'm=audio 9 UDP/TLS/RTP/SAVPF 0', ...lines]), {
    reason: 'malformed',
    line: 70,
    what: 'rtcp-fb',
  });
});
