import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeReport, RoomInfo } from '@sluice/contracts';
import { nodeTable, roomTable } from './ps-tables.ts';

const node = (over: object): NodeReport =>
  ({
    node: 'ND_b',
    site: 'fra',
    publicAddresses: [{ address: '203.0.113.7', port: 7882 }],
    draining: false,
    sessions: 12,
    incomingTracks: 3,
    outgoingTracks: 33,
    load: 0.256,
    ...over,
  }) as NodeReport;

test('ps: nodes, site by site', () => {
  const draining = node({ node: 'ND_a', draining: true, publicAddresses: [{ address: '2001:db8::1', port: 1 }] });
  assert.equal(
    nodeTable([node({}), draining, node({ site: 'ber' })]),
    [
      'SITE  NODE  STATE     SESSIONS  TRACKS IN/OUT  LOAD  ADDRESSES',
      'ber   ND_b  up        12        3/33           26 %  203.0.113.7:7882',
      'fra   ND_a  draining  12        3/33           26 %  [2001:db8::1]:1',
      'fra   ND_b  up        12        3/33           26 %  203.0.113.7:7882',
    ].join('\n'),
  );
  assert.equal(nodeTable([]), 'No media node is up.');
});

test('ps: rooms, the fullest first, and no name that could pass for something else', () => {
  const room = (roomName: string, numParticipants: number): RoomInfo =>
    ({ room: 'RM_1', roomName, numParticipants, numPublishers: 1, createdAtMs: 0 }) as RoomInfo;
  const lines = roomTable([room('b', 1), room('a\n\u001b[2J', 9)]).split('\n');
  assert.match(lines[1] ?? '', /^"a\\n\\u001b\[2J" +RM_1 +9 +1 +1970-01-01T00:00:00\.000Z$/);
  assert.match(lines[2] ?? '', /^"b"/);
});
