import { homedir } from 'node:os';
import { join } from 'node:path';
import type { EnvironmentProxy } from '#http/environment-proxy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY as other clients read them, in either case. */
export function readEnvironmentProxy(env: Environment): { readonly environmentProxy?: EnvironmentProxy } {
  const read = (name: string) => env[name] || env[name.toLowerCase()] || undefined;
  const url = (name: string) => {
    const text = read(name);
    return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  };
  const [http, https, noProxy] = [url('HTTP_PROXY'), url('HTTPS_PROXY'), read('NO_PROXY')];
  if (!http && !https) return {};
  const proxy = { ...(http ? { http } : {}), ...(https ? { https } : {}), ...(noProxy ? { noProxy } : {}) };
  return { environmentProxy: proxy };
}

/** Docker's config: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerConfigPath(env: Environment): string {
  const folder = env.DOCKER_CONFIG ?? join(env.HOME || homedir(), '.docker');
  return join(folder, 'config.json');
}
