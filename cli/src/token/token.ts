import { systemClock } from '@sluice/runtime';
import { makeToken } from '@sluice/signaling';
import { apiKeysOf, keyNamed } from '../configuration/keys.ts';
import { readConfiguration } from '../configuration/read.ts';
import { badArgument } from '../errors.ts';
import { lifetimeS } from './lifetime.ts';

/** The flags of `sluice token`, as the command line gives them. */
export interface TokenFlags {
  readonly room: string;
  readonly identity: string;
  readonly name?: string;
  readonly metadata?: string;
  readonly ttl: string;
  readonly canPublish: string;
  readonly canSubscribe: string;
  readonly canPublishData?: string;
  readonly canUpdateOwnMetadata: string;
  readonly hidden: string;
  readonly config?: string;
  readonly apiKey?: string;
}

export async function token(flags: TokenFlags): Promise<string> {
  const key = keyNamed(apiKeysOf(readConfiguration(flags.config)), flags.apiKey);
  const seconds = lifetimeS(flags.ttl);
  if (seconds === undefined)
    throw badArgument(`--ttl is "${flags.ttl}"; it must be a time such as 90s, 30m, 6h or 2d.`);
  const { room, identity, name, metadata, canPublishData } = flags;
  return await makeToken({
    apiKey: key.name,
    secret: key.secret,
    identity,
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
    video: {
      roomJoin: true,
      room,
      canPublish: yesOrNo('--can-publish', flags.canPublish),
      canSubscribe: yesOrNo('--can-subscribe', flags.canSubscribe),
      ...(canPublishData === undefined ? {} : { canPublishData: yesOrNo('--can-publish-data', canPublishData) }),
      canUpdateOwnMetadata: yesOrNo('--can-update-own-metadata', flags.canUpdateOwnMetadata),
      hidden: yesOrNo('--hidden', flags.hidden),
    },
    nowMs: systemClock.unixMs(),
    lifetimeS: seconds,
  });
}

function yesOrNo(flag: string, text: string): boolean {
  if (text === 'true' || text === 'yes') return true;
  if (text === 'false' || text === 'no') return false;
  throw badArgument(`${flag} is "${text}"; it must be true or false.`);
}
