import { AppError } from '#model/errors.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { redisCall } from '#redis/redis-error.ts';

/** What the server says of itself, as far as jobs depend on it. */
export interface ServerReport {
  readonly flavour: 'redis' | 'valkey';
  readonly version: string;
  readonly memory: MemoryUse;
  /** Whether it keeps an append-only file. */
  readonly appendOnly: boolean;
  readonly warnings: readonly ServerWarning[];
}

export interface MemoryUse {
  readonly usedBytes: number;
  /** Absent when no limit is set. */
  readonly maxBytes?: number;
  /** Of the limit, 0 to 1; 0 without a limit. */
  readonly share: number;
}

/** Not a reason to refuse the server, but one to tell the operator. */
export interface ServerWarning {
  readonly code: 'aof-off' | 'aof-failing' | 'no-memory-limit';
  readonly message: string;
  readonly mend: string;
}

const MIN_REDIS: readonly [number, number] = [6, 2];

/**
 * Refuses a server on which jobs could be lost in silence.
 * @throws AppError `redis-unsuitable` naming the setting and its mend, `redis-unavailable`
 */
export async function checkServer(connection: RedisConnection): Promise<ServerReport> {
  const info = parseInfo(await redisCall('INFO', connection.client.info()));
  const valkey = info.get('valkey_version');
  const version = valkey ?? info.get('redis_version') ?? '';
  if (valkey === undefined && !atLeast(version, MIN_REDIS)) {
    throw unsuitable(
      `Redis ${connection.address} is version ${version || 'unknown'}`,
      'run Redis 6.2 or later, or Valkey',
    );
  }
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy !== 'noeviction') {
    throw unsuitable(
      `Redis ${connection.address} has maxmemory-policy ${policy}: it would drop jobs when its memory is full`,
      'set maxmemory-policy noeviction in redis.conf, or CONFIG SET maxmemory-policy noeviction',
    );
  }
  const memory = memoryOf(info);
  return {
    flavour: valkey === undefined ? 'redis' : 'valkey',
    version,
    memory,
    appendOnly: info.get('aof_enabled') === '1',
    warnings: warningsOf(info, memory),
  };
}

/** How full the server is. @throws AppError `redis-unavailable` */
export async function memoryUse(connection: RedisConnection): Promise<MemoryUse> {
  return memoryOf(parseInfo(await redisCall('INFO memory', connection.client.info('memory'))));
}

function memoryOf(info: ReadonlyMap<string, string>): MemoryUse {
  const usedBytes = Number(info.get('used_memory') ?? 0);
  const maxBytes = Number(info.get('maxmemory') ?? 0);
  return maxBytes > 0 ? { usedBytes, maxBytes, share: usedBytes / maxBytes } : { usedBytes, share: 0 };
}

function warningsOf(info: ReadonlyMap<string, string>, memory: MemoryUse): readonly ServerWarning[] {
  const warnings: ServerWarning[] = [];
  if (info.get('aof_enabled') !== '1') {
    warnings.push({
      code: 'aof-off',
      message: 'Redis keeps no append-only file: accepted jobs are lost when it crashes',
      mend: 'set appendonly yes; with appendfsync always they survive a power cut too',
    });
  } else if (info.get('aof_last_write_status') === 'err') {
    warnings.push({
      code: 'aof-failing',
      message: 'Redis cannot write its append-only file',
      mend: 'free space on the disk of Redis',
    });
  }
  if (memory.maxBytes === undefined) {
    warnings.push({
      code: 'no-memory-limit',
      message: 'Redis has no maxmemory: intake cannot stop before the machine is full',
      mend: 'set maxmemory below the memory of the machine',
    });
  }
  return warnings;
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** Whether a version in text is this one or a later one. */
export function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = version.split('.').map(Number);
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}

function unsuitable(message: string, mend: string): AppError {
  return new AppError('redis-unsuitable', message, { field: 'redis', mend });
}
