import { dispose, Room, RoomEvent } from '@livekit/rtc-node';
import type { DataMessageView, SendDataOptions } from './page-api.ts';
import { messageBytes, readMessage } from './test-message.ts';

/** A participant through the unmodified Node SDK. */
export class NodeClient implements AsyncDisposable {
  readonly room = new Room();
  readonly #messages: DataMessageView[] = [];
  readonly #events: string[] = [];

  async join(url: string, token: string): Promise<void> {
    this.room
      .on(RoomEvent.DataReceived, (payload, participant, _kind, topic) => {
        this.#messages.push({ from: participant?.identity ?? '', topic: topic ?? '', ...readMessage(payload) });
      })
      .on(RoomEvent.ParticipantConnected, ({ identity }) => this.#events.push(`participant connected: ${identity}`))
      .on(RoomEvent.ParticipantDisconnected, ({ identity }) =>
        this.#events.push(`participant disconnected: ${identity}`),
      )
      .on(RoomEvent.Disconnected, (reason) => this.#events.push(`disconnected: ${reason}`));
    await this.room.connect(url, token, { autoSubscribe: true, dynacast: false });
  }

  async sendData({ bytes, number, reliable, topic, to }: SendDataOptions): Promise<void> {
    const me = this.room.localParticipant;
    if (me === undefined) throw new Error('not joined');
    await me.publishData(messageBytes(number, bytes), {
      reliable,
      ...(topic === undefined ? {} : { topic }),
      ...(to === undefined ? {} : { destination_identities: [...to] }),
    });
  }

  dataReceived(): readonly DataMessageView[] {
    return this.#messages;
  }

  events(): readonly string[] {
    return this.#events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.room.disconnect();
  }
}

/** Ends the SDK's own threads; after it no NodeClient works any more. */
export async function disposeNodeSdk(): Promise<void> {
  await dispose();
}
