import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Candidate,
  type Codec,
  type Description,
  directions,
  type HeaderExtension,
  type Msid,
  type Section,
  type Simulcast,
  setups,
  type Transport,
} from './model.ts';
import { parseDescription } from './parse.ts';
import { readTestDescription, testDescriptionNames } from './test-descriptions.ts';
import { writeDescription } from './write.ts';

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const letters = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet.split('')), minLength, maxLength });

const ALNUM = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const token = letters(`${ALNUM}!#$%&'*+-.^_\`{|}~`, 1, 16);
const iceText = (min: number, max: number): fc.Arbitrary<string> => letters(`${ALNUM}+/`, min, max);
const digits = letters('123456789', 1, 20);
const ssrc = fc.nat(0xffff_ffff);
const few = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { maxLength: 4 });
const hex = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':'));

const candidate: fc.Arbitrary<Candidate> = record({
  foundation: token,
  component: fc.nat(256),
  transport: fc.constantFrom('udp', 'tcp'),
  priority: fc.nat(0xffff_ffff),
  address: fc.oneof(fc.ipV4(), fc.ipV6()),
  port: fc.nat(65_535),
  type: fc.constantFrom('host', 'srflx', 'relay'),
  tcpType: fc.constantFrom('', 'passive'),
});

const transport: fc.Arbitrary<Transport> = record({
  ice: fc.option(record({ usernameFragment: iceText(4, 256), password: iceText(22, 256) }), { nil: undefined }),
  iceOptions: few(token),
  fingerprints: few(record({ algorithm: fc.constant('sha-256'), value: hex })),
  setup: fc.option(fc.constantFrom(...setups), { nil: undefined }),
  candidates: few(candidate),
  endOfCandidates: fc.boolean(),
});

const common = {
  mid: fc.oneof(token, fc.constant('')),
  port: fc.nat(65_535),
  bundleOnly: fc.boolean(),
  transport,
  bandwidths: few(record({ type: token, value: fc.nat(1_000_000) })),
};

const codec = (payloadType: number): fc.Arbitrary<Codec> =>
  record({
    payloadType: fc.constant(payloadType),
    name: token,
    clockRateHz: fc.integer({ min: 1, max: 1_000_000 }),
    channels: fc.integer({ min: 1, max: 255 }),
    parameters: fc
      .array(
        fc.tuple(
          letters(`${ALNUM}-`, 1, 8),
          letters(`${ALNUM}=,/ `, 0, 8).map((value) => value.trim()),
        ),
        { maxLength: 4 },
      )
      .map((pairs) => new Map(pairs)),
    feedback: fc.uniqueArray(fc.constantFrom('nack', 'nack pli', 'ccm fir', 'transport-cc')),
  });

const extension: fc.Arbitrary<HeaderExtension> = record({
  id: fc.integer({ min: 1, max: 255 }),
  uri: fc.constantFrom('urn:ietf:params:rtp-hdrext:sdes:mid', 'http://example.org/x', 'https://example.org/#y'),
  direction: fc.constantFrom(...directions),
});

const msid: fc.Arbitrary<Msid> = record({ stream: token, track: fc.oneof(token, fc.constant('')) });
const rid = letters(`${ALNUM}-_`, 1, 16);
const ridStreams = fc.array(fc.array(record({ rid, paused: fc.boolean() }), { minLength: 1, maxLength: 3 }), {
  maxLength: 3,
});
const simulcast: fc.Arbitrary<Simulcast> = record({ send: ridStreams, receive: ridStreams }).filter(
  ({ send, receive }) => send.length + receive.length > 0,
);

