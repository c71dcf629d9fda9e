import * as z from 'zod';
import { duration, FilePath, Id, SecretReference, urlOrSecret } from '#model/settings.ts';

export const RedisOptions = z.strictObject({
  url: urlOrSecret('redis:', 'rediss:')
    .prefault('redis://127.0.0.1:6379')
    .describe('redis:// or rediss:// (TLS) without a password, or a secret reference to the whole URL.'),
  username: z.string().min(1).max(255).exactOptional().describe('Redis ACL user.'),
  password: SecretReference.exactOptional().describe('Password of Redis, as a secret reference.'),
  ca: FilePath.exactOptional().describe('PEM file of the CA that signed the certificate of a rediss:// server.'),
  prefix: Id.prefault('attestry').describe('First part of every key; one Redis can hold several installations.'),
  commandTimeout: duration('50ms', '30s')
    .prefault('500ms')
    .describe('How long intake waits for Redis before it answers 503.'),
});
export type RedisOptions = z.output<typeof RedisOptions>;
