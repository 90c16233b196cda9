import { type ApiKeys, developmentKey, isLoopback, keyNamed } from '../configuration/keys.ts';
import type { SluiceConfig } from '../configuration/schema.ts';
import type { DemoToken } from './demo-pages.ts';

const DEMO_ROOM = 'demo';

export interface Greeting {
  /** Where HTTP listens: `http://127.0.0.1:7880`. */
  readonly url: string;
  readonly config: SluiceConfig;
  readonly keys: ApiKeys;
  readonly demo: boolean;
  readonly link: string;
}

/** What someone who just started Sluice wants to know. */
export function greeting({ url, config, keys, demo, link }: Greeting): string {
  const here = reachable(url);
  const { udpPort, bindAddresses } = config.media;
  const media = bindAddresses.map((address) => (address.includes(':') ? `[${address}]` : address)).join(', ');
  const key = keyNamed(keys, undefined);
  const facts: readonly (readonly [string, string])[] = [
    ...(demo ? [['Demo page', `${here}/`] as const] : []),
    ['WebSocket', here.replace(/^http/, 'ws')],
    ['Media', `UDP port ${udpPort === 0 ? 'chosen by the system' : udpPort} on ${media}`],
    [
      'API key',
      keys.development
        ? `${key.name}, secret ${developmentKey.secret} (for development, on this machine only)`
        : key.name,
    ],
  ];
  return [
    'Sluice is up.',
    '',
    ...facts.map(([name, value]) => `  ${name.padEnd(12)}${value}`),
    '',
    ...(demo ? [`  Join a room: ${link}`, ''] : []),
    ...warnings(config),
    '  Ctrl-C ends it.',
  ].join('\n');
}

/** What will not work as someone may expect. */
function warnings({ signaling, media }: SluiceConfig): string[] {
  const mediaHereOnly = media.publicAddresses.length === 0 && media.bindAddresses.every(isLoopback);
  if (isLoopback(signaling.listen.address) || !mediaHereOnly) return [];
  return [
    `  Clients on other machines can connect but will have no media: it is bound to ${media.bindAddresses.join(', ')}.`,
    '  Set media.bindAddresses, for example to 0.0.0.0.',
    '',
  ];
}

/** A link that joins the demo room: with the development key the page gets a token itself, else the link carries one. */
export async function guestLink({
  url,
  keys,
  token,
}: {
  url: string;
  keys: ApiKeys;
  token: DemoToken;
}): Promise<string> {
  const link = new URL(reachable(url));
  link.searchParams.set('room', DEMO_ROOM);
  if (keys.development) link.searchParams.set('join', '1');
  else link.searchParams.set('token', await token(DEMO_ROOM, 'Guest'));
  return link.href;
}

/** An address that a browser on this machine can open: nobody connects to "all addresses". */
const reachable = (url: string): string => url.replace('//0.0.0.0', '//localhost').replace('//[::]', '//localhost');
