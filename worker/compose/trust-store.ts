import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MaterialStore } from '#trust/material.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Keeps fetched material in the user's cache folder, where the next run finds it. A place that cannot be written to is
 * no failure: it is fetched again then.
 */
export function trustStore(name: string, env: Env, unique: () => string): MaterialStore {
  const folder = cacheFolder(env);
  if (folder === undefined) return { read: async () => undefined, write: async () => {} };
  const path = join(folder, 'trust', `${name}.json`);
  return {
    read: () => readFile(path).catch(() => undefined),
    async write(bytes) {
      const draft = `${path}.${unique()}`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(draft, bytes, { mode: 0o600 });
        await rename(draft, path);
      } catch {
        await rm(draft, { force: true }).catch(() => {});
      }
    },
  };
}

function cacheFolder({ XDG_CACHE_HOME, HOME }: Env): string | undefined {
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, 'attestry');
  return HOME ? join(HOME, '.cache', 'attestry') : undefined;
}
