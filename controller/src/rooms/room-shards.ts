import type { RoomName } from '@sluice/contracts';

/**
 * Rooms are owned in shards, one lease each: a lease a room would mean a renewal a second for each of them. All
 * controllers must agree on the number; it bounds how many controllers can share the work.
 */
const ROOM_SHARDS = 32;

/** The names of all shards' leases. */
export const roomShards: readonly string[] = Array.from({ length: ROOM_SHARDS }, (_, shard) => `rooms/${shard}`);

/** The shard that a room belongs to. FNV-1a over UTF-16 code units: stable, and spread well enough over 32. */
export function shardOf(roomName: RoomName): string {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < roomName.length; i++) hash = Math.imul(hash ^ roomName.charCodeAt(i), 0x0100_0193);
  return `rooms/${(hash >>> 0) % ROOM_SHARDS}`;
}
