import { type Clock, errorMessage, type Timer } from '@sluice/runtime';

/** A server's numbers at one moment. */
export interface ServerSample {
  readonly atUs: number;
  /** Resident. */
  readonly memoryBytes: number;
  readonly heapBytes: number;
  /** Gauges by name, summed over their labels: what the server's tables hold. */
  readonly tables: Readonly<Record<string, number>>;
  /** Counters, by name and labels. */
  readonly counters: Readonly<Record<string, number>>;
}

/** At four moments: before anybody joined, at the start and the end of the measured time, after everybody had left. */
export type AtMoments = readonly [before: number, start: number, end: number, after: number];

export interface MemoryReport {
  readonly bytes: AtMoments;
  readonly mostBytes: number;
  /**
   * From the median of the second quarter of the measured time to that of the last, as a share of the former. In the
   * first quarter heaps and pools come to the size that they keep.
   */
  readonly growth: number;
}

/** Of a server over a whole test. */
export interface ServerReport {
  /** Over the measured time: seconds from its start, resident memory, heap. */
  readonly samples: readonly (readonly [atS: number, memoryBytes: number, heapBytes: number])[];
  readonly memory: MemoryReport;
  readonly heap: MemoryReport;
  readonly tables: Readonly<Record<string, AtMoments>>;
  /** Counters that moved, and by how much. */
  readonly counted: Readonly<Record<string, number>>;
}

const INTERVAL_US = 2_000_000;

export interface ServerWatchOptions {
  readonly clock: Clock;
  readonly url: string;
  readonly problem: (what: string) => void;
}

/** Looks at a server's metrics every now and then. */
export class ServerWatch {
  readonly #options: ServerWatchOptions;
  readonly #measured: ServerSample[] = [];
  #before: ServerSample | undefined;
  #after: ServerSample | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ServerWatchOptions) {
    this.#options = options;
  }

  /** Nobody has joined yet. */
  async begin(): Promise<void> {
    this.#before = await this.#look();
  }

  /** What is seen from now on counts. */
  async measure(): Promise<void> {
    const seen = await this.#look();
    if (this.#stopped) return;
    if (seen !== undefined) this.#measured.push(seen);
    this.#timer = this.#options.clock.setTimer(INTERVAL_US, () => void this.measure());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Everybody has left; true: and the server knows, and has forgotten them. */
  async end(): Promise<boolean> {
    const now = await this.#look();
    if (now === undefined) return true;
    this.#after = now;
    return Object.entries(now.tables).every(
      ([name, value]) => !isTable(name) || value <= (this.#before?.tables[name] ?? 0),
    );
  }

  report(): ServerReport | undefined {
    const [start] = this.#measured;
    const end = this.#measured.at(-1);
    if (start === undefined || end === undefined) return undefined;
    const moments = [this.#before ?? start, start, end, this.#after ?? end] as const;
    const at = (read: (sample: ServerSample) => number): AtMoments => {
      const [before, first, last, after] = moments;
      return [read(before), read(first), read(last), read(after)];
    };
    const memory = (read: (sample: ServerSample) => number): MemoryReport => {
      const values = this.#measured.map(read);
      return { bytes: at(read), mostBytes: Math.max(...values), growth: growth(values) };
    };
    return {
      samples: this.#measured.map(({ atUs, memoryBytes, heapBytes }) => [
        Math.round((atUs - start.atUs) / 1_000_000),
        memoryBytes,
        heapBytes,
      ]),
      memory: memory(({ memoryBytes }) => memoryBytes),
      heap: memory(({ heapBytes }) => heapBytes),
      tables: Object.fromEntries(Object.keys(end.tables).map((name) => [name, at(({ tables }) => tables[name] ?? 0)])),
      counted: moved(moments[0].counters, moments[3].counters),
    };
  }

  async #look(): Promise<ServerSample | undefined> {
    const { clock, url, problem } = this.#options;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return sampleOf(await response.text(), clock.nowUs());
    } catch (error) {
      // `fetch` says why only beneath.
      const why = error instanceof Error && error.cause !== undefined ? error.cause : error;
      problem(`the server's metrics could not be read: ${errorMessage(why)}`);
      return undefined;
    }
  }
}

/** What must be empty again when everybody has left. */
export const isTable = (name: string): boolean => /_(sessions|sockets|tracks|specs|participants)$/.test(name);

/** Reads the text format of Prometheus, as far as gauges and counters go. */
export function sampleOf(text: string, atUs: number): ServerSample {
  const types = new Map<string, string>();
  const memory = { rss: 0, heapUsed: 0 };
  const tables: Record<string, number> = {};
  const counters: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) types.set(typed, type);
    const [, name = '', labels = '', digits] = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line) ?? [];
    const value = Number(digits);
    if (!Number.isFinite(value)) continue;
    if (name === 'sluice_process_memory_bytes') {
      if (labels.includes('"rss"')) memory.rss = value;
      if (labels.includes('"heapUsed"')) memory.heapUsed = value;
    } else if (name === 'process_resident_memory_bytes') memory.rss = value;
    else if (types.get(name) === 'gauge') tables[name] = (tables[name] ?? 0) + value;
    else if (types.get(name) === 'counter') counters[`${name}${labels}`] = value;
  }
  return { atUs, memoryBytes: memory.rss, heapBytes: memory.heapUsed, tables, counters };
}

/** From the median of the second quarter to that of the last. */
export function growth(values: readonly number[]): number {
  const quarter = Math.max(1, Math.floor(values.length / 4));
  const first = median(values.slice(quarter, 2 * quarter));
  return first === 0 ? 0 : median(values.slice(-quarter)) / first - 1;
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

const moved = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(after).flatMap(([name, value]) => {
      const by = value - (before[name] ?? 0);
      return by === 0 ? [] : [[name, by]];
    }),
  );
