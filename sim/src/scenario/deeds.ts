import type { SimClient } from '../cloud/sim-client.ts';
import type { Action, Deed } from './scenario.ts';
import { accessOf, type World } from './world.ts';

/** Does one thing in a scenario. */
export async function perform(action: Action, world: World): Promise<void> {
  const { who } = action;
  switch (action.do) {
    case 'join':
      await world.join(who);
      return;
    case 'cut-bus':
      world.cloud.cutBus();
      return;
    case 'restore-bus':
      world.cloud.restoreBus();
      return;
    case 'send':
      send(action, who, world);
      return;
    default:
      actAs(world.client(who), action, world);
  }
}

type OwnDeed = Exclude<Deed, { readonly do: 'join' | 'send' | 'cut-bus' | 'restore-bus' }>;

function actAs(client: SimClient, deed: OwnDeed, world: World): void {
  const { room, host } = client;
  switch (deed.do) {
    case 'leave':
      room.leave();
      return;
    case 'crash':
      client.crash();
      return;
    case 'vanish':
      client.vanish();
      return;
    case 'rebind':
      host.rebind(deed.ip);
      return;
    case 'restart-ice':
      room.breakLink();
      return;
    case 'network':
      // Earlier clients of that identity are in the same place.
      for (const each of world.cloud.clients) {
        if (each.identity === client.identity) each.host.change(accessOf(deed.network));
      }
      return;
    case 'publish':
      room.publish(deed.track, deed.publishing);
      return;
    case 'unpublish':
      room.unpublish(deed.track);
      return;
    case 'mute':
    case 'unmute':
      room.setMuted(deed.track, deed.do === 'mute');
      return;
    case 'subscribe':
    case 'unsubscribe':
      room.subscribe(tracksOf(deed.of, world), deed.do === 'subscribe');
      return;
    case 'disable':
    case 'enable':
      room.setDisabled(tracksOf(deed.of, world), deed.do === 'disable');
      return;
  }
}

const tracksOf = (identity: string, world: World): string[] =>
  world
    .client(identity)
    .report()
    .sent.flatMap(({ track }) => track ?? []);

/** A message says who sent it and which of theirs it is; the rest is filling. */
const HEADER_BYTES = 4;

function send({ how, count, bytes, everyMs, to }: Deed & { do: 'send' }, who: string, world: World): void {
  const { clock } = world.cloud.time;
  const first = world.sent.filter(({ from }) => from === who).length;
  for (let i = 0; i < count; i++) {
    clock.setTimer(i * everyMs * 1000, () => {
      const sender = world.client(who);
      const payload = new Uint8Array(Math.max(HEADER_BYTES, bytes));
      new DataView(payload.buffer).setUint32(0, first + i);
      const meant = world.present.filter(
        (other) =>
          other.identity !== who && other.roomName === sender.roomName && (to?.includes(other.identity) ?? true),
      );
      world.sent.push({ from: who, number: first + i, how, bytes: payload.length, to: meant });
      sender.room.sendData(payload, how, to ?? []);
    });
  }
}

export const numberIn = (payload: Uint8Array): number =>
  new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0);
