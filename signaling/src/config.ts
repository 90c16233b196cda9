import { SiteName } from '@sluice/contracts';
import { z } from 'zod';

/** Configuration of a signaling server. `sluice config` shows the effective one. */
export const SignalingConfig = z.strictObject({
  site: SiteName.default('local' as SiteName).describe('The site whose media nodes serve the clients that come here.'),
  listen: z
    .strictObject({
      address: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('IP address of HTTP and WebSocket; 0.0.0.0 or :: for all.'),
      port: z.int().min(0).max(65_535).default(7880).describe('TCP port of HTTP and WebSocket; 0: any free one.'),
    })
    .prefault({})
    .describe('Where clients connect.'),
  apiKeys: z
    .record(z.string().min(1).max(256), z.string().min(1).max(1024))
    .default({})
    .meta({ description: 'API keys and their secrets; tokens are signed with one of them.', secret: true }),
  limits: z
    .strictObject({
      sessions: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(10_000)
        .describe('Clients of this process; more are refused with 503. Each costs about 100 KiB.'),
      tracksPerParticipant: z.int().min(1).max(256).default(64).describe('Tracks that one participant may publish.'),
      sectionsPerConnection: z
        .int()
        .min(8)
        .max(4096)
        .default(1024)
        .describe('Media sections of one peer connection, hence tracks that one client receives. SDP grows with it.'),
      wishesPerParticipant: z
        .int()
        .min(16)
        .max(100_000)
        .default(4096)
        .describe('Tracks that one client may name in its subscriptions and settings.'),
      messagesPerSecond: z
        .int()
        .min(10)
        .max(10_000)
        .default(100)
        .describe('Messages that a client may send in the long run; more are refused with a reason.'),
      messageBurst: z.int().min(50).max(100_000).default(1000).describe('Messages that a client may send at once.'),
      metadataBytes: z
        .int()
        .min(0)
        .max(512 * 1024)
        .default(512 * 1024)
        .describe("A participant's metadata."),
      attributesBytes: z
        .int()
        .min(0)
        .max(512 * 1024)
        .default(64 * 1024)
        .describe("All keys and values of a participant's attributes together."),
      queuedBytesPerClient: z
        .int()
        .min(64 * 1024)
        .max(256 * 1024 * 1024)
        .default(4 * 1024 * 1024)
        .describe('What may wait for a slow client before its connection is closed.'),
    })
    .prefault({})
    .describe('Bounds that keep one client from harming the others.'),
  times: z
    .strictObject({
      joinS: z
        .int()
        .min(1)
        .max(60)
        .default(5)
        .describe('How long a join waits for its room; then 503. SDKs wait 5 to 15 s.'),
      setupS: z
        .int()
        .min(5)
        .max(600)
        .default(60)
        .describe('How long media may take to come up before the participant is out.'),
      awayS: z
        .int()
        .min(1)
        .max(3600)
        .default(120)
        .describe('How long a participant whose media is up may be without its WebSocket.'),
      transportLostS: z
        .int()
        .min(0)
        .max(600)
        .default(5)
        .describe('How long a participant stays after its media has failed; it may come back by itself.'),
    })
    .prefault({})
    .describe('How long things may take.'),
});
export type SignalingConfig = z.infer<typeof SignalingConfig>;
