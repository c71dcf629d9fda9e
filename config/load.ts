import { checkConfig } from '#config/check.ts';
import type { ConfigPlaces, OutsideScope } from '#config/outside.ts';
import { ConfigError } from '#config/problem.ts';
import type { Config } from '#config/schema.ts';

/**
 * The configuration in a file: defaults filled in, paths absolute, frozen. `scope` says whose files and secrets must
 * be there.
 * @throws ConfigError listing every problem with its place and mend.
 */
export async function loadConfig(path: string, places: ConfigPlaces, scope: OutsideScope = 'all'): Promise<Config> {
  const { config, problems } = await checkConfig(path, places, scope);
  if (!config) throw new ConfigError(path, problems);
  return deepFreeze(config);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
