import { RoomId, SessionId } from '@sluice/contracts';
import type { MediaNode } from '@sluice/media-node';

/** What is shown of a node. */
export type Inspected = NonNullable<ReturnType<MediaNode['inspection']>>;

export type DebugAnswer =
  | { readonly status: 200; readonly json: unknown }
  | { readonly status: 404 | 503; readonly json: { readonly problem: string } };

const refusal = (status: 404 | 503, problem: string): DebugAnswer => ({ status, json: { problem } });

/**
 * What the node knows of itself, as JSON: `/debug/node`, `/debug/sessions`, `/debug/sessions/SE_…`, `/debug/rooms/RM_…`.
 * Addresses of clients are among it.
 */
export async function debugAnswer(path: string, node: Inspected | undefined): Promise<DebugAnswer> {
  if (node === undefined) return refusal(503, 'the node is not up');
  const [, , what, name, ...more] = path.split('/');
  if (more.length > 0) return refusal(404, 'there is no such page');
  if (what === 'node' && name === undefined) return { status: 200, json: await node.node() };
  if (what === 'sessions' && name === undefined) return { status: 200, json: { sessions: node.sessions() } };
  if (what === 'sessions') return await sessionAnswer(SessionId.safeParse(name), node);
  if (what === 'rooms') {
    const room = RoomId.safeParse(name);
    return room.success ? { status: 200, json: await node.room(room.data) } : refusal(404, 'that is no id of a room');
  }
  return refusal(404, 'there is /debug/node, /debug/sessions, /debug/sessions/:id and /debug/rooms/:id');
}

async function sessionAnswer(id: ReturnType<typeof SessionId.safeParse>, node: Inspected): Promise<DebugAnswer> {
  const detail = id.success ? await node.session(id.data) : undefined;
  return detail === undefined ? refusal(404, 'there is no such session') : { status: 200, json: detail };
}

const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Only from this machine, and only by its own name: a page that was lured here by another name gets nothing. */
export function mayDebug(listensOn: string, host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return loopback.test(listensOn) && loopback.test(name);
}
