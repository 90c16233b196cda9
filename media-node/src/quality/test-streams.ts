import type { TrackId } from '@sluice/contracts';
import type { IncomingStreamSnapshot, OutgoingStreamSnapshot, SessionSnapshot } from '@sluice/packet-path';

/** Streams of nothing special, for tests. */

export const incomingStream = (over: Partial<IncomingStreamSnapshot> = {}): IncomingStreamSnapshot => ({
  track: 'TR_AMone' as TrackId,
  kind: 'audio',
  mid: '0',
  rid: '',
  ssrc: 1,
  codec: 'opus',
  payloadType: 111,
  packets: 0,
  bytes: 0,
  lost: 0,
  recovered: 0,
  duplicates: 0,
  jitterMs: 0,
  nacks: 0,
  plis: 0,
  keyFrames: 0,
  audioLevel: 0,
  audioActive: false,
  lastPacketAtUs: 0,
  ...over,
});

export const outgoingStream = (over: Partial<OutgoingStreamSnapshot> = {}): OutgoingStreamSnapshot => ({
  track: 'TR_VCtwo' as TrackId,
  kind: 'video',
  mid: '1',
  ssrc: 2,
  codec: 'vp8',
  paused: false,
  flowing: true,
  packets: 0,
  bytes: 0,
  resentPackets: 0,
  resentBytes: 0,
  nacks: 0,
  plis: 0,
  fractionLost: 0,
  lost: 0,
  jitterMs: 0,
  ...over,
});

export const sessionSnapshot = (over: Partial<SessionSnapshot> = {}): SessionSnapshot => ({
  session: 'SE_one' as SessionSnapshot['session'],
  state: 'connected',
  remote: '192.0.2.1:1',
  landedAtUs: 1,
  connectedAtUs: 2,
  rttMs: 0,
  datagramsIn: 0,
  bytesIn: 0,
  datagramsOut: 0,
  bytesOut: 0,
  incoming: [],
  outgoing: [],
  data: {
    messagesIn: 0,
    bytesIn: 0,
    messagesOut: 0,
    bytesOut: 0,
    bufferedBytes: 0,
    openChannels: 0,
    lastReliableSequence: 0,
  },
  ...over,
});
