import { anyScope, type BusDocument, DocumentReader, type DocumentWriter } from '@sluice/bus';
import {
  type Intent,
  intentDocument,
  makeRoomId,
  type ParticipantId,
  type RoomName,
  type RoomView,
  type TimeUs,
} from '@sluice/contracts';
import type { Timer } from '@sluice/runtime';
import type { ControllerPorts } from '../ports.ts';
import { Room, type RoomEvent, type RoomInput, type RoomSink, type RoomTime } from './room.ts';
import { type RoomSettings, roomLimits } from './room-settings.ts';
import { shardOf } from './room-shards.ts';
import { partialView, wholeView } from './view-parts.ts';

/** Changes of a room are said together, at most this often: a thousand joins a second are fifty views. */
const VIEW_INTERVAL_US = 20_000;

interface Held {
  readonly room: Room;
  readonly epoch: number;
  readonly sink: RoomSink;
  saidUs: TimeUs;
  viewTimer: Timer | undefined;
  deadlineTimer: Timer | undefined;
}

export interface RoomsOptions extends ControllerPorts {
  readonly settings: RoomSettings;
  readonly views: DocumentWriter<RoomView>;
}

/**
 * Every room that this controller owns: hands intents to the rooms and says their views. Decides nothing; what a room
 * should be is in `Room`, which of them are owned in `RoomShards`.
 */
export class Rooms {
  readonly #options: RoomsOptions;
  readonly #intents: DocumentReader<Intent>;
  readonly #rooms = new Map<RoomName, Held>();
  /** Shards owned, and under which epoch. */
  readonly #epochs = new Map<string, number>();
  /** Intents that do not stand where their body says they are. */
  #misaddressed = 0;

