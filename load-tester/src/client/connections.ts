import { SessionDescription } from '@livekit/protocol';
import type { PeerEvent } from '@sluice/packet-path';
import type { Mode } from './connect-url.ts';
import { clientChannels } from './data-messages.ts';
import type { ClientMessage } from './messages.ts';
import { Negotiator } from './negotiator.ts';
import { PeerConnection, type ReceivedTrack, type Taken } from './peer-connection.ts';
import type { PeerPort, RoomClientPorts } from './ports.ts';
import type { Publication } from './publication.ts';

export interface ConnectionsOptions {
  readonly mode: Mode;
  readonly ports: RoomClientPorts;
  readonly send: (message: ClientMessage) => void;
  /** `upstream`: of the connection by which this client sends. */
  readonly onEvent: (event: PeerEvent, way: 'upstream' | 'downstream') => void;
  readonly overdue: () => void;
  readonly isIdle: (track: string) => boolean;
}

/** Sections that livekit-client adds before it knows of any track. */
const FIRST_SECTIONS = 3;

/** A client's peer connections: one for both ways, or one for each. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #publisher: Negotiator;
  /** In single mode the publisher's. */
  readonly #subscriber: PeerConnection;
  #publisherInUse = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { mode, ports, overdue, send, onEvent } = options;
    const make = (way: 'upstream' | 'downstream'): PeerConnection =>
      new PeerConnection({
        random: ports.random,
        fingerprint: ports.fingerprint,
        openPeer: (wish) => ports.openPeer(wish),
        onEvent: (event) => onEvent(event, way),
        channels: way === 'upstream' ? clientChannels : [],
        isIdle: options.isIdle,
      });
    const connection = make('upstream');
    this.#publisher = new Negotiator({
      clock: ports.clock,
      connection,
      send: (value) => send({ case: 'offer', value }),
      overdue,
    });
    this.#subscriber = mode === 'single' ? connection : make('downstream');
    if (mode === 'single') {
      for (const kind of ['audio', 'video'] as const) {
        for (let i = 0; i < FIRST_SECTIONS; i++) connection.local.addReceiving(kind);
      }
    }
    connection.local.addData();
  }

  /** The offer that goes with the join, in single mode. */
  firstOffer(): SessionDescription | undefined {
    if (this.#options.mode === 'dual') return undefined;
    this.#publisherInUse = true;
    return this.#publisher.takeOffer();
  }

  /** The server lets this client publish without further ado. */
  fastPublish(): void {
    if (this.#options.mode === 'dual') this.#negotiate();
  }

  publish(publication: Publication): void {
    this.#publisher.connection.local.addSending(publication);
    this.#negotiate();
  }

  unpublish(publication: Publication): void {
    this.#publisher.connection.local.endSending(publication);
    this.refresh();
    this.#negotiate();
  }

  addSections(audios: number, videos: number): void {
    const { local } = this.#publisher.connection;
    for (let i = 0; i < audios; i++) local.addReceiving('audio');
    for (let i = 0; i < videos; i++) local.addReceiving('video');
    this.#negotiate();
  }

  takeAnswer(answer: SessionDescription): Taken {
    return this.#publisher.takeAnswer(answer);
  }

  takeOffer({ id, sdp, midToTrackId }: SessionDescription): Taken {
    const taken = this.#subscriber.takeOffer(sdp, midToTrackId);
    if (taken.answer !== undefined) {
      const value = new SessionDescription({ type: 'answer', sdp: taken.answer, id });
      this.#options.send({ case: 'answer', value });
    }
    return taken;
  }

  pause(): void {
    this.#publisher.pause();
  }

  /** The client is back on a new link: ICE starts again. In dual mode the server offers the other connection. */
  resume(): void {
    if (!this.#publisherInUse) return;
    this.#publisher.connection.local.restartIce();
    this.#publisher.offerNow();
  }

  refresh(): void {
    for (const connection of this.#all()) connection.refresh();
  }

  received(): ReceivedTrack[] {
    return this.#subscriber.received();
  }

  /** By which this client sends data. */
  get upstream(): PeerPort | undefined {
    return this.#publisher.connection.peer;
  }

  get peers(): PeerPort[] {
    return this.#all().flatMap(({ peer }) => peer ?? []);
  }

  /** Everything that is in use is up. */
  get connected(): boolean {
    const inUse = this.#all().filter((connection) => connection !== this.#publisher.connection || this.#publisherInUse);
    return inUse.every(({ state }) => state === 'connected');
  }

  close(how: 'goodbye' | 'without-a-word'): void {
    this.#publisher.pause();
    for (const connection of this.#all()) connection.close(how);
  }

  #negotiate(): void {
    this.#publisherInUse = true;
    this.#publisher.negotiate();
  }

  #all(): PeerConnection[] {
    return [...new Set([this.#publisher.connection, this.#subscriber])];
  }
}
