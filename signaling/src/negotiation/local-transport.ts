import { type IceCredentials, type RandomBytes, randomBase62 } from '@sluice/contracts';
import type { Candidate, Origin, Setup, Transport } from '@sluice/sdp';
import type { SiteTransport } from './terms.ts';

/** 71 bits: a site finds sessions by it, so no two may meet by chance. RFC 8445 §5.3 wants at least 24. */
const USERNAME_FRAGMENT_LENGTH = 12;
/** 142 bits; RFC 8445 §5.3 wants at least 128. */
const PASSWORD_LENGTH = 24;
/** Clients that restart in a hurry may still check with the one before. */
const MAX_CREDENTIALS = 3;
/** Home addresses of a site in both families and a few providers; more only lengthens the client's checks. */
const MAX_CANDIDATES = 16;

export const makeCredentials = (random: RandomBytes): IceCredentials => ({
  usernameFragment: randomBase62(random, USERNAME_FRAGMENT_LENGTH),
  password: randomBase62(random, PASSWORD_LENGTH),
});

/** The list with a new first one; the oldest falls out. */
export const withNewCredentials = (list: readonly IceCredentials[], random: RandomBytes): IceCredentials[] =>
  [makeCredentials(random), ...list].slice(0, MAX_CREDENTIALS);

/** RFC 8829 §5.2.1: a random 62-bit session id. */
export function makeOrigin(random: RandomBytes): Origin {
  const id = random(8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) & ((1n << 62n) - 1n);
  return { username: '-', sessionId: String(id), sessionVersion: '0' };
}

/** RFC 8829 §5.2.2: each description counts one up. */
export const nextVersion = (origin: Origin): Origin => ({
  ...origin,
  sessionVersion: String(BigInt(origin.sessionVersion) + 1n),
});

/** What we say of ourselves in each bundled section; candidates stand only in the one whose transport is used. */
export function localTransport(
  site: SiteTransport,
  credentials: IceCredentials | undefined,
  setup: Setup,
  candidates: 'with-candidates' | 'without-candidates',
): Transport {
  const tagged = candidates === 'with-candidates';
  return {
    ice: credentials,
    iceOptions: [],
    fingerprints: [site.fingerprint],
    setup,
    candidates: tagged ? hostCandidates(site) : [],
    endOfCandidates: tagged,
  };
}

export const noTransport: Transport = {
  ice: undefined,
  iceOptions: [],
  fingerprints: [],
  setup: undefined,
  candidates: [],
  endOfCandidates: false,
};

function hostCandidates(site: SiteTransport): Candidate[] {
  return site.addresses.slice(0, MAX_CANDIDATES).map(({ address, port }, index) => ({
    foundation: String(index + 1),
    component: 1,
    transport: 'udp',
    // RFC 8445 §5.1.2.1: type preference 126 for host, local preference by order, component 1.
    priority: 126 * 2 ** 24 + (65_535 - index) * 2 ** 8 + 255,
    address,
    port,
    type: 'host',
    tcpType: '',
  }));
}
