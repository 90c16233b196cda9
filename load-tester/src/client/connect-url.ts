import { gzipSync } from 'node:zlib';
import {
  ClientInfo,
  ClientInfo_SDK,
  ConnectionSettings,
  JoinRequest,
  type ReconnectReason,
  type SessionDescription,
  WrappedJoinRequest,
  WrappedJoinRequest_Compression,
} from '@livekit/protocol';
import type { SignalTarget } from './ports.ts';

/** `single`: one peer connection, in which only the client offers. `dual`: one each way; the server offers its own. */
export type Mode = 'single' | 'dual';

export interface ConnectWish {
  readonly mode: Mode;
  readonly token: string;
  readonly autoSubscribe: boolean;
  /** Set: it was here before, as this participant. */
  readonly resume: { readonly participant: string; readonly reason: ReconnectReason } | undefined;
  /** Of single mode: what comes with the join. */
  readonly offer: SessionDescription | undefined;
}

const SIGNALING_PROTOCOL = 17;
const CLIENT_PROTOCOL = 2;
const VERSION = '2.23.0';

/** The URL by which a client connects, as livekit-client writes it. */
export function connectTarget(wish: ConnectWish): SignalTarget {
  const { mode, token } = wish;
  const query = mode === 'single' ? singleQuery(wish) : dualQuery(wish);
  query.set('access_token', token);
  return { path: mode === 'single' ? '/rtc/v1' : '/rtc', query, token };
}

function singleQuery({ autoSubscribe, resume, offer }: ConnectWish): URLSearchParams {
  const join = new JoinRequest({
    clientInfo: new ClientInfo({
      sdk: ClientInfo_SDK.JS,
      version: VERSION,
      protocol: SIGNALING_PROTOCOL,
      clientProtocol: CLIENT_PROTOCOL,
      browser: 'chrome',
    }),
    connectionSettings: new ConnectionSettings({ autoSubscribe, subscriberAllowPause: true }),
    ...(offer === undefined ? {} : { publisherOffer: offer }),
    ...(resume === undefined
      ? {}
      : { reconnect: true, participantSid: resume.participant, reconnectReason: resume.reason }),
  });
  const wrapped = new WrappedJoinRequest({
    compression: WrappedJoinRequest_Compression.GZIP,
    joinRequest: gzipSync(join.toBinary()),
  });
  return new URLSearchParams({ join_request: Buffer.from(wrapped.toBinary()).toString('base64url') });
}

function dualQuery({ autoSubscribe, resume }: ConnectWish): URLSearchParams {
  return new URLSearchParams({
    auto_subscribe: autoSubscribe ? '1' : '0',
    subscriber_allow_pause: '1',
    sdk: 'js',
    version: VERSION,
    protocol: String(SIGNALING_PROTOCOL),
    client_protocol: String(CLIENT_PROTOCOL),
    browser: 'chrome',
    ...(resume === undefined
      ? {}
      : { reconnect: '1', sid: resume.participant, reconnect_reason: String(resume.reason) }),
  });
}
