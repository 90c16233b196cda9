/** What a session may be waiting for. */
export type DeadlineReason =
  /** The room to show the participant, or the site to be known. */
  | 'join'
  /** Anything from the client: it pings. */
  | 'client-silent'
  /** The primary peer connection to come up for the first time. */
  | 'setup'
  /** A client that lost its socket to come back. */
  | 'away'
  /** A transport that failed, before it counts as gone. */
  | 'transport-lost'
  /** A client's answer to our offer. */
  | 'answer'
  | 'refresh-token'
  /** Tracks that the client asked for and nobody publishes. */
  | 'wishes'
  /** Layers that nobody has a use for any more. */
  | 'use'
  /** How well media comes through: told together. */
  | 'connections'
  | 'room-update'
  /** A simulated speaker falls silent. */
  | 'simulated-speakers';

export interface Deadline {
  readonly reason: DeadlineReason;
  readonly atUs: number;
}

/** The deadlines of one session, at most one for each reason. */
export class Deadlines {
  readonly #atUs = new Map<DeadlineReason, number>();

  /** Undefined clears it. */
  set(reason: DeadlineReason, atUs: number | undefined): void {
    if (atUs === undefined) this.#atUs.delete(reason);
    else this.#atUs.set(reason, atUs);
  }

  clear(reason: DeadlineReason): void {
    this.#atUs.delete(reason);
  }

  clearAll(): void {
    this.#atUs.clear();
  }

  has(reason: DeadlineReason): boolean {
    return this.#atUs.has(reason);
  }

  next(): Deadline | undefined {
    let next: Deadline | undefined;
    for (const [reason, atUs] of this.#atUs) if (next === undefined || atUs < next.atUs) next = { reason, atUs };
    return next;
  }

  /** Takes the earliest that is due. */
  takeDue(nowUs: number): DeadlineReason | undefined {
    const next = this.next();
    if (next === undefined || next.atUs > nowUs) return undefined;
    this.#atUs.delete(next.reason);
    return next.reason;
  }
}
