import { claimsOf, serverAway, type Words } from './words.ts';

/** What the page's address asks for: `/?room=demo`, `/?room=demo&name=Ada&join=1`, `/?token=…`. */
export interface Invitation {
  readonly room: string;
  readonly name: string;
  readonly token: string | undefined;
  /** Join without asking first. */
  readonly atOnce: boolean;
}

export function readInvitation(search: string): Invitation {
  const parameters = new URLSearchParams(search);
  const token = parameters.get('token') ?? undefined;
  const claims = token === undefined ? undefined : claimsOf(token);
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    room: parameters.get('room') ?? text(claims?.video?.room),
    name: parameters.get('name') ?? (text(claims?.name) || text(claims?.sub)),
    token,
    atOnce: parameters.has('join') || token !== undefined,
  };
}

/** The address others open to come to the same room. */
export const linkTo = (room: string): string => {
  const link = new URL(location.pathname, location.origin);
  link.searchParams.set('room', room);
  return link.href;
};

export type TokenAnswer = { readonly ok: true; readonly token: string } | { readonly ok: false; readonly words: Words };

/** Asks the server for a token; it gives one only while it runs with its development key on loopback. */
export async function developmentToken(room: string, name: string): Promise<TokenAnswer> {
  let response: Response;
  try {
    response = await fetch(new URL('demo/token', document.baseURI), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ room, name }),
    });
  } catch {
    return { ok: false, words: serverAway };
  }
  if (response.status === 404 || response.status === 403) {
    return {
      ok: false,
      words: {
        title: 'This server wants an invitation',
        text: 'It does not run with the development key, so it lets in only who has a link with a token: sluice token prints one.',
      },
    };
  }
  const body: unknown = await response.json().catch(() => undefined);
  const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
  if (!response.ok || typeof token !== 'string') {
    return { ok: false, words: { title: 'The server gave no token', text: `It answered ${response.status}.` } };
  }
  return { ok: true, token };
}

/** Where LiveKit clients connect: the server that served this page. */
export const serverUrl = (): string => new URL('.', document.baseURI).href.replace(/^http/, 'ws').replace(/\/$/, '');

const NAME_KEY = 'sluice.name';

/** The name this browser used last. */
export function rememberedName(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}

export function rememberName(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
