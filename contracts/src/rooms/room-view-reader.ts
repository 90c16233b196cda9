import type { ParticipantId } from '../ids.ts';
import type { ParticipantView, RoomInfo, RoomView, TrackWant } from './participant.ts';

/** What a view changed for its reader. */
export interface RoomChange {
  readonly info: RoomInfo;
  /**
   * Who is new or has changed, as they are now; those that left come first, so that the newer session of an identity
   * is never taken away by the older one's farewell.
   */
  readonly changed: readonly ParticipantView[];
  /** Who is no longer there and was never seen leaving: as they last were. */
  readonly vanished: readonly ParticipantView[];
  /** The room itself is over: nobody is left in it. */
  readonly ended: boolean;
}

export type RoomViewOutcome =
  | { readonly type: 'changed'; readonly change: RoomChange }
  /** Known already, not whole yet, or from a controller that is over. */
  | { readonly type: 'unchanged' }
  /** Something is missing before it: ask for the view to be said again. */
  | { readonly type: 'gap' };

/** Which saying a view came with. */
export interface ViewVersion {
  readonly epoch: number;
  readonly generation: number;
}

/** Puts a room together from its controller's views, complete or partial, in one part or many. Pure. */
export class RoomViewReader {
  #version: ViewVersion | undefined;
  #info: RoomInfo | undefined;
  #participants = new Map<ParticipantId, ParticipantView>();
  #parts: { readonly version: ViewVersion; readonly received: Map<number, RoomView> } | undefined;

  /** undefined: before the first view, and after the room's end. */
  get info(): RoomInfo | undefined {
    return this.#info;
  }

  /** Also shows those that left a moment ago: look at `left`. */
  get(participant: ParticipantId): ParticipantView | undefined {
    return this.#participants.get(participant);
  }

  participants(): Iterable<ParticipantView> {
    return this.#participants.values();
  }

  /** null: the room is no more. */
  apply(version: ViewVersion, view: RoomView | null): RoomViewOutcome {
    if (this.#version !== undefined && compare(version, this.#version) <= 0) return { type: 'unchanged' };
    if (view === null) return this.#end(version);
    const whole = this.#join(version, view);
    if (whole === undefined) return { type: 'unchanged' };
    if (!whole.complete && !this.#buildsOn(version, whole)) return { type: 'gap' };
    this.#version = version;
    return { type: 'changed', change: this.#take(whole) };
  }

  #buildsOn(version: ViewVersion, view: RoomView): boolean {
    const held = this.#version;
    const sameRoom = this.#info?.room === view.info.room;
    return sameRoom && held?.epoch === version.epoch && view.since <= held.generation;
  }

  /** All parts as one view; undefined while some are missing. */
  #join(version: ViewVersion, view: RoomView): RoomView | undefined {
    if (view.parts === 1) {
      this.#parts = undefined;
      return view;
    }
    if (this.#parts === undefined || compare(version, this.#parts.version) > 0) {
      this.#parts = { version, received: new Map() };
    }
    const { received } = this.#parts;
    if (compare(version, this.#parts.version) < 0) return undefined;
    // The same generation may be said as a change and, to whoever asks again, as a whole: the two do not mix.
    const other = received.values().next().value;
    if (other !== undefined && (other.complete !== view.complete || other.parts !== view.parts)) received.clear();
    received.set(view.part, view);
    if (received.size < view.parts) return undefined;
    this.#parts = undefined;
    const all = [...received.values()];
    return {
      ...view,
      participants: all.flatMap((part) => part.participants),
      forgotten: all.flatMap((part) => part.forgotten),
    };
  }

  #take(view: RoomView): RoomChange {
    const before = this.#participants;
    const after = view.complete ? new Map<ParticipantId, ParticipantView>() : before;
    const changed = view.participants.filter((participant) =>
      differs(before.get(participant.participant), participant),
    );
    for (const participant of view.participants) after.set(participant.participant, participant);
    for (const participant of view.forgotten) after.delete(participant);
    const vanished = view.complete ? [...before.values()].filter((known) => isVanished(known, after)) : [];
    this.#participants = after;
    this.#info = view.info;
    return { info: view.info, changed: changed.sort(leftFirst), vanished, ended: false };
  }

  #end(version: ViewVersion): RoomViewOutcome {
    const info = this.#info;
    const vanished = [...this.#participants.values()].filter(({ left }) => left === undefined);
    this.#version = version;
    this.#info = undefined;
    this.#participants = new Map();
    this.#parts = undefined;
    if (info === undefined) return { type: 'unchanged' };
    return { type: 'changed', change: { info, changed: [], vanished, ended: true } };
  }
}

const compare = (a: ViewVersion, b: ViewVersion): number => a.epoch - b.epoch || a.generation - b.generation;

/** What is of the moment changes without a new version: it is told apart from what clients keep. */
const differs = (before: ParticipantView | undefined, after: ParticipantView): boolean =>
  before === undefined ||
  before.version !== after.version ||
  before.speaking.active !== after.speaking.active ||
  before.speaking.level !== after.speaking.level ||
  before.connection?.quality !== after.connection?.quality ||
  before.connection?.score !== after.connection?.score ||
  !sameWants(before.wanted, after.wanted);

const sameWants = (a: readonly TrackWant[], b: readonly TrackWant[]): boolean =>
  a.length === b.length && a.every(({ track, quality }, i) => track === b[i]?.track && quality === b[i]?.quality);

const isVanished = (known: ParticipantView, after: ReadonlyMap<ParticipantId, ParticipantView>): boolean =>
  known.left === undefined && !after.has(known.participant);

const leftFirst = (a: ParticipantView, b: ParticipantView): number =>
  (a.left === undefined ? 1 : 0) - (b.left === undefined ? 1 : 0);
