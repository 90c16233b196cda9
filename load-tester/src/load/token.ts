import { createHmac } from 'node:crypto';

const LIFETIME_S = 6 * 3600;

/** An access token as LiveKit's SDKs make them (JWT, HS256): the load test is a customer like any other. */
export function accessToken(
  key: { readonly apiKey: string; readonly apiSecret: string },
  member: { readonly roomName: string; readonly identity: string; readonly hidden?: boolean },
  nowMs: number,
): string {
  const nowS = Math.floor(nowMs / 1000);
  const { apiKey, apiSecret } = key;
  const { roomName, hidden = false } = member;
  const video = { roomJoin: true, room: roomName, canPublish: true, canSubscribe: true, hidden };
  const claims = { iss: apiKey, sub: member.identity, nbf: nowS, exp: nowS + LIFETIME_S, video };
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${signed}.${createHmac('sha256', apiSecret).update(signed).digest('base64url')}`;
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
