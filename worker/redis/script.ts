import type { Redis } from 'ioredis';
import { redisCall } from '#redis/redis-error.ts';

/**
 * A Lua script: several steps that no other client may come between. All its keys carry one hash tag, so that it runs
 * in Redis Cluster too.
 */
export interface RedisScript {
  /** Name of the command that the driver makes of it; unique in the product. */
  readonly name: string;
  readonly keys: number;
  readonly lua: string;
}

type ScriptCommand = (...args: readonly (string | number)[]) => Promise<unknown>;

/** Runs a script by its digest; the driver sends its text only where the server does not know it yet. */
export async function runScript(
  client: Redis,
  script: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  if (!Object.hasOwn(client, script.name)) {
    client.defineCommand(script.name, { numberOfKeys: script.keys, lua: script.lua });
  }
  const command = Reflect.get(client, script.name) as ScriptCommand;
  return redisCall(script.name, command.call(client, ...keys, ...args));
}
