import { type JoinResponse, SignalRequest, SignalResponse } from '@livekit/protocol';
import { until } from './wait.ts';

const ANSWER_DEADLINE_MS = 10_000;

/** A client that is no SDK: it speaks the signaling protocol by hand, and says whatever it is told to. */
export class RawClient implements Disposable {
  readonly responses: SignalResponse[] = [];
  readonly #socket: WebSocket;
  #closed: string | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      this.responses.push(
        typeof data === 'string'
          ? SignalResponse.fromJsonString(data)
          : SignalResponse.fromBinary(new Uint8Array(data as ArrayBuffer)),
      );
    });
    socket.addEventListener('close', ({ code }) => {
      this.#closed = `closed ${code}`;
    });
    socket.addEventListener('error', () => {
      this.#closed ??= 'error';
    });
  }

  /** Joins in dual mode; with media of its own it has nothing to do. */
  static async join(webSocketUrl: string, token: string): Promise<RawClient> {
    const client = new RawClient(
      new WebSocket(`${webSocketUrl}/rtc?access_token=${token}&protocol=17&sdk=js&version=2.23.0`),
    );
    await client.untilJoined();
    return client;
  }

  /** Opens any path; resolves when it is open, or says that it is not. */
  static async open(url: string): Promise<RawClient> {
    const client = new RawClient(new WebSocket(url));
    await until('the socket opens or closes', ANSWER_DEADLINE_MS, () => client.state !== 'connecting');
    return client;
  }

  get state(): string {
    if (this.#closed !== undefined) return this.#closed;
    return this.#socket.readyState === WebSocket.CONNECTING ? 'connecting' : 'open';
  }

  /** What the last `leave` said, if there was one. */
  get leave() {
    return this.responses.findLast(({ message }) => message.case === 'leave')?.message.value;
  }

  async untilJoined(): Promise<JoinResponse> {
    return await until(
      'a JoinResponse',
      ANSWER_DEADLINE_MS,
      () => {
        const first = this.responses.find(({ message }) => message.case === 'join')?.message;
        return first?.case === 'join' ? first.value : undefined;
      },
      () => this.state,
    );
  }

  send(message: SignalRequest['message']): void {
    this.sendRaw(new SignalRequest({ message }).toBinary());
  }

  sendRaw(frame: Uint8Array | string): void {
    if (this.state === 'open') this.#socket.send(frame as Uint8Array<ArrayBuffer> | string);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
