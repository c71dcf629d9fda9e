import { dockerConfigPath, readEnvironmentProxy } from '#compose/environment.ts';
import { createKeySettings } from '#compose/key-settings.ts';
import type { Config } from '#config/schema.ts';
import { createSecretResolver, settingValue } from '#config/secrets.ts';
import type { SecretResolver } from '#model/secret.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { type CataloguedRegistries, createRegistries, type RegistriesDependencies } from '#oci/registries.ts';
import { checkDurability } from '#redis/check-durability.ts';
import { checkServer } from '#redis/check-server.ts';
import { connectRedis, type RedisConnection, type RedisRole, type RedisTls } from '#redis/connection.ts';
import { createLogger, type Logger } from '#telemetry/log.ts';
import { continueTrace } from '#telemetry/trace-context.ts';

/** What a process is given by its entry point. */
export interface ProcessSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): Promise<Buffer>;
  readFileSync(path: string): Buffer;
  now(): Date;
  randomBytes(count: number): Uint8Array;
}

/** What both processes are built on. */
export interface ProcessParts extends ProcessSurroundings {
  readonly config: Config;
  readonly secrets: SecretResolver;
  readonly log: Logger;
  /** Carries on a W3C `traceparent`, else starts a new one. */
  traceparent(incoming?: string): string;
  connect(role: RedisRole): Promise<RedisConnection>;
}

export function createProcessParts(config: Config, name: string, surroundings: ProcessSurroundings): ProcessParts {
  const secrets = createSecretResolver({ env: surroundings.env, readFileSync: surroundings.readFileSync });
  const log = createLogger({ ...config.log, name, color: false });
  return {
    ...surroundings,
    config,
    secrets,
    log,
    traceparent: (incoming) => continueTrace(incoming, surroundings.randomBytes),
    connect: (role) => connect(role, config, secrets, surroundings, log),
  };
}

async function connect(
  role: RedisRole,
  { redis }: Config,
  secrets: SecretResolver,
  surroundings: ProcessSurroundings,
  log: Logger,
): Promise<RedisConnection> {
  return connectRedis({
    url: settingValue(redis.url, secrets),
    role,
    name: `${TOOL_NAME}-${role}`,
    ...(redis.username === undefined ? {} : { username: redis.username }),
    ...(redis.password === undefined ? {} : { password: secrets(redis.password) }),
    ...(redis.tls === undefined ? {} : { tls: await readTls(redis.tls, secrets, surroundings) }),
    onError: (error) => log.warn({ err: error, role }, 'Redis connection failed; it is made again'),
  });
}

async function readTls(
  tls: NonNullable<Config['redis']['tls']>,
  secrets: SecretResolver,
  { readFile }: ProcessSurroundings,
): Promise<RedisTls> {
  const text = async (path: string) => (await readFile(path)).toString('utf8');
  return {
    ...(tls.ca === undefined ? {} : { ca: await text(tls.ca) }),
    ...(tls.certificate === undefined ? {} : { certificate: await text(tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: secrets(tls.key) }),
    ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
  };
}

/**
 * Refuses a Redis that could lose jobs, and tells what an operator should know of it.
 * @throws AppError `redis-unsuitable`, `redis-unavailable`.
 */
export async function checkRedis(
  connection: RedisConnection,
  { config, log }: Pick<ProcessParts, 'config' | 'log'>,
): Promise<void> {
  const report = await checkServer(connection);
  const { durability } = config.redis;
  if (durability) checkDurability(durability, report, connection.address);
  for (const { code, message, mend } of report.warnings) log.warn({ code, mend }, message);
}

/** The configured registries and no others. */
export function configuredRegistries(
  parts: ProcessParts,
  more: Pick<RegistriesDependencies, 'turn' | 'told' | 'memo'> = {},
): CataloguedRegistries {
  return createRegistries(parts.config.registries, {
    userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
    now: parts.now,
    secrets: parts.secrets,
    dockerConfigPath: dockerConfigPath(parts.env),
    cloudSettings: (access) => createKeySettings(access, parts.env, parts.secrets),
    random: () => (parts.randomBytes(1)[0] ?? 0) / 256,
    unlisted: 'refuse',
    ...readEnvironmentProxy(parts.env),
    ...more,
  });
}
