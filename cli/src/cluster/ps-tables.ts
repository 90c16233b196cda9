import type { NodeReport, RoomInfo } from '@sluice/contracts';

/** Nodes for people, site by site. */
export function nodeTable(nodes: readonly NodeReport[]): string {
  if (nodes.length === 0) return 'No media node is up.';
  const rows = nodes
    .toSorted((a, b) => compare(a.site, b.site) || compare(a.node, b.node))
    .map(({ site, node, draining, sessions, incomingTracks, outgoingTracks, load, publicAddresses }) => [
      site,
      node,
      draining ? 'draining' : 'up',
      String(sessions),
      `${incomingTracks}/${outgoingTracks}`,
      `${Math.round(load * 100)} %`,
      publicAddresses
        .map(({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`)
        .join(' '),
    ]);
  return columns([['SITE', 'NODE', 'STATE', 'SESSIONS', 'TRACKS IN/OUT', 'LOAD', 'ADDRESSES'], ...rows]);
}

/** Rooms for people, the fullest first. */
export function roomTable(rooms: readonly RoomInfo[]): string {
  if (rooms.length === 0) return 'There is no room.';
  const rows = rooms
    .toSorted((a, b) => b.numParticipants - a.numParticipants || compare(a.roomName, b.roomName))
    .map(({ roomName, room, numParticipants, numPublishers, createdAtMs }) => [
      // Names are as users typed them.
      JSON.stringify(roomName),
      room,
      String(numParticipants),
      String(numPublishers),
      new Date(createdAtMs).toISOString(),
    ]);
  return columns([['ROOM', 'ID', 'PARTICIPANTS', 'PUBLISHERS', 'SINCE'], ...rows]);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
