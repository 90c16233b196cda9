import { NatsConfig } from '@sluice/bus';
import { SiteName } from '@sluice/contracts';
import { ControllerConfig } from '@sluice/controller';
import { MediaNodeConfig } from '@sluice/media-node';
import { logLevels } from '@sluice/runtime';
import { SignalingConfig } from '@sluice/signaling';
import { z } from 'zod';

const shared = { site: true } as const;

/** Everything that the processes can be told: what they share, then each one's own. One file does for a whole cloud. */
export const SluiceConfig = z.strictObject({
  site: SiteName.default('local' as SiteName).describe('The name of the site that this machine is.'),
  apiKeys: SignalingConfig.shape.apiKeys.meta({
    description:
      'API keys and their secrets; tokens are signed with one of them. Without any, the development key devkey with the secret "secret" works, on loopback only.',
    secret: true,
  }),
  clusterSecret: z.string().min(16).max(1024).optional().meta({
    description:
      'Hides keys on the bus; the same in every process of a cloud. Without one, each sluice up makes its own. SLUICE_CLUSTER_SECRET in the environment wins.',
    secret: true,
  }),
  bus: NatsConfig.prefault({}).describe('How processes meet. Without servers, sluice up needs none.'),
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
          'TCP port that answers GET /metrics for Prometheus, /healthz and /readyz and, on loopback, /debug/sessions. When left out: none for sluice up, 7890 for sluice signaling, 7891 for sluice controller, 7892 for sluice media.',
        ),
    })
    .prefault({})
    .describe('Numbers for operators.'),
  shutdown: z
    .strictObject({
      drainS: z
        .int()
        .min(0)
        .max(86_400)
        .default(10)
        .describe('How long a media node that is told to end waits for its sessions to end first.'),
    })
    .prefault({})
    .describe('How processes end.'),
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
