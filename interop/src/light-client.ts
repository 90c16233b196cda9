import { X509Certificate } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Fingerprint } from '@sluice/contracts';
import {
  type PeerPort,
  type PeerWish,
  RoomClient,
  type RoomClientPorts,
  type SignalListener,
  type SignalTarget,
} from '@sluice/load-tester';
import { generateIdentity, type Identity, ManualPeer } from '@sluice/packet-path';
import { systemClock, systemRandom, type Timer } from '@sluice/runtime';

const IDENTITY_DAYS = 2;

/**
 * Clients by the hundred: our own end of the client protocol and of a session, on real sockets. What browsers prove
 * with two, these prove with many.
 */
export class LightClients {
  readonly #webSocketUrl: string;
  readonly #identity: Identity;
  readonly #fingerprint: Fingerprint;
  readonly #problems: string[] = [];

  constructor(webSocketUrl: string) {
    this.#webSocketUrl = webSocketUrl;
    this.#identity = generateIdentity(Math.floor(systemClock.unixMs() / 1000) - 3_600, IDENTITY_DAYS);
    const { fingerprint256 } = new X509Certificate(this.#identity.certificatePem);
    this.#fingerprint = { algorithm: 'sha-256', value: fingerprint256 };
  }

  /** What a correct server does not do, and did. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** One that is ready to connect. */
  async client(token: string, mode: 'single' | 'dual'): Promise<RoomClient> {
    // A session's sockets are there before it is: opening one takes a turn, a peer is wanted at once.
    const sockets = [await openSocket(), await openSocket()];
    const ports: RoomClientPorts = {
      clock: systemClock,
      random: systemRandom,
      fingerprint: this.#fingerprint,
      dial: (target, listener) => this.#dial(target, listener),
      openPeer: (wish) => new SocketPeer(wish, this.#identity, sockets.pop() ?? createSocket('udp4')),
    };
    const client = new RoomClient({ token, mode, autoSubscribe: true }, ports, {
      stateChanged: (state) => {
        if (state === 'ended') for (const socket of sockets.splice(0)) socket.close();
      },
      problem: (what) => this.#problems.push(what),
    });
    return client;
  }

  #dial({ path, query }: SignalTarget, listener: SignalListener) {
    const socket = new WebSocket(`${this.#webSocketUrl}${path}?${query.toString()}`);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }: MessageEvent) => listener.frame(new Uint8Array(data as ArrayBuffer)));
    socket.addEventListener('close', ({ code, reason }) => listener.closed({ status: 0, text: `${code} ${reason}` }));
    const waiting: Uint8Array[] = [];
    socket.addEventListener('open', () => {
      for (const frame of waiting.splice(0)) socket.send(frame as Uint8Array<ArrayBuffer>);
    });
    return {
      send: (frame: Uint8Array) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(frame as Uint8Array<ArrayBuffer>);
        else waiting.push(frame);
      },
      close: () => socket.close(),
    };
  }
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A `ManualPeer` on a UDP socket, stepped by the real clock. */
class SocketPeer implements PeerPort {
  readonly #socket: Socket;
  readonly #peer: ManualPeer;
  #timer: Timer | undefined;
  #open = true;

  constructor(wish: PeerWish, identity: Identity, socket: Socket) {
    this.#socket = socket;
    this.#peer = new ManualPeer({
      ...wish,
      identity,
      seed: systemRandom(4).reduce((seed, byte) => seed * 256 + byte, 0),
      onDatagram: (to, bytes) => this.#send(to, bytes),
    });
    socket.on('message', (bytes, { address, port }) => {
      const from = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
      this.#step(() => this.#peer.receive(from, bytes, systemClock.nowUs()));
    });
    // What cannot be sent is lost, as on any network.
    socket.on('error', () => undefined);
    // Events may come of it, and its owner does not have it yet.
    queueMicrotask(() => this.#step(() => this.#peer.start(systemClock.nowUs())));
  }

  restart(transport: Parameters<PeerPort['restart']>[0]): void {
    this.#step(() => this.#peer.restart(transport, systemClock.nowUs()));
  }

  setMedia(media: Parameters<PeerPort['setMedia']>[0]): void {
    this.#step(() => this.#peer.setMedia(media, systemClock.nowUs()));
  }

  send(streamId: number, kind: 'string' | 'binary', bytes: Uint8Array): ReturnType<PeerPort['send']> {
    const result = this.#peer.send(streamId, kind, bytes, systemClock.nowUs());
    this.#arm();
    return result;
  }

  report(): ReturnType<PeerPort['report']> {
    return this.#peer.mediaReport(systemClock.nowUs());
  }

  close(): void {
    if (!this.#open) return;
    this.#peer.close();
    this.vanish();
  }

  vanish(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#timer?.cancel();
    this.#socket.close();
  }

  #step(work: () => void): void {
    if (!this.#open) return;
    work();
    this.#arm();
  }

  #arm(): void {
    if (!this.#open) return;
    this.#timer?.cancel();
    const dueUs = this.#peer.nextDeadlineUs();
    if (dueUs === undefined) return;
    this.#timer = systemClock.setTimer(dueUs - systemClock.nowUs(), () =>
      this.#step(() => this.#peer.advance(systemClock.nowUs())),
    );
  }

  #send(to: string, bytes: Uint8Array): void {
    if (!this.#open) return;
    const at = to.lastIndexOf(':');
    this.#socket.send(bytes, Number(to.slice(at + 1)), to.slice(0, at).replaceAll(/[[\]]/g, ''));
  }
}
