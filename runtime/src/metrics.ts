import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(value?: number, labels?: Labels): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

export interface Sample {
  readonly value: number;
  readonly labels?: Labels;
}

/** A name (`sluice_media_sessions`), a sentence, and the names of its labels. */
export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Numbers of a process, for Prometheus. Asking for a name again gives the same metric. */
export interface Metrics {
  counter(description: MetricDescription): Counter;
  gauge(description: MetricDescription): Gauge;
  histogram(description: MetricDescription & { readonly buckets: readonly number[] }): Histogram;
  /** Numbers kept elsewhere, read whenever somebody looks. Returns what stops it. */
  read(type: 'counter' | 'gauge', description: MetricDescription, read: () => Iterable<Sample>): () => void;
  /** Everything in Prometheus' text format, version 0.0.4. */
  text(): Promise<string>;
}

export function createMetrics(): Metrics {
  return new PromMetrics();
}

/** The Content-Type of `Metrics.text`. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

class PromMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #known = new Map<string, Counter | Gauge | Histogram>();
  readonly #readers = new Map<string, Set<() => Iterable<Sample>>>();

  counter(description: MetricDescription): Counter {
    return this.#once(description.name, () => {
      const counter = new PromCounter(this.#options(description));
      return { add: (value = 1, labels = {}) => counter.inc(labels, value) };
    });
  }

  gauge(description: MetricDescription): Gauge {
    return this.#once(description.name, () => {
      const gauge = new PromGauge(this.#options(description));
      return { set: (value, labels = {}) => gauge.set(labels, value) };
    });
  }

  histogram(description: MetricDescription & { readonly buckets: readonly number[] }): Histogram {
    return this.#once(description.name, () => {
      const histogram = new PromHistogram({ ...this.#options(description), buckets: [...description.buckets] });
      return { observe: (value, labels = {}) => histogram.observe(labels, value) };
    });
  }

  read(type: 'counter' | 'gauge', description: MetricDescription, read: () => Iterable<Sample>): () => void {
    const readers = this.#readers.get(description.name) ?? this.#collect(type, description);
    readers.add(read);
    return () => void readers.delete(read);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #collect(type: 'counter' | 'gauge', description: MetricDescription): Set<() => Iterable<Sample>> {
    const readers = new Set<() => Iterable<Sample>>();
    this.#readers.set(description.name, readers);
    const samples = (): Sample[] => [...readers].flatMap((read) => [...read()]);
    if (type === 'gauge') {
      const collect = (): void => {
        gauge.reset();
        for (const { value, labels = {} } of samples()) gauge.set(labels, value);
      };
      const gauge: PromGauge = new PromGauge({ ...this.#options(description), collect });
    } else {
      const collect = (): void => {
        counter.reset();
        for (const { value, labels = {} } of samples()) counter.inc(labels, value);
      };
      const counter: PromCounter = new PromCounter({ ...this.#options(description), collect });
    }
    return readers;
  }

  #once<T extends Counter | Gauge | Histogram>(name: string, make: () => T): T {
    const known = this.#known.get(name) as T | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(name, made);
    return made;
  }

  #options(description: MetricDescription): {
    name: string;
    help: string;
    labelNames: string[];
    registers: Registry[];
  } {
    const { name, help, labels = [] } = description;
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}
