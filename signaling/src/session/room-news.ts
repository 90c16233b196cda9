import {
  ConnectionQualityUpdate,
  type ParticipantInfo,
  RoomUpdate,
  SpeakersChanged,
  StreamStateUpdate,
} from '@livekit/protocol';
import type { Identity, ParticipantId, ParticipantView, RoomChange, SessionStatus } from '@sluice/contracts';
import { roomMessage, updateMessage } from '../messages/room-messages.ts';
import { ConnectionNews } from './connection-news.ts';
import * as requests from './requests.ts';
import { Roster, type RosterChange } from './roster.ts';
import { StreamStates } from './stream-states.ts';
import type { Subscribing } from './subscribing.ts';
import type { Transports, TransportTurn } from './transports.ts';

/** The room as this process knows it: `RoomViewReader` is one. */
export interface Room {
  readonly info: RoomChange['info'] | undefined;
  get(participant: ParticipantId): ParticipantView | undefined;
  /** Those that left a moment ago are among them. */
  participants(): Iterable<ParticipantView>;
}

export interface RoomNewsOptions {
  readonly me: { readonly participant: ParticipantId; readonly identity: Identity };
  readonly room: Room;
  readonly subscribing: Subscribing;
  readonly transports: Transports;
  /** The client understands that video is held back. */
  readonly mayPause: boolean;
}

/** What one client is told of its room and of the others in it, and what it has been told. */
export class RoomNews {
  readonly #room: Room;
  readonly #subscribing: Subscribing;
  readonly #transports: Transports;
  readonly #mayPause: boolean;
  readonly #roster: Roster;
  readonly #connections: ConnectionNews;
  readonly #streamStates = new StreamStates();

  constructor({ me, room, subscribing, transports, mayPause }: RoomNewsOptions) {
    this.#room = room;
    this.#subscribing = subscribing;
    this.#transports = transports;
    this.#mayPause = mayPause;
    this.#roster = new Roster(me);
    this.#connections = new ConnectionNews(me.participant);
  }

  /** Those who are in the room. */
  present(): ParticipantView[] {
    return [...this.#room.participants()].filter(({ left }) => left === undefined);
  }

  /** The others, for a client that joins. */
  others(): ParticipantInfo[] {
    return this.#roster.others(this.present());
  }

  /** Everything about the room that a client which was away may have missed. */
  tellAll(turn: TransportTurn): void {
    const present = this.present();
    this.#tellRoster(this.#roster.all(present), turn);
    this.tellRoom(turn);
    this.tellSpeakers(present, turn);
    this.tellPermissions(turn);
    this.#tellStreamStates(turn);
  }

  /** Some changed. `away`: the client hears of it when it comes back. */
  changed(views: readonly ParticipantView[], client: 'here' | 'away', turn: TransportTurn): void {
    this.#connections.see(views);
    const change = this.#roster.changed(views);
    if (client === 'away') return;
    this.#tellRoster(change, turn);
    this.tellPermissions(turn);
  }

  /** What the client receives is new: it may hear people that it did not, who speak already. */
  receivesOthers(client: 'here' | 'away', turn: TransportTurn): void {
    const present = this.present();
    this.#connections.see(present);
    if (client === 'away') return;
    this.tellSpeakers(present, turn);
    this.#tellStreamStates(turn);
  }

  /** What a node says it holds back of what it sends to this client. */
  streamsSeen({ session, state, pausedTracks }: SessionStatus, client: 'here' | 'away', turn: TransportTurn): void {
    this.#streamStates.see(session, state === 'closed' ? [] : pausedTracks);
    if (client === 'here') this.#tellStreamStates(turn);
  }

  tellRoom({ out }: TransportTurn): void {
    const info = this.#room.info;
    if (info !== undefined) out.send({ case: 'roomUpdate', value: new RoomUpdate({ room: roomMessage(info) }) });
  }

  /** Who speaks that did not, who no longer does, as far as the client hears them. */
  tellSpeakers(views: readonly ParticipantView[], { out }: TransportTurn): void {
    const speakers = this.#roster.speakersChanged(views, (participant) => this.#hears(participant));
    if (speakers.length > 0) out.send({ case: 'speakersChanged', value: new SpeakersChanged({ speakers }) });
  }

  tellPermissions({ out }: TransportTurn): void {
    for (const change of this.#subscribing.takePermissionChanges()) out.send(requests.permissionChanged(change));
  }

  tellConnections({ nowUs, out }: TransportTurn): void {
    const updates = this.#connections.take(
      (participant) => this.#room.get(participant),
      (participant) => this.#hears(participant),
      nowUs,
    );
    if (updates.length > 0) out.send({ case: 'connectionQuality', value: new ConnectionQualityUpdate({ updates }) });
  }

  get nextConnectionsUs(): number | undefined {
    return this.#connections.nextUs();
  }

  #tellRoster({ gone, here }: RosterChange, { out }: TransportTurn): void {
    for (const participants of [gone, here]) if (participants.length > 0) out.send(updateMessage(participants));
  }

  #tellStreamStates({ out }: TransportTurn): void {
    if (!this.#mayPause) return;
    const { subscribed } = this.#transports;
    const streamStates = this.#streamStates.take((track) =>
      subscribed.has(track) ? this.#subscribing.ownerOf(track) : undefined,
    );
    if (streamStates.length > 0)
      out.send({ case: 'streamStateUpdate', value: new StreamStateUpdate({ streamStates }) });
  }

  #hears(participant: ParticipantId): boolean {
    for (const track of this.#subscribing.tracksOf(participant))
      if (this.#transports.subscribed.has(track)) return true;
    return false;
  }
}
