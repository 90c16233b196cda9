import type { Fingerprint, SessionSpec } from '@sluice/contracts';
import type { PeerPort } from '@sluice/load-tester';
import { generateIdentity, type PeerMedia } from '@sluice/packet-path';
import { fingerprintOf } from '../certificate.ts';
import { Sfu } from '../sfu.ts';
import type { ClientPorts, Member, PeerAdapter, Place, RunningPeer } from './adapter.ts';
import { clientMedia, type Feedback, type Joined, sessionSpec } from './media-node-room.ts';

/** Sluice's packet path in a process of its own, told by session specs, as a media node is that stands apart. */
export const mediaNode: PeerAdapter = {
  name: 'Sluice media node',
  missing: () => undefined,
  start: (place) => RunningMediaNode.start(place, 'with-feedback'),
};

/** Certificates are valid from a little before now. */
const BACKDATED_S = 3_600;
const CERTIFICATE_DAYS = 30;

interface Waiting extends Joined {
  readonly member: Member;
}

export class RunningMediaNode implements RunningPeer {
  readonly version = 'this tree';
  readonly notes = [
    'the packet path with one shard in a process without signaling or controller, told by session specs',
  ];
  readonly sfu: Sfu;
  readonly #fingerprint: Fingerprint;
  readonly #clients: ClientPorts;
  readonly #feedback: Feedback;
  readonly #publishers: Joined[] = [];
  #members = 0;
  readonly #sending: { readonly peer: PeerPort; readonly media: PeerMedia }[] = [];
  #waiting: Waiting[] = [];

  private constructor(sfu: Sfu, fingerprint: Fingerprint, clients: ClientPorts, feedback: Feedback) {
    this.sfu = sfu;
    this.#fingerprint = fingerprint;
    this.#clients = clients;
    this.#feedback = feedback;
  }

  static async start({ cpu, clients }: Pick<Place, 'cpu' | 'clients'>, feedback: Feedback): Promise<RunningMediaNode> {
    const identity = generateIdentity(Math.floor(clients.clock.unixMs() / 1_000) - BACKDATED_S, CERTIFICATE_DAYS);
    const sfu = await Sfu.start(identity, cpu);
    return new RunningMediaNode(sfu, fingerprintOf(identity.certificatePem), clients, feedback);
  }

  get pid(): number {
    return this.sfu.pid;
  }

  async join(member: Member): Promise<void> {
    this.#members += 1;
    const joined = { member, number: this.#members, room: member.room, publishes: member.publishes };
    if (Object.keys(member.publishes).length > 0) this.#publishers.push(joined);
    this.#waiting.push(joined);
  }

  async subscribe(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const specs = waiting.map((joined) => this.#spec(joined));
    await this.sfu.apply(specs);
    await Promise.all(waiting.map((joined, index) => this.#connect(joined, specs[index])));
  }

  /** Its clients go on with what they send, or pause. */
  setSending(sending: 'on' | 'off'): void {
    const muted = sending === 'off';
    for (const { peer, media } of this.#sending) {
      const video = media.video.map((camera) => ({ ...camera, muted }));
      const audio = media.audio.map((microphone) => ({ ...microphone, muted }));
      peer.setMedia({ ...media, video, audio });
    }
  }

  async stop(): Promise<void> {
    await this.sfu.stop();
  }

  #spec(joined: Waiting): SessionSpec {
    return sessionSpec(joined, this.#sources(joined), this.#clients.fingerprint);
  }

  #sources(joined: Waiting): Joined[] {
    if (!joined.member.receives) return [];
    return this.#publishers.filter(({ room, number }) => room === joined.room && number !== joined.number);
  }

  async #connect(joined: Waiting, spec: SessionSpec | undefined): Promise<void> {
    const [remote] = spec?.localCredentials ?? [];
    const local = spec?.remoteCredentials;
    if (spec === undefined || remote === undefined || local === undefined)
      throw new Error('a spec without credentials');
    const { address, port } = this.sfu.address;
    const up = Promise.withResolvers<void>();
    const peer = this.#clients.openPeer({
      server: `${address}:${port}`,
      local,
      remote,
      dtlsRole: 'client',
      remoteFingerprints: [this.#fingerprint],
      data: undefined,
      onEvent: (event) => {
        if (event.type === 'connected') up.resolve();
        if (event.type === 'ended') up.reject(new Error(`a client's session ended: ${event.reason}`));
      },
    });
    const media = clientMedia(joined, spec, this.#feedback);
    peer.setMedia(media);
    if (spec.incoming.length > 0) this.#sending.push({ peer, media });
    // It may end long after it was waited for.
    up.promise.catch(() => {});
    await up.promise;
  }
}
