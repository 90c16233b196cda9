import { RoomEvent, Track } from 'livekit-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Call } from '../call/call.ts';
import { linkTo } from '../call/invitation.ts';
import { CheckIcon, LinkIcon, PeopleIcon } from '../ui/icons.tsx';
import { Notices } from '../ui/notices.tsx';
import { useChange } from '../ui/use-change.ts';
import { Chat } from './chat.tsx';
import { Controls, type Panel } from './controls.tsx';
import { Stage } from './stage.tsx';
import { StatisticsPanel } from './statistics-panel.tsx';

interface RoomViewProps {
  readonly call: Call;
  /** Switch camera and microphone on right away. */
  readonly devicesOn: boolean;
  readonly canInvite: boolean;
}

export function RoomView({ call, devicesOn, canInvite }: RoomViewProps) {
  useChange(call);
  const [panel, setPanel] = useState<Panel | undefined>();
  const show = (next: Panel | undefined): void => {
    setPanel(next);
    call.setChatOpen(next === 'chat');
  };
  const started = useRef(false);
  useEffect(() => {
    if (!devicesOn || started.current) return;
    started.current = true;
    void call.toggle('microphone').then(() => call.toggle('camera'));
  }, [call, devicesOn]);
  useShortcuts(call);

  return (
    <div class={`room ${panel === undefined ? '' : 'with-panel'}`}>
      <header class="top">
        <h1>{call.room.name}</h1>
        <span class="count" title="People in the room">
          <PeopleIcon />
          {call.participants.length}
        </span>
        {canInvite && <InviteButton room={call.room.name} />}
      </header>
      {call.reconnecting && (
        <div class="banner" role="status">
          <span class="spinner" aria-hidden="true" />
          The connection was interrupted. Reconnecting…
        </div>
      )}
      {!call.room.canPlaybackAudio && (
        <button type="button" class="banner action" onClick={() => void call.room.startAudio()}>
          The browser keeps the sound off until you click here.
        </button>
      )}
      <Stage call={call} />
      {panel === 'chat' && <Chat call={call} close={() => show(undefined)} />}
      {panel === 'statistics' && <StatisticsPanel call={call} close={() => show(undefined)} />}
      <Controls call={call} panel={panel} show={show} />
      <RemoteSound call={call} />
      <Notices notices={call.notices} dismiss={(id) => call.dismiss(id)} />
    </div>
  );
}

function InviteButton({ room }: { room: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(linkTo(room));
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <button type="button" class="pill" onClick={() => void copy()}>
      {copied ? <CheckIcon /> : <LinkIcon />}
      <span>{copied ? 'Copied' : 'Copy link'}</span>
    </button>
  );
}

/** Plays what the others say; nothing to see. */
function RemoteSound({ call }: { call: Call }) {
  useEffect(() => {
    const { room } = call;
    const elements = new Set<HTMLMediaElement>();
    const play = (track: Track): void => {
      if (track.kind === Track.Kind.Audio) elements.add(track.attach());
    };
    const stop = (track: Track): void => {
      for (const element of track.detach()) elements.delete(element);
    };
    for (const participant of room.remoteParticipants.values()) {
      for (const { track } of participant.trackPublications.values()) if (track) play(track);
    }
    room.on(RoomEvent.TrackSubscribed, play).on(RoomEvent.TrackUnsubscribed, stop);
    return () => {
      room.off(RoomEvent.TrackSubscribed, play).off(RoomEvent.TrackUnsubscribed, stop);
      for (const element of elements) element.remove();
    };
  }, [call]);
  return null;
}

/** M and V switch microphone and camera, unless someone is typing. */
function useShortcuts(call: Call): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
      if (event.key === 'm') void call.toggle('microphone');
      if (event.key === 'v') void call.toggle('camera');
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [call]);
}
