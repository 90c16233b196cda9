import type {
  LocalTrackPublication,
  Participant,
  RemoteParticipant,
  RemoteTrack,
  RemoteTrackPublication,
  Room,
  SimulationScenario,
  Track,
} from 'livekit-client';
import type {
  CameraOptions,
  DataMessageView,
  InteropPage,
  JoinedRoom,
  JoinOptions,
  ParticipantView,
  Quality,
  ReceivedTrack,
  SendDataOptions,
  SentTrack,
  TextView,
} from '../src/page-api.ts';
import { messageBytes, readMessage } from '../src/test-message.ts';

// The unmodified SDK, as its UMD bundle puts it on the page.
declare const LivekitClient: typeof import('livekit-client');
const { createLocalAudioTrack, createLocalVideoTrack, DisconnectReason, RoomEvent, VideoQuality } = LivekitClient;

declare global {
  var interop: InteropPage;
}

let room: Room | undefined;
const log: string[] = [];
const messages: DataMessageView[] = [];
const texts: TextView[] = [];

function theRoom(): Room {
  if (room === undefined) throw new Error('not joined');
  return room;
}

async function join({ url, token, mode, autoSubscribe, adaptiveStream, dynacast }: JoinOptions): Promise<JoinedRoom> {
  const startedMs = performance.now();
  const joining = new LivekitClient.Room({
    singlePeerConnection: mode === 'single',
    adaptiveStream: adaptiveStream ?? false,
    dynacast: dynacast ?? false,
    disconnectOnPageLeave: false,
  });
  room = joining;
  listen(joining);
  await joining.connect(url, token, { autoSubscribe: autoSubscribe ?? true });
  return {
    room: joining.name,
    roomSid: await joining.getSid(),
    sid: joining.localParticipant.sid,
    joinMs: performance.now() - startedMs,
  };
}

function listen(joining: Room): void {
  const note = (text: string): void => {
    log.push(`${Math.round(performance.now())} ${text}`);
  };
  joining
    .on(RoomEvent.ConnectionStateChanged, (state) => note(state))
    .on(RoomEvent.SignalReconnecting, () => note('signal reconnecting'))
    .on(RoomEvent.Reconnecting, () => note('reconnecting'))
    .on(RoomEvent.Reconnected, () => note('reconnected'))
    .on(RoomEvent.Disconnected, (reason) =>
      note(`disconnected: ${reason === undefined ? '' : DisconnectReason[reason]}`),
    )
    .on(RoomEvent.ParticipantConnected, ({ identity, sid }) => note(`participant connected: ${identity} ${sid}`))
    .on(RoomEvent.ParticipantDisconnected, ({ identity, sid }) => note(`participant disconnected: ${identity} ${sid}`))
    .on(RoomEvent.TrackPublished, ({ trackSid, source }, { identity }) =>
      note(`published: ${identity} ${source} ${trackSid}`),
    )
    .on(RoomEvent.TrackUnpublished, ({ trackSid }, { identity }) => note(`unpublished: ${identity} ${trackSid}`))
    .on(RoomEvent.TrackSubscribed, (track, { trackSid }, { identity }) => {
      note(`subscribed: ${identity} ${trackSid}`);
      play(track);
    })
    .on(RoomEvent.TrackUnsubscribed, (track, { trackSid }, { identity }) => {
      note(`unsubscribed: ${identity} ${trackSid}`);
      for (const element of track.detach()) element.remove();
    })
    .on(RoomEvent.TrackSubscriptionFailed, (sid) => note(`subscription failed: ${sid}`))
    .on(RoomEvent.TrackMuted, ({ trackSid }, { identity }) => note(`muted: ${identity} ${trackSid}`))
    .on(RoomEvent.TrackUnmuted, ({ trackSid }, { identity }) => note(`unmuted: ${identity} ${trackSid}`))
    .on(RoomEvent.ActiveSpeakersChanged, (speakers) =>
      note(`speaking: ${speakers.map(({ identity }) => identity).join(' ')}`),
    )
    .on(RoomEvent.ParticipantMetadataChanged, (_, { identity, metadata }) =>
      note(`metadata: ${identity} ${metadata ?? ''}`),
    )
    .on(RoomEvent.ParticipantNameChanged, (name, { identity }) => note(`name: ${identity} ${name}`))
    .on(RoomEvent.ParticipantAttributesChanged, (changed, { identity }) =>
      note(`attributes: ${identity} ${JSON.stringify(changed)}`),
    )
    .on(RoomEvent.DataReceived, (payload, participant, _kind, topic) => {
      messages.push({ from: participant?.identity ?? '', topic: topic ?? '', ...readMessage(payload) });
    });
  joining.registerTextStreamHandler('interop', (reader, { identity }) => {
    void reader.readAll().then((text) => texts.push({ from: identity, topic: 'interop', text }));
  });
}

