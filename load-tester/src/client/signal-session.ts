import { Ping, SignalRequest, SignalResponse } from '@livekit/protocol';
import type { Clock, Timer } from '@sluice/runtime';
import type { ClientMessage } from './messages.ts';
import type { SignalClosure, SignalLink, SignalTarget } from './ports.ts';

/** What the server says. */
export type ServerMessage = Exclude<SignalResponse['message'], { case: undefined }>;

export interface SignalSessionOptions {
  readonly clock: Clock;
  readonly dial: (
    target: SignalTarget,
    listener: { frame(bytes: Uint8Array): void; closed(why: SignalClosure): void },
  ) => SignalLink;
  readonly target: SignalTarget;
  readonly message: (message: ServerMessage) => void;
  /** Told once, unless it was closed from here. */
  readonly closed: (why: SignalClosure) => void;
}

/** The SDKs' limit for the first message. */
const FIRST_MESSAGE_WITHIN_US = 15_000_000;

/** One WebSocket with its pings, from dialing to its end. */
export class SignalSession {
  readonly #options: SignalSessionOptions;
  readonly #link: SignalLink;
  #silence: Timer;
  #ping: Timer | undefined;
  #timeoutUs = FIRST_MESSAGE_WITHIN_US;
  #over = false;
  rttUs = 0;

  constructor(options: SignalSessionOptions) {
    this.#options = options;
    this.#silence = this.#waitForAnything();
    this.#link = options.dial(options.target, {
      frame: (bytes) => this.#frame(bytes),
      closed: (why) => this.#end(why),
    });
  }

  send(message: ClientMessage): void {
    if (!this.#over) this.#link.send(new SignalRequest({ message }).toBinary());
  }

  /** As the server's join says. */
  startPings(intervalS: number, timeoutS: number): void {
    this.#timeoutUs = timeoutS * 1_000_000;
    const { clock } = this.#options;
    const ping = (): void => {
      const timestamp = BigInt(clock.unixMs());
      this.send({ case: 'pingReq', value: new Ping({ timestamp, rtt: BigInt(Math.round(this.rttUs / 1000)) }) });
      this.#ping = clock.setTimer(intervalS * 1_000_000, ping);
    };
    ping();
  }

  /** Ends it from here; nothing is told. */
  close(): void {
    if (this.#over) return;
    this.#stop();
    this.#link.close();
  }

  /** Says nothing any more, and hears nothing; the other end is not told. */
  abandon(): void {
    this.#stop();
  }

  #frame(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#silence.cancel();
    this.#silence = this.#waitForAnything();
    const { message } = SignalResponse.fromBinary(bytes);
    if (message.case === undefined) return;
    if (message.case === 'pongResp') {
      this.rttUs = (this.#options.clock.unixMs() - Number(message.value.lastPingTimestamp)) * 1000;
      return;
    }
    this.#options.message(message);
  }

  #waitForAnything(): Timer {
    return this.#options.clock.setTimer(this.#timeoutUs, () => {
      this.#link.close();
      this.#end({ status: 0, text: 'silence' });
    });
  }

  #end(why: SignalClosure): void {
    if (this.#over) return;
    this.#stop();
    this.#options.closed(why);
  }

  #stop(): void {
    this.#over = true;
    this.#silence.cancel();
    this.#ping?.cancel();
  }
}
