import { AppError } from '@sluice/runtime';

/** Every error of the command line. */

export const unreadableConfiguration = (file: string, cause: unknown): AppError =>
  new AppError('CLI_CONFIGURATION_UNREADABLE', `The configuration ${file} cannot be read: ${reasonOf(cause)}.`, {
    advice: 'Name a file that exists and that you may read.',
    cause,
  });

export const badConfiguration = (lines: readonly string[]): AppError =>
  new AppError('CLI_CONFIGURATION_INVALID', lines.join('\n'), { advice: 'sluice config lists every key.' });

export const developmentKeyInPublic = (address: string, sample: string): AppError =>
  new AppError(
    'CLI_DEVELOPMENT_KEY_IN_PUBLIC',
    `The development key works only on loopback, and HTTP would listen on ${address}.`,
    { advice: `Put a key and a secret of your own into the configuration, for example these new ones:\n\n${sample}` },
  );

export const badCertificate = (file: string, wrong: string, cause?: unknown): AppError =>
  new AppError(
    'CLI_BAD_CERTIFICATE',
    `The file ${file} ${wrong}${cause === undefined ? '' : ` (${reasonOf(cause)})`}.`,
    {
      advice: 'Set tls.certificate to the certificate chain and tls.key to its key, both PEM.',
      cause,
    },
  );

export const metricsCannotListen = (address: string, port: number, cause: unknown): AppError =>
  new AppError('CLI_METRICS_CANNOT_LISTEN', `Metrics cannot listen on ${address}:${port} (TCP): ${reasonOf(cause)}.`, {
    advice: 'Set another metrics.port, or leave it out.',
    cause,
  });

export const noBus = (command: string): AppError =>
  new AppError('CLI_NO_BUS', `sluice ${command} meets the other processes over NATS, and no server is named.`, {
    advice: `Say where NATS is: sluice ${command} --bus nats://127.0.0.1:4222, or bus.servers in the configuration.`,
  });

export const noBusInTime = (servers: readonly string[], problem: string | undefined): AppError =>
  new AppError('CLI_NO_BUS_IN_TIME', `The bus at ${servers.join(', ')} cannot be reached: ${problem ?? 'no answer'}.`, {
    advice: 'See whether NATS runs there, and whether this machine reaches it.',
  });

export const noClusterSecret = (sample: string): AppError =>
  new AppError('CLI_NO_CLUSTER_SECRET', 'The processes of a cloud need a secret in common, and none is set.', {
    advice: `Set clusterSecret, or SLUICE_CLUSTER_SECRET in the environment, to the same text everywhere, for example this new one: ${sample}`,
  });

export const badArgument = (message: string): AppError => new AppError('CLI_BAD_ARGUMENT', message);

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'you may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EADDRINUSE') return 'another program listens there already';
  return cause instanceof Error ? cause.message : String(cause);
}
