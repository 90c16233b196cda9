import { ClientInfo_SDK } from '@livekit/protocol';
import type { Intent, LeaveReason, ParticipantId, SessionId, SessionSpec } from '@sluice/contracts';
import { errorMessage, type Logger, type Timer } from '@sluice/runtime';
import { leaveMessage } from '../messages/leave.ts';
import type { ServerMessage } from '../messages/wire.ts';
import type { ClientLink, HttpRefusal, SignalingPorts } from '../ports.ts';
import type { Claims } from '../tokens/claims.ts';
import { Session } from './session.ts';
import type { Now, SessionEvent, SessionInput, SessionOptions, SessionSink } from './session-terms.ts';

/** What a hosted session tells the directory it stands in. */
export interface HostedSessionListener {
  /** Its peer connections are known now. */
  entered(session: HostedSession): void;
  ended(session: HostedSession): void;
}

/**
 * A session with the world around it: its link, its timer, its documents. A session that breaks ends alone: its client
 * is asked to join anew, and nothing of it stays.
 */
export class HostedSession implements SessionSink {
  readonly #session: Session;
  readonly #ports: SignalingPorts;
  readonly #listener: HostedSessionListener;
  readonly #logger: Logger;
  readonly #startedUs: number;
  readonly #options: SessionOptions;
  readonly #specs = new Set<SessionId>();
  #link: ClientLink | undefined;
  #intent: Intent | undefined;
  #timer: { readonly atUs: number; readonly timer: Timer } | undefined;
  #over = false;

  constructor(options: SessionOptions, link: ClientLink, ports: SignalingPorts, listener: HostedSessionListener) {
    this.#options = options;
    this.#link = link;
    this.#ports = ports;
    this.#listener = listener;
    this.#startedUs = ports.clock.nowUs();
    const { participant, grants } = options;
    this.#logger = ports.logger.with({ roomName: grants.room, identity: grants.identity, participantId: participant });
    this.#session = new Session(options, this.#now());
  }

  get participant(): ParticipantId {
    return this.#session.participant;
  }

  get sessions(): readonly SessionId[] {
    return this.#session.sessions;
  }

  start(): void {
    this.#guarded(() => this.#session.start(this.#now(), this));
  }

  handle(input: SessionInput): void {
    if (!this.#over) this.#guarded(() => this.#session.handle(input, this.#now(), this));
  }

  whyNotResume(...request: Parameters<Session['whyNotResume']>): string | undefined {
    return this.#session.whyNotResume(...request);
  }

  /** The client is back on another link; the old one, should it still be there, is closed. */
  resume(request: SessionOptions['request'], link: ClientLink): void {
    this.#link?.close();
    this.#link = link;
    this.handle({ type: 'resume', request });
  }

  /** This link of it is gone. */
  lost(link: ClientLink): void {
    if (link !== this.#link) return;
    this.#link = undefined;
    this.handle({ type: 'link-lost' });
  }

  isOn(link: ClientLink): boolean {
    return link === this.#link;
  }

  // What the session does to the world.

  send(message: ServerMessage): void {
    this.#link?.send(message);
  }

  refuse(refusal: HttpRefusal): void {
    this.#ports.counters.refused(refusal.status);
    this.#link?.refuse(refusal);
    this.#link = undefined;
  }

  closeLink(): void {
    const link = this.#link;
    this.#link = undefined;
    link?.close();
  }

  pauseLink(forUs: number): void {
    this.#link?.pause(forUs);
  }

  refreshToken(claims: Claims): void {
    const link = this.#link;
    void this.#ports.tokens.refresh(claims).then(
      (token) => {
        if (token !== undefined && link !== undefined && this.isOn(link))
          link.send({ case: 'refreshToken', value: token });
      },
      (thrown: unknown) => this.#logger.error('session.token-failed', { problem: errorMessage(thrown) }),
    );
  }

  sayIntent(intent: Intent): void {
    this.#intent = intent;
    this.#ports.documents.sayIntent(intent);
  }

  saySpec(spec: SessionSpec): void {
    this.#specs.add(spec.session);
    this.#ports.documents.saySpec(spec);
  }

  dropSpec(session: SessionId): void {
    this.#specs.delete(session);
    this.#ports.documents.dropSpec(session);
  }

  event(event: SessionEvent): void {
    const { counters } = this.#ports;
    const afterUs = this.#ports.clock.nowUs() - this.#startedUs;
    switch (event.type) {
      case 'joined':
        counters.joined(afterUs);
        this.#logger.info('session.joined', { ...clientFields(this.#options), durationMs: Math.round(afterUs / 1000) });
        this.#listener.entered(this);
        return;
      case 'connected':
        counters.connected(afterUs);
        this.#logger.info('session.connected', { durationMs: Math.round(afterUs / 1000) });
        return;
      case 'resumed':
        counters.resumed('resumed');
        this.#logger.info('session.resumed');
        return;
      case 'link-lost':
        this.#logger.info('session.link-lost');
        return;
      case 'message-refused':
        counters.messageRefused(event.why);
        return;
      case 'ended':
        this.#end(event.reason, event.detail);
        return;
    }
  }

  #end(reason: LeaveReason, detail: string): void {
    this.#over = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#ports.counters.ended(reason);
    this.#logger.info('session.ended', { reason, detail });
    this.#listener.ended(this);
  }

  /** A broken invariant ends this session and no other. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (thrown) {
      this.#logger.error('session.broken', { problem: thrown });
      this.#breakDown();
    }
    if (!this.#over) this.#arm();
  }

  #breakDown(): void {
    if (this.#over) return;
    try {
      this.#link?.send(leaveMessage('state-mismatch', 'reconnect'));
    } catch {
      // It is being closed anyway.
    }
    this.closeLink();
    for (const session of [...this.#specs]) this.dropSpec(session);
    if (this.#intent !== undefined) this.sayIntent({ ...this.#intent, left: 'state-mismatch' });
    this.#end('state-mismatch', 'broken');
  }

  /** One timer for whatever is due first. One that fires early is set again: moving deadlines is what happens most. */
  #arm(): void {
    const atUs = this.#session.nextDeadlineUs();
    if (atUs === undefined || (this.#timer !== undefined && this.#timer.atUs <= atUs)) return;
    this.#timer?.timer.cancel();
    const timer = this.#ports.clock.setTimer(atUs - this.#ports.clock.nowUs(), () => {
      this.#timer = undefined;
      this.handle({ type: 'deadline' });
    });
    this.#timer = { atUs, timer };
  }

  #now(): Now {
    return { us: this.#ports.clock.nowUs(), unixMs: this.#ports.clock.unixMs() };
  }
}

/** What the client says of itself, for the log. */
function clientFields({ request }: SessionOptions): Record<string, unknown> {
  const { sdk, version, protocol, os, browser } = request.client;
  return {
    mode: request.mode,
    sdk: ClientInfo_SDK[sdk] ?? sdk,
    version: version.slice(0, 32),
    protocol,
    os: os.slice(0, 32),
    browser: browser.slice(0, 32),
  };
}
