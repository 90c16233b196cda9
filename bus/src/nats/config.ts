import { z } from 'zod';

/** `nats://host`, `tls://host:4222`. Credentials have keys of their own: an address may be shown. */
const Server = z
  .string()
  .regex(/^(nats|tls):\/\/[^\s/@?#]+\/?$/, { error: 'must look like nats://host:4222 or tls://host:4222' })
  .max(512);

/** How a process reaches NATS. */
export const NatsConfig = z.strictObject({
  servers: z
    .array(Server)
    .max(64)
    .default([])
    .describe(
      'NATS servers, any of one cluster; the others are found by themselves. tls:// insists on TLS and needs a name, not an IP address.',
    ),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, _ or -' })
    .default('sluice')
    .describe('First word of every subject and name of the bucket of leases: tells clouds apart that share a NATS.'),
  user: z.string().min(1).max(256).optional().describe('User name at NATS, with bus.password.'),
  password: z.string().min(1).max(1024).optional().meta({ description: 'Password at NATS.', secret: true }),
  token: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .meta({ description: 'Token at NATS, instead of a user.', secret: true }),
  credentialsFile: z.string().min(1).optional().describe('File with NATS credentials (.creds: a JWT and its seed).'),
  nkeyFile: z.string().min(1).optional().describe('File with an nkey seed (SU…).'),
  tls: z
    .strictObject({
      ca: z
        .string()
        .min(1)
        .optional()
        .describe("File with the certificates to trust, PEM; the system's when left out."),
      certificate: z
        .string()
        .min(1)
        .optional()
        .describe("File with this process's certificate, PEM, if NATS wants one."),
      key: z.string().min(1).optional().describe('File with its private key, PEM.'),
      handshakeFirst: z
        .boolean()
        .default(false)
        .describe("TLS from the first byte, as NATS' own handshake_first; false: after NATS' greeting."),
    })
    .optional()
    .describe('TLS to NATS.'),
  leaseReplicas: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe('NATS servers that keep the leases; 3 in a cluster of three. Used when the bucket is first made.'),
});
export type NatsConfig = z.infer<typeof NatsConfig>;
