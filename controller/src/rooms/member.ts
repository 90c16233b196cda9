import { isDeepStrictEqual } from 'node:util';
import type { Intent, LeaveReason, ParticipantView, UnixMs } from '@sluice/contracts';

/** What the room shows of a participant, but for what others want of it. */
export type MemberView = Omit<ParticipantView, 'wanted'>;

/** A participant as its room keeps it, present or gone. */
export interface Member {
  readonly view: MemberView;
  /** What it wants of others' tracks; nothing once it left. */
  readonly wants: Intent['wants'];
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
export function viewOf(intent: Intent, version: number, left?: LeaveReason): MemberView {
  const { roomName: _, known: __, left: ___, wants: ____, ...shown } = intent;
  return left === undefined ? { ...shown, version } : { ...shown, version, left };
}

/**
 * What an intent changes of a view. What is of the moment is told apart: who speaks and how well media comes through
 * change all the time and are no new version.
 */
export function difference(view: MemberView, intent: Intent): 'none' | 'moment' | 'version' {
  const { speaking, connection, ...others } = view;
  const {
    speaking: speakingAfter,
    connection: connectionAfter,
    ...othersAfter
  } = viewOf(intent, view.version, view.left);
  if (!isDeepStrictEqual(others, othersAfter)) return 'version';
  return isDeepStrictEqual([speaking, connection], [speakingAfter, connectionAfter]) ? 'none' : 'moment';
}

/** Of two sessions of one identity the one that joined later wins; of two that joined at once, the larger sid. */
export function supersedes(a: MemberView, b: MemberView): boolean {
  return a.joinedAtMs === b.joinedAtMs ? a.participant > b.participant : a.joinedAtMs > b.joinedAtMs;
}

/** Recorders, agents and the hidden take nobody's place. */
export const counts = ({ permissions, kind }: MemberView): boolean =>
  !permissions.hidden && !permissions.recorder && kind !== 'agent' && kind !== 'egress';
