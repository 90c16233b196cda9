import { readFile } from 'node:fs/promises';
import { jetstream } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { Kvm } from '@nats-io/kv';
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { errorMessage } from '@sluice/runtime';
import type { NatsConfig } from './config.ts';
import { natsRefusesCredentials, natsWantsCredentials } from './errors.ts';
import { KvLeaseStore } from './kv-lease-store.ts';
import type { DialNats, NatsSession } from './session.ts';

/** How long one server may take to let us in. */
const DIAL_TIMEOUT_MS = 3_000;
/** Less than a lease lasts: who waited longer for one answer would lose what it could still renew. */
const LEASE_ANSWER_MS = 1_000;
/** A connection whose other end is gone without a word is noticed within three of these. */
const PING_INTERVAL_MS = 3_000;
const PINGS_UNANSWERED = 2;

/** Connects with NATS' own library. Reconnecting is ours: whatever was said while the bus was away is said again anyway. */
export function dialWith(config: NatsConfig, name: string): DialNats {
  return async ({ moreServers, refused }) => {
    const connection = await connectTo({
      name,
      servers: [...new Set([...config.servers.map(hostOf), ...moreServers])],
      reconnect: false,
      timeout: DIAL_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: PINGS_UNANSWERED,
      ...(await credentials(config)),
      ...tlsOptions(config),
    });
    return sessionOf(connection, config, refused);
  };
}

async function connectTo(options: ConnectionOptions): Promise<NatsConnection> {
  try {
    return await connect(options);
  } catch (cause) {
    if (!(cause instanceof errors.AuthorizationError)) throw cause;
    throw options.authenticator === undefined ? natsWantsCredentials(cause) : natsRefusesCredentials(cause);
  }
}

function sessionOf(connection: NatsConnection, config: NatsConfig, refused: (what: string) => void): NatsSession {
  const { info } = connection;
  const bucket = (): Promise<KV> =>
    new Kvm(jetstream(connection, { timeout: LEASE_ANSWER_MS })).create(`${config.prefix}-leases`, {
      description: 'Who owns what; nothing is lost with it.',
      history: 1,
      replicas: config.leaseReplicas,
      storage: 'memory',
      allow_direct: false,
    });
  const ended = connection.closed().then((error) => (error ? errorMessage(error) : 'the connection was closed'));
  // The library leaves a flush waiting when its connection ends.
  const flushing = new Set<(why: Error) => void>();
  void ended.then((why) => {
    for (const fail of flushing) fail(new Error(why));
  });
  void watch(connection, refused);
  return {
    server: connection.getServer(),
    others: info?.connect_urls ?? [],
    maxPayloadBytes: info?.max_payload ?? 0,
    publish: (subject, payload) => connection.publish(subject, payload),
    subscribe: (subject, take) =>
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) take(message.data);
        },
      }),
    flush: async () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      flushing.add(reject);
      connection.flush().then(resolve, reject);
      await promise.finally(() => flushing.delete(reject));
    },
    leases: new KvLeaseStore(bucket),
    ended,
    close: () => connection.close(),
  };
}

/** Says what the server refuses, and leaves a server that is about to end (its "lame duck mode"). */
async function watch(connection: NatsConnection, refused: (what: string) => void): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error') refused(errorMessage(status.error));
    if (status.type === 'ldm') await connection.close();
  }
}

/** Files are read at each connection, so that new ones are taken without a restart. */
async function credentials(config: NatsConfig): Promise<Pick<ConnectionOptions, 'authenticator'>> {
  const { user, password, token, credentialsFile, nkeyFile } = config;
  const all: Authenticator[] = [];
  if (user !== undefined) all.push(usernamePasswordAuthenticator(user, password));
  if (token !== undefined) all.push(tokenAuthenticator(token));
  if (credentialsFile !== undefined) all.push(credsAuthenticator(await readFile(credentialsFile)));
  if (nkeyFile !== undefined) all.push(nkeyAuthenticator(Buffer.from((await readFile(nkeyFile, 'utf8')).trim())));
  return all.length === 0 ? {} : { authenticator: all };
}

function tlsOptions({ servers, tls }: NatsConfig): Pick<ConnectionOptions, 'tls'> {
  if (tls === undefined && !servers.some((server) => server.startsWith('tls:'))) return {};
  return {
    tls: {
      ...(tls?.ca === undefined ? {} : { caFile: tls.ca }),
      ...(tls?.certificate === undefined ? {} : { certFile: tls.certificate }),
      ...(tls?.key === undefined ? {} : { keyFile: tls.key }),
      ...(tls?.handshakeFirst === true ? { handshakeFirst: true } : {}),
    },
  };
}

const hostOf = (server: string): string => server.replace(/^\w+:\/\//, '').replace(/\/$/, '');
