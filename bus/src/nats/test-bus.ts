import { type Logger, silentLogger, systemClock, systemRandom } from '@sluice/runtime';
import type { BusDocument } from '../bus.ts';
import { NatsConfig } from './config.ts';
import { NatsBus } from './nats-bus.ts';

/** A connection in real time, for tests with real servers. */
export class TestBus extends NatsBus implements AsyncDisposable {
  static to(
    servers: string | readonly string[],
    settings: Partial<NatsConfig> = {},
    logger: Logger = silentLogger,
  ): TestBus {
    const config = NatsConfig.parse({ servers: [servers].flat(), ...settings });
    return new TestBus({ clock: systemClock, random: systemRandom, config, name: 'test', logger });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export const document = (over: Partial<BusDocument> = {}): BusDocument => ({
  kind: 'thing',
  scope: 'room',
  key: 'a',
  writer: 'WR_1',
  epoch: 1,
  generation: 1,
  body: {},
  ...over,
});