const rtpSection: fc.Arbitrary<Section> = record({
  type: fc.constant('rtp'),
  kind: fc.constantFrom('audio', 'video'),
  ...common,
  protocol: fc.constantFrom('UDP/TLS/RTP/SAVPF', 'RTP/AVP'),
  direction: fc.constantFrom(...directions),
  codecs: fc
    .uniqueArray(fc.nat(127), { maxLength: 6 })
    .chain((types) => fc.tuple(...types.map(codec)))
    .map((codecs) => [...codecs]),
  rtcpMux: fc.boolean(),
  rtcpReducedSize: fc.boolean(),
  extensions: few(extension),
  extensionsAllowMixed: fc.boolean(),
  msids: few(msid),
  sources: fc.uniqueArray(record({ ssrc, cname: token, msid: fc.option(msid, { nil: undefined }) }), {
    selector: (source) => source.ssrc,
    maxLength: 4,
  }),
  sourceGroups: few(record({ semantics: token, ssrcs: few(ssrc) })),
  rids: few(
    record({
      id: rid,
      direction: fc.constantFrom('send' as const, 'recv' as const),
      restrictions: fc.constantFrom('', 'pt=96;max-fps=30'),
    }),
  ),
  simulcast: fc.option(simulcast, { nil: undefined }),
});

const dataSection: fc.Arbitrary<Section> = record({
  type: fc.constant('data'),
  ...common,
  protocol: fc.constantFrom('UDP/DTLS/SCTP', 'TCP/DTLS/SCTP'),
  sctpPort: fc.integer({ min: 1, max: 65_535 }),
  maxMessageBytes: fc.option(fc.maxSafeNat(), { nil: undefined }),
});

const otherSection: fc.Arbitrary<Section> = record({
  type: fc.constant('other'),
  ...common,
  protocol: fc.constantFrom('udptl', 'DTLS/SCTP', 'UDP/TLS/RTP/SAVPF'),
  media: fc.constantFrom('text', 'message', 'image'),
  formats: fc.array(token, { minLength: 1, maxLength: 3 }),
});

const description: fc.Arbitrary<Description> = record({
  origin: record({ username: token, sessionId: digits, sessionVersion: digits }),
  bundleGroups: few(few(token)),
  iceLite: fc.boolean(),
  msidSemantic: fc.constantFrom('', 'WMS', 'WMS *'),
  sections: fc.array(fc.oneof(rtpSection, dataSection, otherSection), { maxLength: 4 }),
});

const real = testDescriptionNames().map(readTestDescription);

function agreesWithItself(text: string): void {
  const first = parseDescription(text);
  if (!first.ok) return;
  const second = parseDescription(writeDescription(first.description));
  assert.ok(second.ok, JSON.stringify(second));
  assert.deepEqual(second.description, first.description);
}

test('law: what is written reads back as the same', () => {
  fc.assert(
    fc.property(description, (model) => {
      const result = parseDescription(writeDescription(model));
      assert.ok(result.ok, JSON.stringify(result));
      assert.deepEqual(result.description, model);
    }),
    { numRuns: 300 },
  );
});

test('law: real descriptions, written and read again, are the same', () => {
  for (const text of real) agreesWithItself(text);
});

test('law: any text is read or refused, never thrown', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...new Set(real.flatMap((text) => text.split('\r\n')))),
    fc.tuple(fc.constantFrom('a=', 'm=', 'b=', 'o='), fc.string({ unit: 'binary' })).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => agreesWithItself(['v=0', ...lines].join('\r\n'))),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), agreesWithItself));
});

test('law: real descriptions, mutated, are read or refused, never thrown', () => {
  const place = fc.nat(1_000_000);
  const edit = record({
    at: place,
    drop: fc.nat(40),
    insert: fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom(
        '\r\n',
        '\n',
        ' ',
        ':',
        '/',
        ';',
        '=',
        '0',
        '99999999999999999999',
        '\0',
        '\r\na=',
        '\r\nm=audio 0',
      ),
      // A piece of another real one.
      fc.tuple(fc.constantFrom(...real), place, fc.nat(300)).map(([text, from, length]) => {
        const start = from % text.length;
        return text.slice(start, start + length);
      }),
    ),
  });
  fc.assert(
    fc.property(fc.constantFrom(...real), fc.array(edit, { minLength: 1, maxLength: 6 }), (text, edits) => {
      let mutated = text;
      for (const { at, drop, insert } of edits) {
        const from = at % mutated.length;
        mutated = mutated.slice(0, from) + insert + mutated.slice(from + drop);
      }
      agreesWithItself(mutated);
    }),
    { numRuns: 3000 },
  );
});
