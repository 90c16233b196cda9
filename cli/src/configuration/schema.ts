import { SiteName } from '@sluice/contracts';
import { ControllerConfig } from '@sluice/controller';
import { MediaNodeConfig } from '@sluice/media-node';
import { logLevels } from '@sluice/runtime';
import { SignalingConfig } from '@sluice/signaling';
import { z } from 'zod';

const shared = { site: true } as const;

/** Everything `sluice up` can be told: what the processes share, then each process's own. */
export const SluiceConfig = z.strictObject({
  site: SiteName.default('local' as SiteName).describe('The name of the site that this machine is.'),
  apiKeys: SignalingConfig.shape.apiKeys.meta({
    description:
      'API keys and their secrets; tokens are signed with one of them. Without any, the development key devkey with the secret "secret" works, on loopback only.',
    secret: true,
  }),
  clusterSecret: z.string().min(16).max(1024).optional().meta({
    description: 'Hides keys on the bus; the same in every process of a cloud. Without one, each start makes its own.',
    secret: true,
  }),
  tls: z
    .strictObject({
      certificate: z.string().min(1).describe('File with the certificate chain, PEM.'),
      key: z.string().min(1).describe('File with its private key, PEM.'),
    })
    .optional()
    .describe('HTTPS and WSS instead of HTTP and WS.'),
  log: z
    .strictObject({
      level: z.enum(logLevels).default('warn').describe('The least important lines that are written.'),
      format: z.enum(['text', 'json']).default('text').describe('For people, or one JSON object a line.'),
    })
    .prefault({})
    .describe('Log lines, on standard error.'),
  metrics: z
    .strictObject({
      address: z.string().min(1).default('127.0.0.1').describe('IP address of the metrics.'),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .optional()
        .describe(
          'TCP port that answers GET /metrics for Prometheus and, on loopback, GET /debug/sessions; none when left out.',
        ),
    })
    .prefault({})
    .describe('Numbers for operators.'),
  demo: z
    .strictObject({ page: z.boolean().default(true).describe('Show the demo page at /.') })
    .prefault({})
    .describe('The meeting room to try things with.'),
  signaling: SignalingConfig.omit({ ...shared, apiKeys: true })
    .prefault({})
    .describe('WebSocket with clients.'),
  controller: ControllerConfig.prefault({}).describe('Who is in which room.'),
  media: MediaNodeConfig.omit(shared).prefault({}).describe('The packets.'),
});
export type SluiceConfig = z.infer<typeof SluiceConfig>;
