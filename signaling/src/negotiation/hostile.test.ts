import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTestDescription } from '@sluice/sdp/internal';
import { PublisherNegotiation } from './publisher.ts';
import type { RefusalReason } from './refusal.ts';
import { SubscriberNegotiation } from './subscriber.ts';
import { pendingTrack, TestClient, testOptions, testSite, wantedTrack } from './test-client.ts';

const chromium = readTestDescription('chromium-send-and-receive');

function refusedOffer(offer: string, negotiation = new PublisherNegotiation(testOptions())): [RefusalReason, string] {
  const before = negotiation.spec;
  const result = negotiation.answer(offer, [pendingTrack('a1'), pendingTrack('v1')], testSite);
  assert.ok(!result.ok, 'was answered');
  assert.deepEqual(negotiation.spec, before, 'a refused offer changes nothing');
  assert.ok(result.detail.length < 120, result.detail);
  return [result.reason, result.detail];
}

const good = readTestDescription('chromium-send-and-receive');

test('what is no SDP is refused with the line', () => {
  assert.deepEqual(refusedOffer(''), ['unreadable', 'not-sdp, line 1: v']);
  assert.deepEqual(refusedOffer('hello'), ['unreadable', 'not-sdp, line 1']);
  assert.deepEqual(refusedOffer(good.replace('a=mid:0', 'a=rtpmap:x')), ['unreadable', 'malformed, line 16: rtpmap']);
  assert.equal(refusedOffer(good + 'a'.repeat(2 * 1024 * 1024))[0], 'unreadable');
  assert.equal(refusedOffer(good.slice(0, good.indexOf('m=')))[0], 'nothing-to-negotiate');
});

test('too many sections are refused', () => {
  const section = good.slice(good.indexOf('m=application'));
  assert.equal(refusedOffer(good + section.repeat(100))[0], 'too-many-sections');
});

test('sections without a mid, with a long one, with one used twice', () => {
  assert.deepEqual(refusedOffer(good.replace('a=mid:1\r\n', '')), ['bad-mid', 'section 1 has none']);
  assert.equal(refusedOffer(good.replace('a=mid:1', `a=mid:${'m'.repeat(17)}`))[0], 'bad-mid');
  assert.deepEqual(refusedOffer(good.replace('a=mid:1', 'a=mid:0')), ['bad-mid', 'section 1: used before']);
});

test('no credentials, no fingerprint that we take, both ends lite', () => {
  assert.equal(refusedOffer(good.replaceAll(/a=ice-pwd.*\r\n/g, ''))[0], 'no-ice-credentials');
  assert.equal(refusedOffer(good.replaceAll(/a=fingerprint.*\r\n/g, ''))[0], 'no-fingerprint');
  const sha1 = `a=fingerprint:sha-1 ${Array(20).fill('AA').join(':')}\r\n`;
  assert.equal(refusedOffer(good.replaceAll(/a=fingerprint.*\r\n/g, sha1))[0], 'no-fingerprint');
  assert.equal(refusedOffer(good.replace('t=0 0\r\n', 't=0 0\r\na=ice-lite\r\n'))[0], 'ice-lite-peer');
});

test('nothing that we could take: all rejected, or RTP without rtcp-mux', () => {
  assert.equal(refusedOffer(good.replaceAll(/^m=(\w+) 9/gm, 'm=$1 0'))[0], 'nothing-to-negotiate');
  const media = readTestDescription('chromium-audio-video');
  assert.equal(refusedOffer(media.replaceAll('a=rtcp-mux\r\n', ''))[0], 'nothing-to-negotiate');
});

