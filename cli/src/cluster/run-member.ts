import { redactedConfig } from '@sluice/runtime';
import { SluiceConfig } from '../configuration/schema.ts';
import type { Output } from '../output.ts';
import { brokenOf, closeInTime } from '../up/ending.ts';
import { Readiness, withHealth } from '../up/health.ts';
import { startMetricsServer } from '../up/metrics-server.ts';
import { signalled } from '../up/signals.ts';
import { makeWorld } from '../up/world.ts';
import { type MemberFlags, type MemberKind, memberConfiguration } from './flags.ts';
import { startMember } from './members.ts';

/** Runs one process of a cluster until it is told to end. */
export async function runMember(kind: MemberKind, flags: MemberFlags, output: Output): Promise<void> {
  const config = memberConfiguration(kind, flags, process.env);
  const world = makeWorld(config);
  world.logger.info('configuration', { configuration: redactedConfig(SluiceConfig, config) });
  const ending = signalled();
  const broken = brokenOf(world.logger);
  const connection = world.connect(kind);
  const closing = [(): Promise<void> => connection.bus.close()];
  try {
    const readiness = new Readiness(() => connection.problem());
    const member = startMember[kind]({ config, world, connection, pages: withHealth(readiness, undefined) });
    closing.unshift(() => member.close());
    const numbers = startMetricsServer(config.metrics, world, { readiness, node: () => member.node() });
    closing.unshift(() => numbers.close());
    const facts = await Promise.race([Promise.all([member.ready, numbers.ready]), ending, broken]);
    if (facts === undefined) return;
    readiness.started();
    output.say(`Sluice ${kind} is up. ${facts[0]} Health and metrics: ${metricsUrl(config)}. Ctrl-C ends it.`);
    await Promise.race([ending, broken]);
    readiness.ending();
    await member.drain();
  } finally {
    await closeInTime(world, async () => {
      for (const close of closing) await close();
    });
  }
}

const metricsUrl = ({ metrics }: SluiceConfig): string => `http://${metrics.address}:${metrics.port}/metrics`;
