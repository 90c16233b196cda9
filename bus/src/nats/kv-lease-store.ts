import { JetStreamApiError } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { LeaseEntry, LeaseRecord, LeaseStore } from './leases.ts';

/** NATS' numbers for "somebody wrote meanwhile" (JSStreamWrongLastSequenceErrF and its constant form). */
const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10_071, 10_164]);

/** Leases in a bucket of NATS' key-value store. The bucket is made when it is not there, also after NATS was wiped. */
export class KvLeaseStore implements LeaseStore {
  readonly #open: () => Promise<KV>;
  #bucket: Promise<KV> | undefined;

  constructor(open: () => Promise<KV>) {
    this.#open = open;
  }

  async read(name: string): Promise<LeaseEntry | undefined> {
    const entry = await this.#with(async (bucket) => await bucket.get(keyOf(name)));
    if (entry === null) return undefined;
    // What nobody of ours wrote is nobody's.
    return { revision: entry.revision, record: parse(entry.value) ?? { holder: '', epoch: 0, durationUs: 0 } };
  }

  async write(name: string, record: LeaseRecord, revision: number): Promise<number | undefined> {
    try {
      const text = JSON.stringify(record);
      return await this.#with(async (bucket) => await bucket.put(keyOf(name), text, { previousSeq: revision }));
    } catch (error) {
      if (error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code)) return undefined;
      throw error;
    }
  }

  /** Tries with the bucket that it has; when that fails the next try begins by looking for the bucket. */
  async #with<T>(work: (bucket: KV) => Promise<T>): Promise<T> {
    this.#bucket ??= this.#open();
    const opening = this.#bucket;
    try {
      return await work(await opening);
    } catch (error) {
      const lostRace = error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code);
      if (!lostRace && this.#bucket === opening) this.#bucket = undefined;
      throw error;
    }
  }
}

/** The key-value store takes letters, digits and a few signs; what else a name may hold is written as `=` and hex. */
const keyOf = (name: string): string =>
  name.replaceAll(/[^A-Za-z0-9/_-]/gu, (character) => `=${Buffer.from(character, 'utf8').toString('hex')}`);

function parse(value: Uint8Array): LeaseRecord | undefined {
  try {
    const { holder, epoch, durationUs } = JSON.parse(Buffer.from(value).toString('utf8')) as Record<string, unknown>;
    if (typeof holder !== 'string' || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(durationUs))
      return undefined;
    return { holder, epoch: epoch as number, durationUs: durationUs as number };
  } catch {
    return undefined;
  }
}
