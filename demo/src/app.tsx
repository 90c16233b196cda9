import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Call, type LocalTracks } from './call/call.ts';
import { developmentToken, readInvitation, rememberName, serverUrl } from './call/invitation.ts';
import { ended, joinFailure, type Words } from './call/words.ts';
import { Joining, Lobby } from './join/lobby.tsx';
import { Over } from './join/over.tsx';
import { stopTracks } from './join/preview.ts';
import { RoomView } from './room/room-view.tsx';

type Phase =
  | { readonly name: 'lobby'; readonly problem?: Words }
  | { readonly name: 'joining'; readonly room: string }
  | { readonly name: 'call'; readonly call: Call }
  | { readonly name: 'over'; readonly words: Words };

export interface JoinRequest {
  readonly room: string;
  readonly name: string;
  readonly tracks: LocalTracks;
}

export function App() {
  const [invitation] = useState(() => readInvitation(location.search));
  const [phase, setPhase] = useState<Phase>(() =>
    invitation.atOnce ? { name: 'joining', room: invitation.room } : { name: 'lobby' },
  );

  const join = useCallback(
    async ({ room, name, tracks }: JoinRequest) => {
      setPhase({ name: 'joining', room });
      const fail = (problem: Words): void => {
        stopTracks(tracks);
        setPhase({ name: 'lobby', problem });
      };
      let token = invitation.token;
      if (token === undefined) {
        const answer = await developmentToken(room, name);
        if (!answer.ok) return fail(answer.words);
        token = answer.token;
        rememberName(name);
      }
      try {
        const call = await Call.join(serverUrl(), token, ({ reason }) =>
          setPhase({ name: 'over', words: ended(reason) }),
        );
        setPhase({ name: 'call', call });
        await call.publish(tracks);
      } catch (error) {
        fail(joinFailure(error, token, Date.now()));
      }
    },
    [invitation],
  );

  // A link that joins at once: devices come on in the call, where a refusal does not keep anyone out.
  const joined = useRef(false);
  useEffect(() => {
    if (!invitation.atOnce || joined.current) return;
    joined.current = true;
    void join({ room: invitation.room || 'demo', name: invitation.name, tracks: {} });
  }, [invitation, join]);

  switch (phase.name) {
    case 'lobby':
      return <Lobby invitation={invitation} problem={phase.problem} join={(request) => void join(request)} />;
    case 'joining':
      return <Joining room={phase.room} />;
    case 'call':
      return <RoomView call={phase.call} devicesOn={invitation.atOnce} canInvite={invitation.token === undefined} />;
    case 'over':
      return <Over words={phase.words} again={() => location.reload()} />;
  }
}
