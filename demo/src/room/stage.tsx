import type { Participant } from 'livekit-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Call, screenOf } from '../call/call.ts';
import { PeopleIcon } from '../ui/icons.tsx';
import { arrange, type Size } from './arrangement.ts';
import { Tile } from './tile.tsx';

const GAP_PX = 10;
/** More would be too small to see anything; who speaks comes forward. */
const MOST_TILES = 25;

/** Everybody in a grid; a shared screen large, and everybody beside it. */
export function Stage({ call }: { call: Call }) {
  const [place, size] = useSize();
  const people = shown(call.participants);
  const sharing = call.participants.filter((participant) => screenOf(participant)?.track !== undefined);
  const main = sharing.find((participant) => participant !== call.room.localParticipant) ?? sharing[0];
  const others = call.participants.length - people.length;

  if (main !== undefined) {
    return (
      <div class="stage sharing" ref={place}>
        <Tile call={call} participant={main} source="screen" aspect={16 / 9} />
        <div class="strip">
          {people.map((participant) => (
            <Tile key={participant.identity} call={call} participant={participant} source="camera" aspect={16 / 9} />
          ))}
        </div>
      </div>
    );
  }
  const count = people.length + (others > 0 ? 1 : 0);
  const { tile } = arrange(count, size, GAP_PX);
  const aspect = tile.heightPx > 0 ? tile.widthPx / tile.heightPx : 16 / 9;
  return (
    <div
      class="stage"
      ref={place}
      style={{ '--tile-width': `${tile.widthPx}px`, '--tile-height': `${tile.heightPx}px` }}
    >
      <div class="grid">
        {people.map((participant) => (
          <Tile key={participant.identity} call={call} participant={participant} source="camera" aspect={aspect} />
        ))}
        {others > 0 && (
          <div class="tile more">
            <PeopleIcon />
            and {others} more
          </div>
        )}
      </div>
      {call.participants.length === 1 && <p class="alone">You are the only one here. Send someone the link.</p>}
    </div>
  );
}

/** Who gets a tile: all, or in a large room oneself, who speaks, then who came first. */
function shown(participants: readonly Participant[]): readonly Participant[] {
  if (participants.length <= MOST_TILES) return participants;
  const heard = (participant: Participant): number =>
    participant.isLocal ? Infinity : (participant.lastSpokeAt?.getTime() ?? 0);
  const chosen = new Set(participants.toSorted((a, b) => heard(b) - heard(a)).slice(0, MOST_TILES - 1));
  return participants.filter((participant) => chosen.has(participant));
}

function useSize(): [place: { current: HTMLDivElement | null }, size: Size] {
  const place = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ widthPx: 0, heightPx: 0 });
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ widthPx: entry.contentRect.width, heightPx: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  });
  return [place, size];
}
