import * as z from 'zod';
import { duration, FilePath, Id, SecretReference, urlOrSecret, wholeNumber } from '#model/settings.ts';

export const RedisOptions = z.strictObject({
  url: urlOrSecret('redis:', 'rediss:')
    .prefault('redis://127.0.0.1:6379')
    .describe('redis:// or rediss:// (TLS) without a password, or a secret reference to the whole URL.'),
  username: z.string().min(1).max(255).exactOptional().describe('Redis ACL user.'),
  password: SecretReference.exactOptional().describe('Password of Redis, as a secret reference.'),
  tls: z
    .strictObject({
      ca: FilePath.exactOptional().describe('PEM file of the CA that signed the certificate of the server.'),
      certificate: FilePath.exactOptional().describe('PEM file of a client certificate.'),
      key: SecretReference.exactOptional().describe('Private key of the client certificate, as a secret reference.'),
      serverName: z.string().min(1).max(255).exactOptional().describe('Name that the certificate of the server bears.'),
    })
    .exactOptional()
    .describe('For rediss:// with a private CA or client certificates.'),
  durability: z
    .strictObject({
      replicas: wholeNumber(0, 16)
        .default(0)
        .describe('Replicas that must have a push before it is answered as accepted (WAIT).'),
      fsync: z
        .boolean()
        .default(false)
        .describe('It must be on disk too, here and at those replicas (WAITAOF: Redis 7.2 or Valkey).'),
      timeout: duration('50ms', '10s').prefault('1s').describe('Waited so long; then the sender is to send it again.'),
    })
    .exactOptional()
    .describe('What must have happened to a push before it is accepted; absent: Redis has it.'),
  prefix: Id.prefault('attestry').describe('First part of every key; one Redis can hold several installations.'),
});
export type RedisOptions = z.output<typeof RedisOptions>;
