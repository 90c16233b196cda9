import { ConnectionQualityInfo } from '@livekit/protocol';
import type { ConnectionQuality, ParticipantId, ParticipantView } from '@sluice/contracts';
import { protoConnectionQuality } from '../messages/enums.ts';

/** A client is told of connections at most this often. */
export const CONNECTION_NEWS_US = 5_000_000;

/** How well whose media comes through, as one client has been told it. */
export class ConnectionNews {
  readonly #me: ParticipantId;
  readonly #told = new Map<ParticipantId, ConnectionQuality>();
  /** Whose may be new. */
  readonly #open = new Set<ParticipantId>();
  #toldUs = Number.NEGATIVE_INFINITY;

  constructor(me: ParticipantId) {
    this.#me = me;
  }

  /** What the room says of some, or whom the client may hear now that it did not. */
  see(views: Iterable<ParticipantView>): void {
    for (const { participant, left, connection } of views) {
      if (left !== undefined) {
        this.#told.delete(participant);
        this.#open.delete(participant);
      } else if (connection !== undefined && this.#isNews(participant, connection)) {
        this.#open.add(participant);
      }
    }
  }

  /** When the client is to be told. */
  nextUs(): number | undefined {
    return this.#open.size === 0 ? undefined : this.#toldUs + CONNECTION_NEWS_US;
  }

  /** `get` shows someone as they now are; `hears`: this client receives something of them. */
  take(
    get: (participant: ParticipantId) => ParticipantView | undefined,
    hears: (participant: ParticipantId) => boolean,
    nowUs: number,
  ): ConnectionQualityInfo[] {
    const infos: ConnectionQualityInfo[] = [];
    for (const participant of this.#open) {
      const connection = get(participant)?.connection;
      if (connection === undefined || !this.#isNews(participant, connection)) continue;
      if (participant !== this.#me && !hears(participant)) continue;
      this.#told.set(participant, connection);
      const { quality, score } = connection;
      infos.push(
        new ConnectionQualityInfo({ participantSid: participant, quality: protoConnectionQuality(quality), score }),
      );
    }
    this.#open.clear();
    if (infos.length > 0) this.#toldUs = nowUs;
    return infos;
  }

  /**
   * A client is never told that it is lost itself: it hears us, so what a node reports is stale, and an SDK that believes
   * it for 10 s builds everything anew.
   */
  #isNews(participant: ParticipantId, { quality, score }: ConnectionQuality): boolean {
    if (participant === this.#me && quality === 'lost') return false;
    const told = this.#told.get(participant);
    return told?.quality !== quality || told.score !== score;
  }
}

const order = ['lost', 'poor', 'good', 'excellent'] as const;

/** The worst of several peer connections; undefined: of none anything is known. */
export function worstConnection(all: Iterable<ConnectionQuality>): ConnectionQuality | undefined {
  return [...all].sort((a, b) => order.indexOf(a.quality) - order.indexOf(b.quality) || a.score - b.score)[0];
}
