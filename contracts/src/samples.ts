import type { SessionId } from './ids.ts';
import { Intent, ParticipantView } from './rooms/participant.ts';
import { SessionSpec } from './session/session-spec.ts';

/** What intents and views say of a participant of nothing special. */
const nobodySpecial = (sid: string) => ({
  participant: `PA_${sid}`,
  identity: sid,
  name: sid,
  metadata: '',
  attributes: {},
  kind: 'standard',
  permissions: {
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    canPublishSources: [],
    canUpdateMetadata: false,
    hidden: false,
    recorder: false,
  },
  tracks: [],
  active: true,
  clientProtocol: 0,
  capabilities: [],
  subscriptionPermission: { allParticipants: true, trackPermissions: [] },
  speaking: { active: false, level: 0 },
  joinedAtMs: 1_800_000_000_000,
});

/** A participant that wants in, for tests. `sid` stands for its sid and, unless said otherwise, its identity. */
export const sampleIntent = (sid: string, over: Partial<Record<keyof Intent, unknown>> = {}): Intent =>
  Intent.parse({ roomName: 'room', ...nobodySpecial(sid), ...over });

/** A participant as its room shows it, for tests. */
export const sampleView = (sid: string, over: Partial<Record<keyof ParticipantView, unknown>> = {}): ParticipantView =>
  ParticipantView.parse({ ...nobodySpecial(sid), version: 1, ...over });

/** A published microphone, for tests. */
export const sampleTrack = (sid: string): Intent['tracks'][number] =>
  Intent.shape.tracks.element.parse({
    track: `TR_AM${sid}`,
    kind: 'audio',
    source: 'microphone',
    name: '',
    muted: false,
    widthPx: 0,
    heightPx: 0,
    mimeType: 'audio/opus',
    simulcast: false,
    layers: [],
    stereo: false,
    disableDtx: false,
    disableRed: false,
    encryption: 'none',
    stream: '',
    audioFeatures: [],
  });

/** A session whose client is not known yet, for tests. */
export function sampleSpec(session: SessionId, over: Partial<Record<keyof SessionSpec, unknown>> = {}): SessionSpec {
  return SessionSpec.parse({
    site: 'local',
    session,
    room: 'RM_room',
    participant: 'PA_alice',
    identity: 'alice',
    localCredentials: [{ usernameFragment: `frag${session.slice(3)}`, password: 'a-password-of-22-letters' }],
    dtlsRole: 'server',
    remoteFingerprints: [],
    headerExtensions: [],
    incoming: [],
    outgoing: [],
    ...over,
  });
}
