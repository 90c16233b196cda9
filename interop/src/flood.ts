import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { garbage, type Targets } from './garbage.ts';
import { seededRandom } from './random.ts';

export interface FloodOptions extends Targets {
  readonly port: number;
  readonly datagrams: number;
  readonly sockets: number;
  readonly perSecond: number;
  readonly seed: number;
}

export interface FloodReport {
  readonly sent: number;
  readonly bytesSent: number;
  readonly answers: number;
  readonly bytesAnswered: number;
  /** Answers larger than the question they belong to, or that belong to none. */
  readonly amplified: readonly string[];
  readonly seconds: number;
}

/** How many different datagrams there are; each goes out many times, from different addresses. */
const KINDS = 20_000;
const TICK_MS = 10;
const LAST_ANSWERS_MS = 500;

/** Sends garbage at a UDP port from many addresses and watches what comes back. */
export async function flood(options: FloodOptions): Promise<FloodReport> {
  const random = seededRandom(options.seed);
  const kinds = Array.from({ length: KINDS }, () => garbage(random, options));
  const watch = new Watch(kinds);
  const sockets: Socket[] = [];
  for (let i = 0; i < options.sockets; i += 1) sockets.push(await open(i, watch));
  const startedMs = performance.now();
  let sent = 0;
  let bytesSent = 0;
  try {
    while (sent < options.datagrams) {
      const due = Math.min(options.datagrams, ((performance.now() - startedMs) / 1000) * options.perSecond);
      for (; sent < due; sent += 1) {
        const bytes = kinds[random.below(KINDS)] ?? Buffer.alloc(0);
        sockets[sent % sockets.length]?.send(bytes, options.port, '127.0.0.1');
        bytesSent += bytes.length;
      }
      await sleep(TICK_MS);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    await sleep(LAST_ANSWERS_MS);
    return { sent, bytesSent, seconds, ...watch.report() };
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** Loopback is 127.0.0.0/8: every socket has an address and a port of its own. */
async function open(index: number, watch: Watch): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, `127.${1 + (index % 8)}.${1 + ((index >> 3) % 8)}.${1 + (index % 250)}`);
  await once(socket, 'listening');
  socket.on('message', (answer) => watch.answered(answer));
  // Garbage may be refused by the system itself.
  socket.on('error', () => undefined);
  return socket;
}

class Watch {
  /** STUN questions by transaction id (RFC 8489 §5). */
  readonly #questions = new Map<string, number>();
  readonly #amplified: string[] = [];
  #answers = 0;
  #bytes = 0;

  constructor(kinds: readonly Buffer[]) {
    for (const bytes of kinds) {
      if (bytes.length >= 20) this.#questions.set(bytes.toString('hex', 8, 20), bytes.length);
    }
  }

  answered(answer: Buffer): void {
    this.#answers += 1;
    this.#bytes += answer.length;
    const question = answer.length >= 20 ? this.#questions.get(answer.toString('hex', 8, 20)) : undefined;
    if (question !== undefined && answer.length <= question) return;
    if (this.#amplified.length < 20)
      this.#amplified.push(`${question ?? 'no question'} → ${answer.length}: ${answer.toString('hex', 0, 24)}`);
  }

  report(): Pick<FloodReport, 'answers' | 'bytesAnswered' | 'amplified'> {
    return { answers: this.#answers, bytesAnswered: this.#bytes, amplified: this.#amplified };
  }
}
