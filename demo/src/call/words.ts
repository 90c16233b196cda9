import { ConnectionError, ConnectionErrorReason, DisconnectReason } from 'livekit-client';

/** Something to tell the user: what is wrong, and what can be done. */
export interface Words {
  readonly title: string;
  readonly text: string;
}

/** Why joining did not work. */
export function joinFailure(error: unknown, token: string, nowMs: number): Words {
  if (!navigator.onLine) return { title: 'You are offline', text: 'Join again when the network is back.' };
  if (error instanceof ConnectionError) {
    switch (error.reason) {
      case ConnectionErrorReason.NotAllowed:
        return tokenProblem(token, nowMs);
      case ConnectionErrorReason.ServiceNotFound:
        return { title: 'This address is no Sluice server', text: 'Something else answers there.' };
      case ConnectionErrorReason.Timeout:
      case ConnectionErrorReason.ServerUnreachable:
      case ConnectionErrorReason.WebSocket:
        return serverAway;
      case ConnectionErrorReason.LeaveRequest:
        return ended(error.context as DisconnectReason);
      case ConnectionErrorReason.InternalError:
        return {
          title: 'The server could not let you in',
          text: 'It answered with an error of its own. Its log says more; try again in a moment.',
        };
      case ConnectionErrorReason.Cancelled:
        return { title: 'Joining was cancelled', text: '' };
    }
  }
  const message = error instanceof Error ? error.message : String(error);
  if (/pc connection|peer connection|ice/i.test(message)) {
    return {
      title: 'Media cannot reach the server',
      text: 'The page talks to it, but its UDP port for media cannot be reached from here. A firewall may be in the way.',
    };
  }
  return { title: 'Joining did not work', text: message };
}

export const serverAway: Words = {
  title: 'The server is away',
  text: 'It does not answer. It may be restarting, or the network between you and it is down.',
};

/** Says what is wrong with a token that was refused; it can be read without its key. */
export function tokenProblem(token: string, nowMs: number): Words {
  const claims = claimsOf(token);
  if (claims === undefined) {
    return { title: 'This invitation is damaged', text: 'Its token cannot be read. Was the link copied whole?' };
  }
  if (typeof claims.exp === 'number' && claims.exp * 1000 < nowMs) {
    const when = new Date(claims.exp * 1000).toLocaleString();
    return { title: 'This invitation has expired', text: `It was good until ${when}. Ask for a new link.` };
  }
  if (typeof claims.nbf === 'number' && claims.nbf * 1000 > nowMs) {
    const when = new Date(claims.nbf * 1000).toLocaleString();
    return { title: 'This invitation is not good yet', text: `It begins ${when}. Is this device’s clock right?` };
  }
  return {
    title: 'This invitation is not accepted',
    text: 'The server did not sign it, or it gives no right to join. Ask for a new link.',
  };
}

interface Claims {
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly sub?: unknown;
  readonly name?: unknown;
  readonly video?: { readonly room?: unknown };
}

/** The claims of a JSON Web Token, unchecked; undefined when it is none. */
export function claimsOf(token: string): Claims | undefined {
  const body = token.split('.')[1];
  if (body === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(body.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** Why a call that was under way is over. */
export function ended(reason: DisconnectReason | undefined): Words {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return { title: 'You left the room', text: '' };
    case DisconnectReason.DUPLICATE_IDENTITY:
      return {
        title: 'You joined from somewhere else',
        text: 'The same invitation is in use in another window or device.',
      };
    case DisconnectReason.PARTICIPANT_REMOVED:
      return { title: 'You were removed from the room', text: '' };
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return { title: 'The room was closed', text: '' };
    case DisconnectReason.SERVER_SHUTDOWN:
      return { title: 'The server is going down', text: 'Join again in a moment.' };
    default:
      return { title: 'The connection was lost', text: 'Reconnecting did not work. Check the network and join again.' };
  }
}

export type Device = 'camera' | 'microphone' | 'screen';

/** Why a camera, a microphone or a screen cannot be had. */
export function deviceFailure(device: Device, error: unknown): Words {
  const the = { camera: 'the camera', microphone: 'the microphone', screen: 'the screen' }[device];
  if (navigator.mediaDevices === undefined) {
    return {
      title: `No ${device} here`,
      text: 'Browsers give it only to pages with https and to localhost. Open this page by one of those.',
    };
  }
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      if (device === 'screen') return { title: 'The screen is not shared', text: 'You or the system said no.' };
      return {
        title: `This page may not use ${the}`,
        text: 'Allow it in the browser’s address bar (the icon beside the address), then switch it on again.',
      };
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return { title: `There is no ${device}`, text: `Connect a ${device}, then switch it on again.` };
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return {
        title: `${the.charAt(0).toUpperCase()}${the.slice(1)} is busy`,
        text: 'Another program seems to be using it.',
      };
    default:
      return {
        title: `${the.charAt(0).toUpperCase()}${the.slice(1)} could not be switched on`,
        text: error instanceof Error ? error.message : String(error),
      };
  }
}
