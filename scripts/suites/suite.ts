/** How many cases of a suite passed, failed and were skipped. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Something to run that ends with counts; it writes what a reader needs to standard output. */
export interface Suite {
  readonly name: string;
  run(): Promise<Counts>;
}

export const nothing: Counts = { passed: 0, failed: 0, skipped: 0 };
export const onePassed: Counts = { passed: 1, failed: 0, skipped: 0 };
export const oneFailed: Counts = { passed: 0, failed: 1, skipped: 0 };

export function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (total, one) => ({
      passed: total.passed + one.passed,
      failed: total.failed + one.failed,
      skipped: total.skipped + one.skipped,
    }),
    nothing,
  );
}

/** `12 passed, 0 failed` and, when there are any, `, 3 skipped`. */
export function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Suites that run one after the other beside `first`, which mostly waits: they begin with it. */
export function beside(first: Suite, others: readonly Suite[]): Suite[] {
  let begun: readonly Promise<Counts>[] = [];
  const begin = (): void => {
    let before: Promise<unknown> = Promise.resolve();
    begun = others.map((suite) => {
      const running = before.then(() => suite.run());
      // Whoever waits for it hears of it.
      before = running.catch(() => undefined);
      return running;
    });
  };
  const beginning: Suite = {
    name: first.name,
    run: () => {
      begin();
      return first.run();
    },
  };
  return [beginning, ...others.map((suite, i) => ({ name: suite.name, run: () => begun[i] ?? suite.run() }))];
}

/** Runs suites one after the other; a suite that throws counts as one failure. The last line sums up. */
export async function runSuites(suites: readonly Suite[]): Promise<Counts> {
  const results: { name: string; counts: Counts; seconds: number }[] = [];
  for (const suite of suites) {
    const startedMs = performance.now();
    console.log(`\n── ${suite.name}`);
    const counts = await suite.run().catch((error: unknown) => {
      console.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return oneFailed;
    });
    const seconds = (performance.now() - startedMs) / 1000;
    console.log(`${counts.failed > 0 ? '✖' : '✔'} ${suite.name}: ${inWords(counts)} (${seconds.toFixed(1)} s)`);
    results.push({ name: suite.name, counts, seconds });
  }
  const failed = results.filter(({ counts }) => counts.failed > 0);
  if (failed.length > 0) console.log(`\nFailed: ${failed.map(({ name }) => name).join(', ')}`);
  const total = sum(results.map(({ counts }) => counts));
  console.log(`\n${inWords(total)}`);
  return total;
}
