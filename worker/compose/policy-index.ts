import { compilePolicies } from '#policy/load.ts';
import type { PolicyOptions } from '#policy/options.ts';

/** Policy uris by what an operator may call them: the uri itself, or the configured id of a file with one policy. */
export async function policyIndex(
  options: readonly PolicyOptions[],
  readFile: (path: string) => Promise<Buffer>,
): Promise<ReadonlyMap<string, string>> {
  const index = new Map<string, string>();
  for (const { id, file } of options) {
    const uris: string[] = [];
    for (const path of file) {
      const text = (await readFile(path)).toString('utf8');
      uris.push(...compilePolicies(text, { source: path }).map(({ identity }) => identity.uri));
    }
    for (const uri of uris) index.set(uri, uri);
    const [only] = uris;
    if (only !== undefined && uris.length === 1) index.set(id, only);
  }
  return index;
}
