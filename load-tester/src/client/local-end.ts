import { type IceCredentials, type RandomBytes, randomBase62 } from '@sluice/contracts';
import {
  type Codec,
  type DataSection,
  type Description,
  type Direction,
  type Origin,
  type RtpSection,
  reversed,
  type Section,
  sends,
  type Transport,
  writeDescription,
} from '@sluice/sdp';
import { codecsOf, extensionsOf, sendingCodecs } from './capabilities.ts';
import type { Publication } from './publication.ts';

/** One m-section of the client's. */
export interface LocalSection {
  readonly mid: string;
  readonly kind: 'audio' | 'video' | 'data';
  /** What stands in it of ours; undefined: it receives. */
  readonly publication: Publication | undefined;
  /** It sends no more. */
  ended: boolean;
}

export interface LocalEndOptions {
  readonly random: RandomBytes;
  readonly fingerprint: { readonly algorithm: string; readonly value: string };
}

const STREAM = 'stream';
const MAX_MESSAGE_BYTES = 262_144;
const DISCARD_PORT = 9;
const MAX_INT63 = (1n << 62n) - 1n;

/** A client's side of one peer connection: its sections, its ICE credentials, and the descriptions that say so. */
export class LocalEnd {
  readonly #options: LocalEndOptions;
  readonly #cname: string;
  readonly #sections: LocalSection[] = [];
  #origin: Origin;
  #ice: IceCredentials;

  constructor(options: LocalEndOptions) {
    const { random } = options;
    this.#options = options;
    this.#cname = randomBase62(random, 16);
    const id = Buffer.from(random(8)).readBigUInt64BE() & MAX_INT63;
    this.#origin = { username: '-', sessionId: String(id), sessionVersion: '1' };
    this.#ice = makeCredentials(random);
  }

  get ice(): IceCredentials {
    return this.#ice;
  }

  get sections(): readonly LocalSection[] {
    return this.#sections;
  }

  addReceiving(kind: 'audio' | 'video'): void {
    this.#add(kind, undefined);
  }

  addData(): void {
    this.#add('data', undefined);
  }

  addSending(publication: Publication): void {
    this.#add(publication.wish.kind, publication);
  }

  endSending(publication: Publication): void {
    for (const section of this.#sections) if (section.publication === publication) section.ended = true;
  }

  restartIce(): void {
    this.#ice = makeCredentials(this.#options.random);
  }

  offer(): string {
    const sections = this.#sections.map((section) => this.#offered(section));
    return this.#write(
      sections.map(({ mid }) => mid),
      sections,
    );
  }

  /** Takes everything that it can decode, and sends nothing: the other end's offers carry what it sends. */
  answer(offered: Description): string {
    const sections = offered.sections.map((section) => this.#answered(section));
    return this.#write(
      sections.filter(({ port }) => port !== 0).map(({ mid }) => mid),
      sections,
    );
  }

