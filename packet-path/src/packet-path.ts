import type { SessionId, SessionSpec } from '@sluice/contracts';
import { fromAddon } from './errors.ts';
import type { PacketPathEvent } from './events.ts';
import { loadAddon, type NativeStatus, type NativeThreadedPath } from './native.ts';
import type { BindAddress, Identity, Tuning, Version } from './options.ts';
import type { PathSnapshot, SessionSnapshot } from './snapshot.ts';

export interface PacketPathOptions {
  readonly bind: readonly BindAddress[];
  /** Threads, each with its own socket on the shared port; one for each core that media may use. */
  readonly shards: number;
  readonly identity: Identity;
  readonly tuning: Tuning;
  /** Called on this thread, in order. What it throws is not caught, and keeps no other event from being told. */
  readonly onEvent: (event: PacketPathEvent) => void;
}

/** Moves the packets of all sessions whose specs it was given. Holds the process open until it is closed. */
export class PacketPath {
  readonly #native: NativeThreadedPath;
  readonly #status: NativeStatus;

  private constructor(native: NativeThreadedPath) {
    this.#native = native;
    this.#status = native.status();
  }

  /** Binds every address and starts the shards, or throws one clear error and leaves nothing behind. */
  static open(options: PacketPathOptions): PacketPath {
    const { bind, shards, identity, tuning, onEvent } = options;
    const { certificatePem, privateKeyPem } = identity;
    const native = attempt(() => {
      const { ThreadedPath } = loadAddon();
      return new ThreadedPath({ ...tuning, bind, shards, certificatePem, privateKeyPem }, (events) =>
        tellAll(events, onEvent),
      );
    });
    return new PacketPath(native);
  }

  /** What was bound, in the order of `bind`, with the ports that the system chose. */
  get addresses(): readonly BindAddress[] {
    return this.#status.addresses;
  }

  /** The socket buffers that the system granted. */
  get bufferBytes(): { readonly receive: number; readonly send: number } {
    return { receive: this.#status.receiveBufferBytes, send: this.#status.sendBufferBytes };
  }

  /** Makes a session equal to its spec. Idempotent; a version that is not newer changes nothing. */
  apply(spec: SessionSpec, version: Version): void {
    attempt(() => this.#native.apply(spec, version));
  }

  /** Ends a session and forgets its spec. */
  drop(session: SessionId): void {
    attempt(() => this.#native.drop(session));
  }

  /** From now on no session may land here; those that have landed go on. */
  drain(): void {
    attempt(() => this.#native.drain());
  }

  /** Numbers of all shards, or of one session: undefined when it has not landed here. */
  snapshot(): Promise<PathSnapshot>;
  snapshot(session: SessionId): Promise<SessionSnapshot | undefined>;
  async snapshot(session?: SessionId): Promise<PathSnapshot | SessionSnapshot | undefined> {
    try {
      return await (session === undefined ? this.#native.snapshot() : this.#native.snapshot(session));
    } catch (thrown) {
      throw fromAddon(thrown);
    }
  }

  /** Stops every shard and closes the sockets; clients are told nothing. Idempotent. */
  close(): void {
    this.#native.close();
  }
}

/** A new self-signed certificate as WebRTC uses them, valid from `notBeforeUnixS` for `days`. */
export function generateIdentity(notBeforeUnixS: number, days: number): Identity {
  return attempt(() => loadAddon().generateIdentity(notBeforeUnixS, days));
}

/** The addon's errors become this package's. */
export function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw fromAddon(thrown);
  }
}

/** Tells each event; what a listener throws surfaces as an uncaught error after all were told. */
export function tellAll<T>(events: readonly T[], tell: (event: T) => void): void {
  for (const event of events) {
    try {
      tell(event);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}
