import { readFileSync } from 'node:fs';
import { AppError, errorMessage } from '@sluice/runtime';
import { Command, CommanderError, Option } from 'commander';
import type { MemberFlags, MemberKind } from './cluster/flags.ts';
import type { PsFlags } from './cluster/ps.ts';
import { badArgument } from './errors.ts';
import { addLoadOptions, type LoadFlags } from './load/options.ts';
import type { Output } from './output.ts';
import type { TokenFlags } from './token/token.ts';
import type { UpFlags } from './up/up.ts';

/** Runs a command line; resolves to the exit code. */
export async function run(args: readonly string[], output: Output): Promise<number> {
  let exitCode = 0;
  const program = commandLine(output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said what it had to say: help, a version, a wrong flag.
    if (error instanceof CommanderError) return error.exitCode;
    output.warn(failureText(error));
    return 1;
  }
}

/** What is wrong and what to do about it; a defect of ours shows where it happened. */
export function failureText(error: unknown): string {
  if (!(error instanceof AppError)) {
    return error instanceof Error && error.stack !== undefined ? error.stack : errorMessage(error);
  }
  return `sluice: ${error.message}${error.advice === undefined ? '' : `${error.message.endsWith('.') ? ' ' : '. '}${error.advice}`}`;
}

export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

// Each command loads what it needs when it runs: `sluice token` need not wait for a media node's code.
function commandLine(output: Output, exitWith: (code: number) => void): Command {
  const program = new Command('sluice')
    .description('An RTC cloud that you run yourself.')
    .version(version(), '--version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.say(text.trimEnd()),
      writeErr: (text) => output.warn(text.trimEnd()),
    })
    .showHelpAfterError('(sluice --help lists what there is)');

  program
    .command('up')
    .description('Run everything on this machine: signaling, controller and media node in one process.')
    .option('--config <file>', 'configuration file (YAML); sluice config lists its keys')
    .option('--address <ip>', 'address of HTTP and WebSocket (signaling.listen.address)')
    .addOption(
      new Option('--port <port>', 'TCP port of HTTP and WebSocket (signaling.listen.port)').argParser(toNumber),
    )
    .addOption(new Option('--udp-port <port>', 'UDP port of all media (media.udpPort)').argParser(toNumber))
    .action(async (flags: UpFlags) => {
      const { up } = await import('./up/up.ts');
      await up(flags, output);
    });

  for (const member of members) addMember(program, member, output);

  program
    .command('ps')
    .description('List the media nodes of a cloud, and its rooms if asked to.')
    .option('--config <file>', 'configuration file (YAML)')
    .option('--bus <servers>', 'NATS servers, separated by commas (bus.servers)')
    .option('--rooms', 'the rooms too: every controller says them all once')
    .option('--json', 'as JSON')
    .action(async (flags: PsFlags) => {
      const { ps } = await import('./cluster/ps.ts');
      await ps(flags, output);
    });

  program
    .command('token')
    .description('Print a token with which any LiveKit SDK joins a room.')
    .requiredOption('--room <name>', 'room to join')
    .requiredOption('--identity <identity>', 'who joins; one at a time per room')
    .option('--name <name>', 'name to show')
    .option('--metadata <text>', 'metadata of the participant')
    .option('--ttl <time>', 'how long it is good: 90s, 30m, 6h, 2d', '6h')
    .option('--can-publish <boolean>', 'may publish tracks', 'true')
    .option('--can-subscribe <boolean>', 'may receive tracks', 'true')
    .option('--can-publish-data <boolean>', 'may send data; by default who may publish may')
    .option('--can-update-own-metadata <boolean>', 'may change its own name, metadata and attributes', 'false')
    .option('--hidden <boolean>', 'is not shown to others', 'false')
    .option('--config <file>', 'take the key and secret from this configuration')
    .option('--api-key <key>', 'which key, when the configuration has several')
    .action(async (flags: TokenFlags) => {
      const { token } = await import('./token/token.ts');
      output.say(await token(flags));
    });

  program
    .command('config')
    .description('Print every key of the configuration with its unit, default, range and a sentence.')
    .option('--markdown', 'as the page docs/configuration.md')
    .action(async ({ markdown }: { markdown?: true }) => {
      const { reference, referencePage } = await import('./configuration/reference.ts');
      output.say(markdown ? referencePage().trimEnd() : reference());
    });

  const load = program
    .command('load')
    .description('Call a server with simulated clients that send and receive real media, and measure what they get.');
  addLoadOptions(load).action(async (flags: LoadFlags) => {
    const { load } = await import('./load/load.ts');
    if (!(await load(flags, output))) exitWith(1);
  });
  return program;
}

/** The processes of a cluster, each a command of its own. */
const members: readonly { kind: MemberKind; does: string; site?: true }[] = [
  { kind: 'controller', does: 'Run a controller of a cloud: who is in which room.' },
  { kind: 'signaling', does: 'Run a signaling server of a cloud: WebSocket with clients.', site: true },
  { kind: 'media', does: "Run a media node of a cloud: one UDP port for a site's media.", site: true },
];

function addMember(program: Command, { kind, does, site }: (typeof members)[number], output: Output): void {
  const command = program
    .command(kind)
    .description(does)
    .option('--config <file>', 'configuration file (YAML); the same one for all processes if you like')
    .option('--bus <servers>', 'NATS servers, separated by commas (bus.servers)')
    .addOption(new Option('--metrics-port <port>', 'TCP port of health and metrics').argParser(toNumber));
  if (site) command.option('--site <name>', 'the site it belongs to (site)');
  if (kind === 'signaling') command.option('--listen <address:port>', 'where clients connect (signaling.listen)');
  if (kind === 'media') {
    command.option('--public <address:port>', 'where clients reach the site (media.publicAddresses)');
    command.addOption(new Option('--udp-port <port>', 'UDP port of all media (media.udpPort)').argParser(toNumber));
  }
  command.action(async (flags: MemberFlags) => {
    const { runMember } = await import('./cluster/run-member.ts');
    await runMember(kind, flags, output);
  });
}

function toNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw badArgument(`"${text}" is not a port.`);
  return Number(text);
}