  #add(kind: LocalSection['kind'], publication: Publication | undefined): void {
    this.#sections.push({ mid: String(this.#sections.length), kind, publication, ended: false });
  }

  #write(bundle: readonly string[], sections: readonly Section[]): string {
    const origin = this.#origin;
    this.#origin = { ...origin, sessionVersion: String(BigInt(origin.sessionVersion) + 1n) };
    return writeDescription({ origin, bundleGroups: [bundle], iceLite: false, msidSemantic: 'WMS', sections });
  }

  #transport(setup: Transport['setup']): Transport {
    return {
      ice: this.#ice,
      iceOptions: ['trickle'],
      fingerprints: [this.#options.fingerprint],
      setup,
      candidates: [],
      endOfCandidates: false,
    };
  }

  #offered({ mid, kind, publication, ended }: LocalSection): Section {
    const transport = this.#transport('actpass');
    if (kind === 'data') return dataSection(mid, transport);
    const sending = publication !== undefined && !ended;
    const direction = publication === undefined ? 'recvonly' : ended ? 'inactive' : 'sendonly';
    const codecs = publication === undefined ? codecsOf(kind) : sendingCodecs(kind);
    const section = rtpSection({ mid, kind, transport, direction, codecs });
    return sending ? { ...section, ...this.#streams(publication) } : section;
  }

  #streams({ cid, layers, wish }: Publication): Partial<RtpSection> {
    const msid = { stream: STREAM, track: cid };
    if (layers.length > 1) {
      // Layers are known by their RID alone, as browsers write them.
      const rids = layers.map(({ rid }) => ({ id: rid, direction: 'send' as const, restrictions: '' }));
      const send = layers.map(({ rid }) => [{ rid, paused: false }]);
      return { msids: [msid], rids, simulcast: { send, receive: [] } };
    }
    const source = (ssrc: number) => ({ ssrc, cname: this.#cname, msid });
    const [layer] = layers;
    if (layer === undefined) return { msids: [msid] };
    const { ssrc, rtxSsrc } = layer;
    if (wish.kind === 'audio') return { msids: [msid], sources: [source(ssrc)] };
    const sourceGroups = [{ semantics: 'FID', ssrcs: [ssrc, rtxSsrc] }];
    return { msids: [msid], sources: [source(ssrc), source(rtxSsrc)], sourceGroups };
  }

  #answered(section: Section): Section {
    const transport = this.#transport('active');
    switch (section.type) {
      case 'other':
        return { ...section, port: 0, bundleOnly: false, transport };
      case 'data':
        return dataSection(section.mid, transport);
      case 'rtp': {
        const { mid, kind } = section;
        const codecs = supported(section);
        const extensions = extensionsOf(kind).flatMap(
          ({ uri }) => section.extensions.find((one) => one.uri === uri) ?? [],
        );
        const direction = sends(section.direction) ? reversed(section.direction) : 'inactive';
        const answer = { ...rtpSection({ mid, kind, transport, direction, codecs }), extensions };
        return codecs.length > 0 ? answer : { ...answer, port: 0, codecs: section.codecs };
      }
    }
  }
}

/** Those of an offer that can be decoded, with their retransmissions. */
function supported({ kind, codecs }: RtpSection): Codec[] {
  const names = new Set(codecsOf(kind).map(({ name }) => name.toLowerCase()));
  const main = codecs.filter(({ name }) => name.toLowerCase() !== 'rtx' && names.has(name.toLowerCase()));
  const numbers = new Set(main.map(({ payloadType }) => String(payloadType)));
  return codecs.filter((codec) => main.includes(codec) || numbers.has(codec.parameters.get('apt') ?? ''));
}

interface RtpSectionParts {
  readonly mid: string;
  readonly kind: 'audio' | 'video';
  readonly transport: Transport;
  readonly direction: Direction;
  readonly codecs: readonly Codec[];
}

function rtpSection({ mid, kind, transport, direction, codecs }: RtpSectionParts): RtpSection {
  return {
    type: 'rtp',
    kind,
    mid,
    port: DISCARD_PORT,
    bundleOnly: false,
    protocol: 'UDP/TLS/RTP/SAVPF',
    transport,
    bandwidths: [],
    direction,
    codecs,
    rtcpMux: true,
    rtcpReducedSize: true,
    extensions: extensionsOf(kind),
    extensionsAllowMixed: true,
    msids: [],
    sources: [],
    sourceGroups: [],
    rids: [],
    simulcast: undefined,
  };
}

const dataSection = (mid: string, transport: Transport): DataSection => ({
  type: 'data',
  mid,
  port: DISCARD_PORT,
  bundleOnly: false,
  protocol: 'UDP/DTLS/SCTP',
  transport,
  bandwidths: [],
  sctpPort: 5000,
  maxMessageBytes: MAX_MESSAGE_BYTES,
});

/** RFC 8445 §5.3 wants 24 and 128 bits at least; browsers' fragments are 4 characters, ours must not meet in a big test. */
const makeCredentials = (random: RandomBytes): IceCredentials => ({
  usernameFragment: randomBase62(random, 8),
  password: randomBase62(random, 24),
});
