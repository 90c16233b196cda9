import type { LocalAudioTrack, LocalVideoTrack } from 'livekit-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JoinRequest } from '../app.tsx';
import { type Invitation, rememberedName } from '../call/invitation.ts';
import type { Words } from '../call/words.ts';
import { Avatar } from '../ui/avatar.tsx';
import { CameraIcon, CameraOffIcon, MicrophoneIcon, MicrophoneOffIcon } from '../ui/icons.tsx';
import { type Opened, openCamera, openMicrophone } from './preview.ts';

interface LobbyProps {
  readonly invitation: Invitation;
  readonly problem: Words | undefined;
  readonly join: (request: JoinRequest) => void;
}

export function Lobby({ invitation, problem, join }: LobbyProps) {
  const [name, setName] = useState(() => invitation.name || rememberedName());
  const [room, setRoom] = useState(invitation.room || 'demo');
  const camera = useDevice<LocalVideoTrack>(openCamera);
  const microphone = useDevice<LocalAudioTrack>(openMicrophone);

  const submit = (event: Event): void => {
    event.preventDefault();
    join({
      room: room.trim(),
      name: name.trim(),
      tracks: { camera: camera.release(), microphone: microphone.release() },
    });
  };

  const trouble = problem ?? camera.words ?? microphone.words;
  return (
    <main class="lobby">
      <Brand />
      <form class="card" onSubmit={submit}>
        <div class="preview">
          <Picture track={camera.track} />
          {camera.track === undefined && <Avatar name={name || '?'} identity={name} />}
          <div class="preview-controls">
            <button
              type="button"
              class={`round ${microphone.track ? '' : 'off'}`}
              aria-pressed={microphone.track !== undefined}
              aria-label="Microphone"
              title={microphone.track ? 'Join with the microphone on' : 'Join with the microphone off'}
              onClick={microphone.toggle}
            >
              {microphone.track ? <MicrophoneIcon /> : <MicrophoneOffIcon />}
            </button>
            <button
              type="button"
              class={`round ${camera.track ? '' : 'off'}`}
              aria-pressed={camera.track !== undefined}
              aria-label="Camera"
              title={camera.track ? 'Join with the camera on' : 'Join with the camera off'}
              onClick={camera.toggle}
            >
              {camera.track ? <CameraIcon /> : <CameraOffIcon />}
            </button>
          </div>
        </div>
        {trouble !== undefined && (
          <div class="trouble" role="alert">
            <strong>{trouble.title}</strong>
            {trouble.text !== '' && <p>{trouble.text}</p>}
          </div>
        )}
        <div class="fields">
          <label>
            Your name
            <input
              value={name}
              onInput={({ currentTarget }) => setName(currentTarget.value)}
              maxLength={60}
              required
              autocomplete="nickname"
              readOnly={invitation.token !== undefined}
            />
          </label>
          <label>
            Room
            <input
              value={room}
              onInput={({ currentTarget }) => setRoom(currentTarget.value)}
              maxLength={120}
              required
              autocomplete="off"
              readOnly={invitation.token !== undefined}
            />
          </label>
        </div>
        <button type="submit" class="primary">
          Join
        </button>
      </form>
    </main>
  );
}

export function Joining({ room }: { room: string }) {
  return (
    <main class="lobby">
      <Brand />
      <p class="waiting" role="status">
        <span class="spinner" aria-hidden="true" />
        Joining {room}…
      </p>
    </main>
  );
}

export function Brand() {
  return (
    <h1 class="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="9" />
        <path d="M8 12c3-3 5-3 8 0s5 3 8 0M8 20c3-3 5-3 8 0s5 3 8 0" />
      </svg>
      Sluice
    </h1>
  );
}

function Picture({ track }: { track: LocalVideoTrack | undefined }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (track === undefined || video === null) return;
    track.attach(video);
    return () => {
      track.detach(video);
    };
  }, [track]);
  return <video ref={element} class={track ? 'mirrored' : 'hidden'} muted playsInline aria-label="Your camera" />;
}

interface DeviceState<T> {
  readonly track: T | undefined;
  readonly words: Words | undefined;
  readonly toggle: () => void;
  /** Hands the track over, also one that the browser still asks about: it is not stopped when the lobby goes. */
  readonly release: () => Promise<T | undefined>;
}

/** A device that is tried once when the page opens and switched by its button from then on. */
function useDevice<T extends { stop(): void }>(open: (deviceId: undefined) => Promise<Opened<T>>): DeviceState<T> {
  const [track, setTrack] = useState<T>();
  const [words, setWords] = useState<Words>();
  const held = useRef<Promise<T | undefined>>(Promise.resolve(undefined));
  const mine = useRef(true);

  const switchOn = (): void => {
    held.current = open(undefined).then((opened) => {
      setWords(opened.ok ? undefined : opened.words);
      const next = opened.ok ? opened.track : undefined;
      setTrack(() => next);
      return next;
    });
  };
  const switchOff = (): void => {
    void held.current.then((old) => old?.stop());
    held.current = Promise.resolve(undefined);
    setTrack(undefined);
  };
  useEffect(() => {
    switchOn();
    return () => {
      if (mine.current) switchOff();
    };
  }, []);
  return {
    track,
    words,
    toggle: () => (track === undefined ? switchOn() : switchOff()),
    release: () => {
      mine.current = false;
      return held.current;
    },
  };
}