  constructor(options: RoomsOptions) {
    this.#options = options;
    const { bus, clock, logger } = options;
    this.#intents = new DocumentReader({
      bus,
      clock,
      logger,
      kind: intentDocument,
      scope: anyScope,
      changed: (intent, document) => this.#intentChanged(intent, document),
      silent: (_, document) => this.#unspoken(document, 'silent'),
    });
  }

  /** Owned from now on: everything that is known of its rooms is taken up. */
  own(shard: string, epoch: number): void {
    this.#epochs.set(shard, epoch);
    const intents = [...this.#intents.bodies()].filter(({ roomName }) => shardOf(roomName) === shard);
    // Those who know their room come first: the room goes on, instead of a second one beginning.
    const known = intents.filter((intent) => intent.known !== undefined);
    for (const intent of [...known, ...intents.filter((one) => one.known === undefined)]) this.#intent(intent);
  }

  /** No longer owned: its rooms are dropped without a word, another controller says them. */
  disown(shard: string): void {
    this.#epochs.delete(shard);
    for (const [roomName, held] of [...this.#rooms]) {
      if (shardOf(roomName) !== shard) continue;
      this.#drop(held);
      this.#options.views.forget(roomName, roomName);
    }
  }

  /** Numbers for metrics. */
  counts(): { readonly rooms: number; readonly participants: number; readonly intents: number } {
    const participants = [...this.#rooms.values()].reduce((sum, { room }) => sum + room.present, 0);
    return { rooms: this.#rooms.size, participants, intents: this.#intents.size };
  }

  /** Intents that were refused as documents, by reason. */
  refusedDocuments(): { readonly invalid: number; readonly stale: number; readonly misaddressed: number } {
    return { invalid: this.#intents.invalid, stale: this.#intents.stale, misaddressed: this.#misaddressed };
  }

  close(): void {
    this.#intents.close();
    for (const held of [...this.#rooms.values()]) this.#drop(held);
  }

  #intentChanged(intent: Intent | null, document: BusDocument): void {
    const { scope, key, writer } = document;
    if (intent === null) {
      this.#unspoken(document, 'removed');
    } else if (intent.roomName === scope && intent.participant === key) {
      this.#intent(intent);
    } else {
      this.#misaddressed++;
      this.#intents.forget(scope, key);
      this.#options.logger.warn('participant.misaddressed', { roomName: scope, participantId: key, writer });
    }
  }

  #intent(intent: Intent): void {
    const epoch = this.#epochs.get(shardOf(intent.roomName));
    if (epoch === undefined) return;
    const held = this.#rooms.get(intent.roomName);
    // A farewell opens no room.
    if (held === undefined && intent.left !== undefined) return;
    this.#handle(held ?? this.#open(intent, epoch), { type: 'intent', intent });
  }

  #unspoken({ scope, key }: BusDocument, why: 'removed' | 'silent'): void {
    const held = this.#rooms.get(scope as RoomName);
    if (held !== undefined) this.#handle(held, { type: 'unspoken', participant: key as ParticipantId, why });
    if (why === 'silent') this.#intents.forget(scope, key);
  }

  #open({ roomName, known }: Intent, epoch: number): Held {
    const { clock, random, settings, logger } = this.#options;
    const { room: id, createdAtMs } = known ?? { room: makeRoomId(random), createdAtMs: clock.unixMs() };
    const room = new Room({ roomName, room: id, createdAtMs }, { ...settings, ...roomLimits }, clock.nowUs());
    const held: Held = {
      room,
      epoch,
      sink: { changed: () => this.#viewSoon(held), event: (event) => this.#event(held, event) },
      saidUs: -VIEW_INTERVAL_US,
      viewTimer: undefined,
      deadlineTimer: undefined,
    };
    this.#rooms.set(roomName, held);
    logger.info(known === undefined ? 'room.created' : 'room.taken-over', { roomId: id, roomName, epoch });
    return held;
  }

  #handle(held: Held, input: RoomInput): void {
    held.room.handle(input, this.#time(), held.sink);
    this.#armDeadline(held);
  }

  #armDeadline(held: Held): void {
    held.deadlineTimer?.cancel();
    held.deadlineTimer = undefined;
    const deadline = held.room.nextDeadline();
    if (deadline === undefined || this.#rooms.get(held.room.roomName) !== held) return;
    held.deadlineTimer = this.#options.clock.setTimer(deadline.atUs - this.#options.clock.nowUs(), () => {
      held.room.onDeadline(this.#time(), held.sink);
      this.#armDeadline(held);
    });
  }

  #viewSoon(held: Held): void {
    const { clock } = this.#options;
    const restUs = Math.max(0, held.saidUs + VIEW_INTERVAL_US - clock.nowUs());
    held.viewTimer ??= clock.setTimer(restUs, () => this.#sayView(held));
  }

  #sayView(held: Held): void {
    held.viewTimer = undefined;
    held.saidUs = this.#options.clock.nowUs();
    const { room, epoch } = held;
    const whole = (): RoomView[] => wholeView(room.info(), room.participants());
    const parted = {
      changes: (since: number) => {
        const changes = room.takeChanges();
        return since === 0 ? whole() : partialView(room.info(), since, changes);
      },
      whole,
      reminder: (generation: number) => reminder(room, generation),
    };
    this.#options.views.setParts(room.roomName, room.roomName, parted, epoch);
  }

  #event(held: Held, event: RoomEvent): void {
    const { room, roomName } = held.room;
    if (event.type === 'ended') {
      this.#drop(held);
      this.#options.views.remove(roomName, roomName);
      this.#options.logger.info('room.ended', { roomId: room, roomName, reason: event.why });
      return;
    }
    const { participant, left } = event.participant;
    const fields = { roomId: room, participantId: participant };
    switch (event.type) {
      case 'entered':
        this.#options.logger.info('participant.entered', fields);
        break;
      case 'left':
        this.#options.logger.info('participant.left', { ...fields, reason: left });
        break;
      case 'refused':
        this.#options.logger.warn('participant.refused', { ...fields, reason: left });
        break;
      case 'limited':
        this.#options.logger.warn('participant.limited', { ...fields, field: event.field });
        break;
    }
  }

  #drop(held: Held): void {
    held.viewTimer?.cancel();
    held.viewTimer = undefined;
    held.deadlineTimer?.cancel();
    held.deadlineTimer = undefined;
    this.#rooms.delete(held.room.roomName);
  }

  #time(): RoomTime {
    const { clock } = this.#options;
    return { nowUs: clock.nowUs(), unixMs: clock.unixMs() };
  }
}

/** Tells a reader that it missed `generation`, if it did. */
const reminder = (room: Room, generation: number): RoomView => ({
  info: room.info(),
  complete: false,
  since: generation,
  part: 0,
  parts: 1,
  participants: [],
  forgotten: [],
});
