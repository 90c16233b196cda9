import type { ServerResponse } from 'node:http';
import type { Pages } from '@sluice/signaling';

/** Whether this process should be given work, for load balancers and orchestrators. */
export class Readiness {
  readonly #hindrance: () => string | undefined;
  #state: 'starting' | 'up' | 'ending' = 'starting';

  /** `hindrance`: what keeps a process that is up from working. */
  constructor(hindrance: () => string | undefined) {
    this.#hindrance = hindrance;
  }

  started(): void {
    if (this.#state === 'starting') this.#state = 'up';
  }

  /** It goes on with what it has and wants nothing new. */
  ending(): void {
    this.#state = 'ending';
  }

  /** Why it should not be given work; undefined: it should. */
  problem(): string | undefined {
    const hindrance = this.#hindrance();
    if (hindrance !== undefined) return `bus: ${hindrance}`;
    return this.#state === 'up' ? undefined : this.#state;
  }
}

/**
 * `GET /healthz`: this process answers; restarting it would help nobody, whatever else is away. `GET /readyz`: it should
 * be given work, else 503 and why not.
 */
export function answerHealth(path: string, readiness: Readiness, response: ServerResponse): boolean {
  if (path !== '/healthz' && path !== '/readyz') return false;
  const problem = path === '/healthz' ? undefined : readiness.problem();
  response
    .writeHead(problem === undefined ? 200 : 503, { 'content-type': 'text/plain', 'cache-control': 'no-store' })
    .end(`${problem ?? 'ok'}\n`);
  return true;
}

/** The same beside other pages. */
export function withHealth(readiness: Readiness, pages: Pages | undefined): Pages {
  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    return answerHealth(path, readiness, response) || pages?.(request, response) === true;
  };
}
