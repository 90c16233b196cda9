import { ConnectionQuality, type Participant, type Track } from 'livekit-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Call, cameraOf, nameOf, screenOf } from '../call/call.ts';
import { Avatar } from '../ui/avatar.tsx';
import { MicrophoneOffIcon, ScreenIcon } from '../ui/icons.tsx';
import { fills } from './arrangement.ts';

interface TileProps {
  readonly call: Call;
  readonly participant: Participant;
  readonly source: 'camera' | 'screen';
  /** The tile's own, to choose between cropping the picture and showing it whole. */
  readonly aspect: number;
}

export function Tile({ call, participant, source, aspect }: TileProps) {
  const publication = source === 'screen' ? screenOf(participant) : cameraOf(participant);
  const track = publication?.isMuted === true ? undefined : publication?.track;
  const mine = participant === call.room.localParticipant;
  const muted = !participant.isMicrophoneEnabled;
  const name = nameOf(participant);
  const poor = participant.connectionQuality === ConnectionQuality.Poor;
  return (
    <article
      class={`tile ${participant.isSpeaking && source === 'camera' ? 'speaking' : ''} ${source}`}
      aria-label={name}
    >
      {track === undefined ? (
        <Avatar name={name} identity={participant.identity} />
      ) : (
        <Video track={track} mirrored={mine && source === 'camera'} aspect={aspect} whole={source === 'screen'} />
      )}
      <footer class="tag">
        {source === 'screen' ? <ScreenIcon /> : muted && <MicrophoneOffIcon />}
        <span class="tag-name">
          {source === 'screen' ? `${name}’s screen` : name}
          {mine && source === 'camera' && ' (you)'}
        </span>
        {muted && source === 'camera' && <span class="sr-only">, microphone off</span>}
        {poor && <span class="poor">poor connection</span>}
      </footer>
    </article>
  );
}

interface VideoProps {
  readonly track: Track;
  readonly mirrored: boolean;
  readonly aspect: number;
  readonly whole: boolean;
}

function Video({ track, mirrored, aspect, whole }: VideoProps) {
  const element = useRef<HTMLVideoElement>(null);
  const [pictureAspect, setPictureAspect] = useState(16 / 9);
  useEffect(() => {
    const video = element.current;
    if (video === null) return;
    track.attach(video);
    const measure = (): void => {
      if (video.videoHeight > 0) setPictureAspect(video.videoWidth / video.videoHeight);
    };
    // Fires at the first picture and whenever its size changes, as when a phone is turned.
    video.addEventListener('resize', measure);
    return () => {
      video.removeEventListener('resize', measure);
      track.detach(video);
    };
  }, [track]);
  const fit = !whole && fills(pictureAspect, aspect) ? 'cover' : 'contain';
  return (
    <video ref={element} class={mirrored ? 'mirrored' : ''} style={{ objectFit: fit }} muted autoPlay playsInline />
  );
}