/** Decoders run only for tracks that something shows, and the energy of sound is measured after the volume. */
function play(track: RemoteTrack): void {
  document.body.append(track.attach());
}

async function publishCamera({ codec, widthPx, heightPx, fps, simulcast }: CameraOptions): Promise<string> {
  const track = await createLocalVideoTrack({ resolution: { width: widthPx, height: heightPx, frameRate: fps } });
  const publication = await theRoom().localParticipant.publishTrack(track, {
    videoCodec: codec,
    simulcast,
    // What is asked for is what is checked: a loaded machine costs frames, not the size.
    degradationPreference: 'maintain-resolution',
    backupCodec: false,
    videoEncoding: { maxBitrate: 800_000, maxFramerate: fps },
  });
  return publication.trackSid;
}

async function publishMicrophone(): Promise<string> {
  const track = await createLocalAudioTrack({
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
  });
  const publication = await theRoom().localParticipant.publishTrack(track);
  return publication.trackSid;
}

function localPublication(sid: string): LocalTrackPublication {
  const publication = theRoom().localParticipant.trackPublications.get(sid);
  if (publication === undefined) throw new Error(`no local track ${sid}`);
  return publication as LocalTrackPublication;
}

function remotePublication(sid: string) {
  for (const participant of theRoom().remoteParticipants.values()) {
    const publication = participant.trackPublications.get(sid);
    if (publication !== undefined) return publication;
  }
  throw new Error(`no remote track ${sid}`);
}

const qualities: Readonly<Record<Quality, (typeof VideoQuality)[keyof typeof VideoQuality]>> = {
  low: VideoQuality.LOW,
  medium: VideoQuality.MEDIUM,
  high: VideoQuality.HIGH,
};

const SIZE_DEADLINE_MS = 20_000;
const SIZE_POLL_MS = 20;

async function setQuality(sid: string, quality: Quality, heightPx: number): Promise<number> {
  const publication = remotePublication(sid) as RemoteTrackPublication;
  const startedMs = performance.now();
  publication.setVideoQuality(qualities[quality]);
  for (;;) {
    const stats = publication.track === undefined ? [] : await statistics(publication.track);
    const height = num(stats.find(({ type }) => type === 'inbound-rtp')?.['frameHeight']);
    const passedMs = performance.now() - startedMs;
    // What does not divide evenly is rounded as each encoder likes.
    if (Math.abs(height - heightPx) <= 1) return passedMs;
    if (passedMs > SIZE_DEADLINE_MS) throw new Error(`${quality}: ${height} pixels high, not ${heightPx}`);
    await new Promise((resolve) => setTimeout(resolve, SIZE_POLL_MS));
  }
}

type Statistics = Record<string, string | number | boolean | undefined>;

async function statistics(track: Track): Promise<Statistics[]> {
  const report = await (track as RemoteTrack).getRTCStatsReport();
  return report === undefined ? [] : [...report.values()];
}

const num = (value: unknown): number => (typeof value === 'number' ? value : 0);