test('a later offer that moves, renames, retypes or forgets sections is refused and the call goes on', () => {
  const negotiation = new PublisherNegotiation(testOptions());
  const client = new TestClient(chromium);
  client.send('a1');
  client.send('v1');
  assert.ok(negotiation.answer(client.offer(), [pendingTrack('a1'), pendingTrack('v1')], testSite).ok);
  const [audio, video] = client.sections;
  assert.ok(audio && video);
  for (const sections of [
    [video, audio],
    [audio],
    [audio, { ...video, mid: '9' }],
    [audio, { ...video, kind: 'data' }],
  ]) {
    const other = new TestClient(chromium);
    other.sections.push(...(sections as typeof client.sections));
    assert.equal(refusedOffer(other.offer(), negotiation)[0], 'sections-changed');
  }
  assert.ok(negotiation.answer(client.offer(), [], testSite).ok);
});

test('a thousand formats, extensions, SSRCs and rids in one section still make a spec within its bounds', () => {
  const many = (line: (i: number) => string): string =>
    Array.from({ length: 1000 }, (_, i) => `${line(i)}\r\n`).join('');
  const numbers = Array.from({ length: 128 }, (_, i) => i);
  const client = new TestClient(chromium);
  client.send('v1');
  const offer = client
    .offer()
    .replace(/m=video 9 (\S+) .*/, `m=video 9 $1 ${numbers.join(' ')}`)
    .concat(numbers.map((i) => `a=rtpmap:${i} VP9/90000\r\n`).join(''))
    .concat(many((i) => `a=extmap:${1 + (i % 255)} urn:x:${i}`))
    .concat(
      many((i) => `a=ssrc:${i} cname:x`),
      many((i) => `a=rid:r${i} send`),
    )
    .concat(`a=simulcast:send ${Array.from({ length: 1000 }, (_, i) => `r${i}`).join(';')}\r\n`);
  const answered = new PublisherNegotiation(testOptions()).answer(offer, [pendingTrack('v1')], testSite);
  assert.ok(answered.ok);
  const [track] = answered.spec.incoming;
  assert.ok((track?.codecs.length ?? 0) <= 64);
  assert.ok((track?.streams.length ?? 0) <= 16);
});

test('a client’s words stay its own: nothing it writes becomes a line of our answer', () => {
  const offer = good.replace('a=mid:0', 'a=mid:0\ra=ice-lite');
  assert.equal(refusedOffer(offer)[0], 'unreadable');
});

test('answers: other sections than offered, no role chosen, everything rejected', () => {
  const refused = (change: (answer: string) => string): RefusalReason => {
    const negotiation = new SubscriberNegotiation(testOptions());
    negotiation.want([wantedTrack('a1'), wantedTrack('v1')]);
    const answer = new TestClient(chromium).answer(negotiation.offer(testSite, 'keep').sdp);
    const result = negotiation.takeAnswer(change(answer));
    assert.ok(!result.ok);
    assert.ok(negotiation.awaitsAnswer, 'the right answer may still come');
    assert.ok(negotiation.takeAnswer(answer).ok);
    return result.reason;
  };
  assert.equal(
    refused(() => 'v=0'),
    'unreadable',
  );
  assert.equal(
    refused((answer) => answer.slice(0, answer.indexOf('m=video'))),
    'sections-changed',
  );
  assert.equal(
    refused((answer) => answer.replace('a=mid:2', 'a=mid:3')),
    'sections-changed',
  );
  assert.equal(
    refused((answer) => answer.replace('m=video', 'm=audio')),
    'sections-changed',
  );
  assert.equal(
    refused((answer) => answer + answer.slice(answer.indexOf('m=video'))),
    'too-many-sections',
  );
  assert.equal(
    refused((answer) => answer.replaceAll('setup:active', 'setup:actpass')),
    'bad-setup',
  );
  assert.equal(
    refused((answer) => answer.replaceAll(/a=setup.*\r\n/g, '')),
    'bad-setup',
  );
  assert.equal(
    refused((answer) => answer.replaceAll(/^m=(\w+) 9/gm, 'm=$1 0')),
    'nothing-to-negotiate',
  );
  assert.equal(
    refused((answer) => answer.replaceAll(/a=fingerprint.*\r\n/g, '')),
    'no-fingerprint',
  );
});
