import { type SimulateScenario, SpeakerInfo, SpeakersChanged } from '@livekit/protocol';
import type { LeaveReason, ParticipantId } from '@sluice/contracts';
import type { AfterLeave } from '../messages/leave.ts';
import type { ServerMessage } from '../messages/wire.ts';

/** What a scenario that a client asks for makes the server do. SDKs test their recovery with them. */
export type Simulated =
  | { readonly type: 'leave'; readonly reason: LeaveReason; readonly after: AfterLeave }
  /** The client comes back on a new socket, with its peer connections. */
  | { readonly type: 'migrate' }
  /** Everyone speaks, for so long. */
  | { readonly type: 'speakers'; readonly forUs: number }
  /** The next resume fails: before any message, or right after the first. */
  | { readonly type: 'break-resume'; readonly when: BreakResume }
  /** Nothing that could be simulated here: the client does its own part. */
  | { readonly type: 'nothing' };

export type BreakResume = 'before-messages' | 'after-reconnect';

/** A resume that is to fail comes within this time of the request; the stock server allows the same. */
export const BREAK_RESUME_FOR_US = 5_000_000;
const LONGEST_SPEECH_S = 60;

export function simulated({ scenario }: SimulateScenario): Simulated {
  switch (scenario.case) {
    case 'speakerUpdate':
      return { type: 'speakers', forUs: Math.min(Math.max(scenario.value, 0), LONGEST_SPEECH_S) * 1_000_000 };
    case 'nodeFailure':
      return { type: 'leave', reason: 'media-failure', after: 'reconnect' };
    case 'migration':
      return { type: 'migrate' };
    case 'serverLeave':
      return { type: 'leave', reason: 'server-shutdown', after: 'disconnect' };
    case 'leaveRequestFullReconnect':
      return { type: 'leave', reason: 'client-initiated', after: 'reconnect' };
    case 'disconnectSignalOnResume':
      return { type: 'break-resume', when: 'after-reconnect' };
    case 'disconnectSignalOnResumeNoMessages':
      return { type: 'break-resume', when: 'before-messages' };
    case 'switchCandidateProtocol':
    case 'subscriberBandwidth':
    case undefined:
      return { type: 'nothing' };
  }
}

export const simulatedSpeakers = (
  participants: readonly ParticipantId[],
  speaking: 'speaking' | 'silent',
): ServerMessage => ({
  case: 'speakersChanged',
  value: new SpeakersChanged({
    speakers: participants.map(
      (sid) => new SpeakerInfo({ sid, active: speaking === 'speaking', level: speaking === 'speaking' ? 0.9 : 0 }),
    ),
  }),
});