function codecOf(stats: readonly Statistics[], stream: Statistics): string {
  const mimeType = stats.find(({ id }) => id === stream['codecId'])?.['mimeType'];
  return typeof mimeType === 'string' ? mimeType.replace(/^.*\//, '').toLowerCase() : '';
}

async function received(): Promise<ReceivedTrack[]> {
  const pairs = [...theRoom().remoteParticipants.values()].flatMap((participant: RemoteParticipant) =>
    [...participant.trackPublications.values()].flatMap(({ track, trackSid }) =>
      track === undefined ? [] : [{ identity: participant.identity, track, trackSid }],
    ),
  );
  return await Promise.all(
    pairs.map(async ({ identity, track, trackSid }) => {
      const stats = await statistics(track);
      const inbound = stats.find(({ type }) => type === 'inbound-rtp') ?? {};
      return {
        identity,
        trackSid,
        kind: track.kind === 'video' ? ('video' as const) : ('audio' as const),
        source: track.source,
        codec: codecOf(stats, inbound),
        framesDecoded: num(inbound['framesDecoded']),
        keyFramesDecoded: num(inbound['keyFramesDecoded']),
        widthPx: num(inbound['frameWidth']),
        heightPx: num(inbound['frameHeight']),
        audioEnergy: num(inbound['totalAudioEnergy']),
        samplesReceived: num(inbound['totalSamplesReceived']),
        concealedSamples: num(inbound['concealedSamples']),
        packetsReceived: num(inbound['packetsReceived']),
        packetsLost: num(inbound['packetsLost']),
        nacks: num(inbound['nackCount']),
        plis: num(inbound['pliCount']),
      };
    }),
  );
}

async function sent(): Promise<SentTrack[]> {
  const publications = [...theRoom().localParticipant.trackPublications.values()];
  const tracks = publications.flatMap(({ track, trackSid }) => (track === undefined ? [] : [{ track, trackSid }]));
  return await Promise.all(
    tracks.map(async ({ track, trackSid }) => {
      const stats = await statistics(track);
      const outbound = stats.filter(({ type }) => type === 'outbound-rtp');
      const largest = outbound.toSorted((a, b) => num(b['frameWidth']) - num(a['frameWidth']))[0] ?? {};
      const roundTrip = stats.find(({ type }) => type === 'remote-inbound-rtp')?.['roundTripTime'];
      const total = (name: string): number => outbound.reduce((sum, stream) => sum + num(stream[name]), 0);
      return {
        trackSid,
        kind: track.kind === 'video' ? ('video' as const) : ('audio' as const),
        codec: codecOf(stats, largest),
        framesEncoded: num(largest['framesEncoded']),
        widthPx: num(largest['frameWidth']),
        heightPx: num(largest['frameHeight']),
        packetsSent: total('packetsSent'),
        retransmittedPackets: total('retransmittedPacketsSent'),
        roundTripMs: typeof roundTrip === 'number' ? roundTrip * 1000 : undefined,
      };
    }),
  );
}

function viewOf(participant: Participant): ParticipantView {
  return {
    identity: participant.identity,
    sid: participant.sid,
    name: participant.name ?? '',
    metadata: participant.metadata ?? '',
    attributes: { ...participant.attributes },
    speaking: participant.isSpeaking,
    tracks: [...participant.trackPublications.values()].map(({ trackSid, source, isMuted, isSubscribed }) => ({
      sid: trackSid,
      source,
      muted: isMuted,
      subscribed: isSubscribed,
    })),
  };
}

async function sendData({ bytes, number, reliable, topic, to }: SendDataOptions): Promise<void> {
  await theRoom().localParticipant.publishData(messageBytes(number, bytes), {
    reliable,
    ...(topic === undefined ? {} : { topic }),
    ...(to === undefined ? {} : { destinationIdentities: [...to] }),
  });
}

globalThis.interop = {
  join,
  publishCamera,
  publishMicrophone,
  received,
  sent,
  sendData,
  unpublish: async (sid) => {
    const { track } = localPublication(sid);
    if (track !== undefined) await theRoom().localParticipant.unpublishTrack(track);
  },
  setMuted: async (sid, muted) => {
    const publication = localPublication(sid);
    await (muted ? publication.mute() : publication.unmute());
  },
  participants: () => [...theRoom().remoteParticipants.values()].map(viewOf),
  events: () => [...log],
  connectionState: () => theRoom().state,
  dataReceived: () => [...messages],
  maxMessageBytes: () => theRoom().engine.pcManager?.publisher.getMaxMessageSize?.(),
  serverFragments: () => {
    const { pcManager } = theRoom().engine;
    const descriptions = [pcManager?.publisher, pcManager?.subscriber].map(
      (pc) => pc?.getRemoteDescription()?.sdp ?? '',
    );
    return [
      ...new Set(descriptions.flatMap((sdp) => [...sdp.matchAll(/a=ice-ufrag:(\S+)/g)].map((match) => match[1] ?? ''))),
    ];
  },
  sendText: async (text, topic) => {
    await theRoom().localParticipant.sendText(text, { topic });
  },
  textsReceived: () => [...texts],
  setMetadata: async ({ metadata, name, attributes }) => {
    const { localParticipant } = theRoom();
    if (metadata !== undefined) await localParticipant.setMetadata(metadata);
    if (name !== undefined) await localParticipant.setName(name);
    if (attributes !== undefined) await localParticipant.setAttributes(attributes);
  },
  setSubscribed: (sid, subscribed) => remotePublication(sid).setSubscribed(subscribed),
  setEnabled: (sid, enabled) => remotePublication(sid).setEnabled(enabled),
  setQuality,
  simulate: async (scenario) => {
    await theRoom().simulateScenario(scenario as SimulationScenario);
  },
  leave: async () => {
    await theRoom().disconnect();
  },
};
