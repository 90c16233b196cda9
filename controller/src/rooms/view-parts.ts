import { MAX_PARTICIPANTS_PER_PART, type ParticipantView, type RoomInfo, type RoomView } from '@sluice/contracts';
import type { RoomChanges } from './room.ts';

/** Text that one part carries at most, roughly: NATS passes 1 MiB by default, and some of that is not text. */
const PART_BYTES = 512 * 1024;
/** What a participant without metadata, attributes and tracks takes, and one track of it; measured as JSON, rounded up. */
const PARTICIPANT_BYTES = 1_024;
const TRACK_BYTES = 1_024;

/** The whole room, in as many parts as it takes. */
export const wholeView = (info: RoomInfo, participants: readonly ParticipantView[]): RoomView[] =>
  inParts({ info, complete: true, since: 0 }, { participants, forgotten: [] });

/** What changed since generation `since`. */
export const partialView = (info: RoomInfo, since: number, changes: RoomChanges): RoomView[] =>
  inParts({ info, complete: false, since }, changes);

function inParts(head: Pick<RoomView, 'info' | 'complete' | 'since'>, changes: RoomChanges): RoomView[] {
  const groups = grouped(changes.participants);
  return groups.map((participants, part) => ({
    ...head,
    part,
    parts: groups.length,
    participants,
    forgotten: part === 0 ? [...changes.forgotten] : [],
  }));
}

/** At least one group, possibly empty. */
function grouped(participants: readonly ParticipantView[]): ParticipantView[][] {
  let group: ParticipantView[] = [];
  let bytes = 0;
  const groups = [group];
  for (const participant of participants) {
    const size = sizeOf(participant);
    if (group.length > 0 && (group.length >= MAX_PARTICIPANTS_PER_PART || bytes + size > PART_BYTES)) {
      group = [];
      bytes = 0;
      groups.push(group);
    }
    group.push(participant);
    bytes += size;
  }
  return groups;
}

function sizeOf({ metadata, attributes, tracks }: ParticipantView): number {
  const attributesBytes = Object.entries(attributes)
    .flat()
    .reduce((sum, text) => sum + text.length, 0);
  return PARTICIPANT_BYTES + metadata.length + attributesBytes + tracks.length * TRACK_BYTES;
}
