import type { Bus } from '@sluice/bus';
import {
  makeParticipantId,
  makeSessionId,
  type ParticipantId,
  type RoomChange,
  type RoomName,
  type SessionId,
  type SessionStatus,
  type SiteName,
} from '@sluice/contracts';
import type { ConnectRequest } from '../messages/connect-request.ts';
import type { ServerPlace } from '../messages/greetings.ts';
import { leaveMessage } from '../messages/leave.ts';
import type { NegotiationOptions, SiteTransport } from '../negotiation/index.ts';
import type { ClientInput, ClientLink, SignalingPorts } from '../ports.ts';
import type { Grants } from '../tokens/claims.ts';
import { RoomWatch } from '../views/room-watch.ts';
import { SiteWatch } from '../views/site-watch.ts';
import { HostedSession, type HostedSessionListener } from './hosted-session.ts';
import type { SessionLimits, SessionTimes } from './session-terms.ts';

export interface DirectoryOptions {
  readonly ports: SignalingPorts;
  readonly bus: Bus;
  readonly site: SiteName;
  readonly place: ServerPlace;
  readonly maxSessions: number;
  readonly limits: SessionLimits;
  readonly times: SessionTimes;
  readonly negotiation: Omit<NegotiationOptions, 'reuseSections'>;
}

interface WatchedRoom {
  readonly watch: RoomWatch;
  readonly sessions: Set<HostedSession>;
}

/** Every session of this process: lets clients in, brings them back, and hands each what the bus says of it. */
export class SessionDirectory implements HostedSessionListener {
  readonly #options: DirectoryOptions;
  readonly #ports: SignalingPorts;
  readonly #site: SiteWatch;
  readonly #rooms = new Map<RoomName, WatchedRoom>();
  readonly #byParticipant = new Map<ParticipantId, { readonly hosted: HostedSession; readonly room: RoomName }>();
  readonly #bySession = new Map<SessionId, HostedSession>();
  #closing = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#ports = options.ports;
    const { clock, logger } = options.ports;
    this.#site = new SiteWatch({
      bus: options.bus,
      clock,
      logger,
      site: options.site,
      changed: (site) => this.#siteChanged(site),
    });
  }

  get size(): number {
    return this.#byParticipant.size;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  /** A client with a valid token wants in, or back in. */
  connect(request: ConnectRequest, grants: Grants, link: ClientLink): ClientInput {
    return request.resume === undefined ? this.#join(request, grants, link) : this.#resume(request, grants, link);
  }

  /** Every client is told to join anew elsewhere. */
  close(): void {
    this.#closing = true;
    for (const { hosted } of [...this.#byParticipant.values()]) hosted.handle({ type: 'shutdown' });
    for (const { watch } of this.#rooms.values()) watch.close();
    this.#rooms.clear();
    this.#site.close();
  }

  entered(hosted: HostedSession): void {
    for (const session of hosted.sessions) this.#bySession.set(session, hosted);
  }

  ended(hosted: HostedSession): void {
    const entry = this.#byParticipant.get(hosted.participant);
    this.#byParticipant.delete(hosted.participant);
    for (const session of hosted.sessions) this.#bySession.delete(session);
    if (entry !== undefined) this.#leaveRoom(entry.room, hosted);
  }

  #join(request: ConnectRequest, grants: Grants, link: ClientLink): ClientInput {
    if (this.#closing || this.size >= this.#options.maxSessions) {
      this.#ports.counters.refused(503);
      link.refuse({ status: 503, text: this.#closing ? 'the server stops' : 'the server is full' });
      return nobody;
    }
    const { limits, times, negotiation, place, site: siteName } = this.#options;
    const { random } = this.#ports;
    const room = this.#watchRoom(grants.room);
    const participant = makeParticipantId(random);
    const hosted = new HostedSession(
      {
        participant,
        grants,
        request,
        room: room.watch.view,
        site: this.#site.current,
        siteName,
        place,
        limits,
        times,
        negotiation,
        random,
        makeSessionId: () => makeSessionId(random),
      },
      link,
      this.#ports,
      this,
    );
    room.sessions.add(hosted);
    this.#byParticipant.set(participant, { hosted, room: grants.room });
    hosted.start();
    return inputOf(hosted, link);
  }

  #resume(request: ConnectRequest, grants: Grants, link: ClientLink): ClientInput {
    const known = request.resume === undefined ? undefined : this.#byParticipant.get(request.resume.participant);
    const why = known === undefined ? 'no such session here' : known.hosted.whyNotResume(request, grants);
    if (known !== undefined && why === undefined) {
      known.hosted.resume(request, link);
      return inputOf(known.hosted, link);
    }
    const { room: roomName, identity } = grants;
    this.#ports.counters.resumed('refused');
    this.#ports.logger.info('session.resume-refused', {
      roomName,
      identity,
      participantId: request.resume?.participant,
      why,
    });
    link.send(leaveMessage('state-mismatch', 'reconnect'));
    link.close();
    return nobody;
  }

  #siteChanged(site: SiteTransport): void {
    for (const { hosted } of [...this.#byParticipant.values()]) hosted.handle({ type: 'site', site });
  }

  #watchRoom(roomName: RoomName): WatchedRoom {
    const known = this.#rooms.get(roomName);
    if (known !== undefined) return known;
    const { clock, logger } = this.#ports;
    const sessions = new Set<HostedSession>();
    const changed = (change: RoomChange): void => {
      for (const hosted of [...sessions]) hosted.handle({ type: 'room', change });
    };
    const status = (status: SessionStatus): void =>
      this.#bySession.get(status.session)?.handle({ type: 'status', status });
    const watch = new RoomWatch({ bus: this.#options.bus, clock, logger, roomName, changed, status });
    const room = { watch, sessions };
    this.#rooms.set(roomName, room);
    return room;
  }

  #leaveRoom(roomName: RoomName, hosted: HostedSession): void {
    const room = this.#rooms.get(roomName);
    room?.sessions.delete(hosted);
    if (room === undefined || room.sessions.size > 0) return;
    room.watch.close();
    this.#rooms.delete(roomName);
  }
}

/** A client that was not let in says nothing that anyone would hear. */
const nobody: ClientInput = { message: () => {}, malformed: () => {}, closed: () => {} };

/** A link that was replaced is heard no more. */
function inputOf(hosted: HostedSession, link: ClientLink): ClientInput {
  return {
    message: (message) => {
      if (hosted.isOn(link)) hosted.handle({ type: 'message', message });
    },
    malformed: (what) => {
      if (hosted.isOn(link)) hosted.handle({ type: 'malformed', what });
    },
    closed: () => hosted.lost(link),
  };
}
