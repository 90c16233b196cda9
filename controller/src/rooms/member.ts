import { isDeepStrictEqual } from 'node:util';
import type { Intent, LeaveReason, ParticipantView, UnixMs } from '@sluice/contracts';

/** A participant as its room keeps it, present or gone. */
export interface Member {
  readonly view: ParticipantView;
  /** false: it was refused and never was in the room. */
  readonly entered: boolean;
  /** Whoever speaks for it still says that it is here: while that lasts, a farewell must not be forgotten. */
  readonly spokenFor: boolean;
  /** Others are shown it. Ends some time after it left. */
  readonly shown: boolean;
}

/** A version counts steps of this length since the participant joined, so that a later controller goes on above. */
const VERSION_STEP_MS = 50;
/** The client protocol carries versions as uint32: enough for 6.8 years of one session. */
const MAX_VERSION = 0xffff_ffff;

/** Higher than `before`, and than whatever another controller said earlier unless that changed 20 times a second. */
export function nextVersion(before: number, joinedAtMs: UnixMs, unixMs: UnixMs): number {
  const steps = 1 + Math.max(0, Math.floor((unixMs - joinedAtMs) / VERSION_STEP_MS));
  return Math.min(Math.max(before + 1, steps), MAX_VERSION);
}

/** What a view shows of an intent. */
export function viewOf(intent: Intent, version: number, left?: LeaveReason): ParticipantView {
  const { roomName: _, known: __, left: ___, ...shown } = intent;
  return left === undefined ? { ...shown, version } : { ...shown, version, left };
}

/** What an intent changes of a view. Speaking is told apart: it changes all the time and is no new version. */
export function difference(view: ParticipantView, intent: Intent): 'none' | 'speaking' | 'version' {
  const { speaking: before, ...others } = view;
  const { speaking: after, ...othersAfter } = viewOf(intent, view.version, view.left);
  if (!isDeepStrictEqual(others, othersAfter)) return 'version';
  return isDeepStrictEqual(before, after) ? 'none' : 'speaking';
}

/** Of two sessions of one identity the one that joined later wins; of two that joined at once, the larger sid. */
export function supersedes(a: ParticipantView, b: ParticipantView): boolean {
  return a.joinedAtMs === b.joinedAtMs ? a.participant > b.participant : a.joinedAtMs > b.joinedAtMs;
}

/** Recorders, agents and the hidden take nobody's place. */
export const counts = ({ permissions, kind }: ParticipantView): boolean =>
  !permissions.hidden && !permissions.recorder && kind !== 'agent' && kind !== 'egress';
