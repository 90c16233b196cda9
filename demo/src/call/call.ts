import {
  ConnectionState,
  type DisconnectReason,
  type LocalAudioTrack,
  type LocalVideoTrack,
  type Participant,
  Room,
  RoomEvent,
  Track,
  VideoPresets,
} from 'livekit-client';
import { type Device, deviceFailure, type Words } from './words.ts';

export interface ChatLine {
  readonly id: number;
  readonly from: string;
  readonly name: string;
  readonly mine: boolean;
  readonly text: string;
  readonly atMs: number;
}

export interface Notice extends Words {
  readonly id: number;
  readonly tone: 'info' | 'bad';
}

/** The devices chosen before the call; the browser may still be asking about them. */
export interface LocalTracks {
  readonly camera?: Promise<LocalVideoTrack | undefined>;
  readonly microphone?: Promise<LocalAudioTrack | undefined>;
}

export interface CallEnd {
  readonly reason: DisconnectReason | undefined;
}

/** What LiveKit's own components use, so that their chats meet ours. */
const CHAT_TOPIC = 'lk.chat';
const CHAT_LINES = 500;
const NOTICES = 4;

/** One call: the SDK's room, and what the page shows beside it. Tells its listeners when anything changed. */
export class Call {
  readonly room: Room;
  readonly joinedMs = Date.now();
  chat: readonly ChatLine[] = [];
  unread = 0;
  notices: readonly Notice[] = [];
  readonly #listeners = new Set<() => void>();
  #changeQueued = false;
  #ids = 0;
  #joined = false;
  #chatOpen = false;
  #pending: ReadonlySet<Device> = new Set();

  private constructor(room: Room, over: (end: CallEnd) => void) {
    this.room = room;
    const changed = (): void => this.#changed();
    for (const event of shownEvents) room.on(event, changed);
    room
      .on(RoomEvent.ParticipantConnected, (who) => this.notify({ title: `${nameOf(who)} joined`, text: '' }, 'info'))
      .on(RoomEvent.ParticipantDisconnected, (who) => this.notify({ title: `${nameOf(who)} left`, text: '' }, 'info'))
      // A join that fails is told by its error alone.
      .on(RoomEvent.Disconnected, (reason) => this.#joined && over({ reason }));
    room.registerTextStreamHandler(CHAT_TOPIC, (reader, { identity }) => {
      void reader.readAll().then((text) => this.#addLine(identity, text));
    });
  }

  /** Connects; publishing what is given follows by `publish`. Throws the SDK's own error. */
  static async join(url: string, token: string, over: (end: CallEnd) => void): Promise<Call> {
    const room = new Room({
      adaptiveStream: true,
      dynacast: true,
      disconnectOnPageLeave: true,
      videoCaptureDefaults: { resolution: VideoPresets.h720.resolution },
      publishDefaults: { simulcast: true, screenShareEncoding: { maxBitrate: 2_500_000, maxFramerate: 15 } },
    });
    const call = new Call(room, over);
    await room.connect(url, token);
    call.#joined = true;
    return call;
  }

  async publish({ camera, microphone }: LocalTracks): Promise<void> {
    const { localParticipant } = this.room;
    const publish = async (opening: Promise<LocalVideoTrack | LocalAudioTrack | undefined> | undefined) => {
      const track = await opening;
      if (track !== undefined) await localParticipant.publishTrack(track);
    };
    const results = await Promise.allSettled([publish(microphone), publish(camera)]);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      const text = result.reason instanceof Error ? result.reason.message : '';
      this.notify({ title: 'Publishing did not work', text }, 'bad');
    }
  }

  /** Everyone, oneself first. */
  get participants(): readonly Participant[] {
    const others = [...this.room.remoteParticipants.values()];
    return [this.room.localParticipant, ...others.toSorted((a, b) => joinedMs(a) - joinedMs(b))];
  }

  get reconnecting(): boolean {
    return this.room.state === ConnectionState.Reconnecting || this.room.state === ConnectionState.SignalReconnecting;
  }

  isPending(device: Device): boolean {
    return this.#pending.has(device);
  }

  async toggle(device: Device): Promise<void> {
    if (this.#pending.has(device)) return;
    this.#setPending(device, true);
    const me = this.room.localParticipant;
    try {
      if (device === 'camera') await me.setCameraEnabled(!me.isCameraEnabled);
      if (device === 'microphone') await me.setMicrophoneEnabled(!me.isMicrophoneEnabled);
      if (device === 'screen') await me.setScreenShareEnabled(!me.isScreenShareEnabled, { audio: true });
    } catch (error) {
      // Closing the picker of what to share is not a failure.
      const dismissed = device === 'screen' && error instanceof Error && error.name === 'NotAllowedError';
      if (!dismissed) this.notify(deviceFailure(device, error), 'bad');
    } finally {
      this.#setPending(device, false);
    }
  }

  async choose(kind: MediaDeviceKind, deviceId: string): Promise<void> {
    try {
      await this.room.switchActiveDevice(kind, deviceId);
    } catch (error) {
      this.notify(deviceFailure(kind === 'videoinput' ? 'camera' : 'microphone', error), 'bad');
    }
    this.#changed();
  }

  async say(text: string): Promise<void> {
    try {
      await this.room.localParticipant.sendText(text, { topic: CHAT_TOPIC });
      this.#addLine(this.room.localParticipant.identity, text);
    } catch (error) {
      this.notify({ title: 'The message was not sent', text: error instanceof Error ? error.message : '' }, 'bad');
    }
  }

  setChatOpen(open: boolean): void {
    this.#chatOpen = open;
    if (open) this.unread = 0;
    this.#changed();
  }

  notify(words: Words, tone: Notice['tone']): void {
    this.#ids += 1;
    this.notices = [...this.notices, { ...words, tone, id: this.#ids }].slice(-NOTICES);
    this.#changed();
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
    this.#changed();
  }

  async leave(): Promise<void> {
    await this.room.disconnect();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #addLine(from: string, text: string): void {
    this.#ids += 1;
    const participant = this.room.getParticipantByIdentity(from);
    const mine = from === this.room.localParticipant.identity;
    const line = { id: this.#ids, from, name: participant ? nameOf(participant) : from, mine, text, atMs: Date.now() };
    this.chat = [...this.chat, line].slice(-CHAT_LINES);
    if (!mine && !this.#chatOpen) this.unread += 1;
    this.#changed();
  }

  #setPending(device: Device, pending: boolean): void {
    const next = new Set(this.#pending);
    if (pending) next.add(device);
    else next.delete(device);
    this.#pending = next;
    this.#changed();
  }

  /** Many events at once are one change. */
  #changed(): void {
    if (this.#changeQueued) return;
    this.#changeQueued = true;
    queueMicrotask(() => {
      this.#changeQueued = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

const shownEvents = [
  RoomEvent.ConnectionStateChanged,
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ActiveSpeakersChanged,
  RoomEvent.ConnectionQualityChanged,
  RoomEvent.AudioPlaybackStatusChanged,
  RoomEvent.MediaDevicesChanged,
  RoomEvent.ActiveDeviceChanged,
] as const;

export const nameOf = (participant: Participant): string => participant.name || participant.identity;

const joinedMs = (participant: Participant): number => participant.joinedAt?.getTime() ?? 0;

export const cameraOf = (participant: Participant) => participant.getTrackPublication(Track.Source.Camera);
export const screenOf = (participant: Participant) => participant.getTrackPublication(Track.Source.ScreenShare);
