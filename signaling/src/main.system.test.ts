import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { LeaveRequest_Action, SignalRequest, SignalResponse } from '@livekit/protocol';
import { InProcessHub } from '@sluice/bus';
import { SiteName } from '@sluice/contracts';
import { createMetrics, silentLogger, systemClock, systemRandom } from '@sluice/runtime';
import { WebSocket } from 'ws';
import { SignalingConfig } from './config.ts';
import { startSignaling } from './main.ts';
import type { ServerMessage } from './messages/wire.ts';
import { TestCloud } from './test-cloud.ts';
import { makeToken } from './tokens/make.ts';

test('signaling: a whole server lets a client in, counts it, says goodbye and leaves nothing open', async () => {
  const hub = new InProcessHub({ clock: systemClock, random: systemRandom });
  const site = SiteName.parse('test');
  const cloud = new TestCloud({ hub, clock: systemClock, site }).open();
  const bus = hub.connect();
  const metrics = createMetrics();
  const config = SignalingConfig.parse({ site, listen: { port: 0 }, apiKeys: { devkey: 'secret' } });
  const signaling = startSignaling(config, {
    bus,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics,
  });
  const url = await signaling.ready;
  const token = await makeToken({
    apiKey: 'devkey',
    secret: 'secret',
    identity: 'alice',
    video: { roomJoin: true, room: 'room' },
    nowMs: systemClock.unixMs(),
    lifetimeS: 60,
  });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/rtc?access_token=${token}&publish=screen`);
  const heard: ServerMessage['case'][] = [];
  let leave: LeaveRequest_Action | undefined;
  let identity = '';
  socket.on('message', (data: Buffer) => {
    const { message } = SignalResponse.fromBinary(data);
    if (message.case !== undefined) heard.push(message.case);
    if (message.case === 'join') identity = message.value.participant?.identity ?? '';
    if (message.case === 'leave') leave = message.value.action;
    if (message.case === 'refreshToken')
      socket.send(new SignalRequest({ message: { case: 'ping', value: 1n } }).toBinary());
    if (message.case === 'pong') void signaling.close();
  });
  const [code] = await once(socket, 'close');
  assert.equal(code, 1000);
  assert.deepEqual(heard, ['join', 'refreshToken', 'pong', 'leave'], 'who only publishes is offered nothing');
  assert.equal(identity, 'alice#screen');
  assert.equal(leave, LeaveRequest_Action.RECONNECT);
  await signaling.close();
  await assert.rejects(fetch(url), 'nobody listens any more');
  assert.match(await metrics.text(), /sluice_signaling_sessions_ended_total\{reason="server-shutdown"\} 1/);
  await cloud.close();
  await bus.close();
});
