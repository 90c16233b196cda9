import assert from 'node:assert/strict';
import {
  Identity,
  makeParticipantId,
  makeRoomId,
  makeSessionId,
  type ParticipantId,
  SessionSpec,
  SiteName,
  type TrackId,
} from '@sluice/contracts';
import { seededRandom } from '@sluice/runtime';
import {
  type Codec,
  type DataSection,
  type Description,
  type Direction,
  parseDescription,
  type RtpSection,
  reversed,
  type Section,
  type Transport,
  writeDescription,
} from '@sluice/sdp';
import type {
  MediaKind,
  NegotiatedSpec,
  NegotiationOptions,
  PendingTrack,
  SiteTransport,
  WantedTrack,
} from './terms.ts';

/** What tests of this folder share: a client that does as RFC 8829 says, and short ways to say the usual. */

export const testOptions = (seed = 1, more: Partial<NegotiationOptions> = {}): NegotiationOptions => ({
  random: seededRandom(seed),
  maxSections: 64,
  preferredDtlsRole: 'server',
  reuseSections: 'when-free',
  ...more,
});

export const testSite: SiteTransport = {
  addresses: [
    { address: '192.0.2.7', port: 7882 },
    { address: '2001:db8::7', port: 7882 },
  ],
  fingerprint: { algorithm: 'sha-256', value: Array(32).fill('AB').join(':') },
};

export const trackId = (name: string): TrackId => `TR_${name}` as TrackId;
export const participantId = (name: string): ParticipantId => `PA_${name}` as ParticipantId;

/** Names that begin with `a` are audio. */
const kindOfName = (name: string): MediaKind => (name.startsWith('a') ? 'audio' : 'video');

export const pendingTrack = (name: string, more: Partial<PendingTrack> = {}): PendingTrack => ({
  track: trackId(name),
  kind: kindOfName(name),
  cids: [name],
  codec: '',
  stereo: false,
  disableDtx: false,
  ...more,
});

export const wantedTrack = (name: string, more: Partial<WantedTrack> = {}): WantedTrack => ({
  track: trackId(name),
  participant: participantId('Other'),
  kind: kindOfName(name),
  mimeType: kindOfName(name) === 'audio' ? 'audio/opus' : 'video/VP8',
  stereo: false,
  paused: false,
  ...more,
});

/** Nothing that a negotiation says may be a spec that a media node refuses. */
export function checkSpec(spec: NegotiatedSpec): NegotiatedSpec {
  const random = seededRandom(7);
  const { data, ...rest } = spec;
  const result = SessionSpec.safeParse({
    site: SiteName.parse('test'),
    session: makeSessionId(random),
    room: makeRoomId(random),
    participant: makeParticipantId(random),
    identity: Identity.parse('me'),
    ...rest,
    ...(data ? { data: { ...data, hidden: false, publish: true, receive: true } } : {}),
  });
  assert.ok(result.success, result.error?.message);
  return spec;
}

export function parse(sdp: string): Description {
  const parsed = parseDescription(sdp);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.description;
}

export function rtpSection(sdp: string, mid: string): RtpSection {
  const section = parse(sdp).sections.find((each) => each.mid === mid);
  assert.equal(section?.type, 'rtp');
  return section;
}

export function dataSection(sdp: string): DataSection {
  const section = parse(sdp).sections.find(({ type }) => type === 'data');
  assert.equal(section?.type, 'data');
  return section;
}

/** One m-section of the client; `stopped` for ever once set. */
export interface ClientSection {
  readonly mid: string;
  readonly kind: MediaKind | 'data';
  direction: Direction;
  /** The client's id of what it sends. */
  cid: string;
  stopped: boolean;
}

/** A client with the codecs and extensions of a real browser. */
export class TestClient {
  readonly sections: ClientSection[] = [];
  readonly #templates: Record<MediaKind, RtpSection>;
  readonly #lacks: readonly string[];
  #transport: Transport;
  #restarts = 0;
  #version = 0;

  /** `offer`: a real browser's, with audio and video. `lacks`: names of codecs that this one has not. */
  constructor(offer: string, lacks: readonly string[] = []) {
    const { sections } = parse(offer);
    const template = (kind: MediaKind): RtpSection => {
      const found = sections.find((section) => section.type === 'rtp' && section.kind === kind);
      assert.equal(found?.type, 'rtp');
      return { ...found, codecs: found.codecs.filter(({ name }) => !lacks.includes(name)) };
    };
    this.#templates = { audio: template('audio'), video: template('video') };
    this.#lacks = lacks;
    this.#transport = this.#templates.audio.transport;
  }

  /** Adds a section and gives its mid. */
  add(kind: ClientSection['kind'], direction: Direction = 'recvonly', cid = ''): string {
    const mid = String(this.sections.length);
    this.sections.push({ mid, kind, direction, cid, stopped: false });
    return mid;
  }

  send(cid: string): string {
    return this.add(kindOfName(cid), 'sendonly', cid);
  }

  section(mid: string): ClientSection {
    const section = this.sections.find((each) => each.mid === mid);
    assert.ok(section);
    return section;
  }

  restartIce(): void {
    this.#restarts += 1;
    const ice = { usernameFragment: `frag${this.#restarts}`, password: `password${this.#restarts}`.padEnd(24, '0') };
    this.#transport = { ...this.#transport, ice };
  }

  offer(): string {
    const live = this.sections.filter(({ stopped }) => !stopped);
    return this.#write(
      live.map(({ mid }) => mid),
      this.sections.map((section) => this.#offered(section)),
    );
  }

  /** Takes whatever it can decode. */
  answer(offerSdp: string): string {
    const offered = parse(offerSdp);
    const sections = offered.sections.map((section) => this.#answered(section));
    const mids = sections.filter(({ port }) => port !== 0).map(({ mid }) => mid);
    return this.#write(mids, sections);
  }

  #write(bundle: readonly string[], sections: readonly Section[]): string {
    this.#version += 1;
    return writeDescription({
      origin: { username: '-', sessionId: '4242', sessionVersion: String(this.#version) },
      bundleGroups: [bundle],
      iceLite: false,
      msidSemantic: 'WMS',
      sections,
    });
  }

  #offered({ mid, kind, direction, cid, stopped }: ClientSection): Section {
    const port = stopped ? 0 : 9;
    const common = { mid, port, bundleOnly: false, transport: this.#transport, bandwidths: [] };
    if (kind === 'data') {
      return { type: 'data', ...common, protocol: 'UDP/DTLS/SCTP', sctpPort: 5000, maxMessageBytes: 262_144 };
    }
    const msids = cid === '' ? [] : [{ stream: 'stream', track: cid }];
    return { ...this.#templates[kind], ...common, direction, msids, sources: [], sourceGroups: [] };
  }

  #answered(section: Section): Section {
    if (section.type === 'other') return section;
    const transport: Transport = { ...this.#transport, setup: 'active' };
    if (section.type === 'data') return { ...section, transport, maxMessageBytes: 262_144 };
    const has = (codec: Codec): boolean =>
      codec.name === 'rtx'
        ? section.codecs.some((each) => String(each.payloadType) === codec.parameters.get('apt') && has(each))
        : !this.#lacks.includes(codec.name);
    const codecs = section.codecs.filter(has);
    const silent = { msids: [], sources: [], sourceGroups: [] };
    const port = section.port === 0 || codecs.length === 0 ? 0 : 9;
    return { ...section, ...silent, port, codecs, transport, direction: reversed(section.direction) };
  }
}
