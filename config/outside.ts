import type { OutsideName } from '#config/anchor-paths.ts';
import type { Finding } from '#config/problem.ts';
import { reasonOf } from '#config/secrets.ts';

export interface ConfigPlaces {
  readFile(path: string): Promise<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Whose files and variables must be there: each process has only those that it uses, and a producer that could read
 * the signing key would be a producer too mighty.
 */
export type OutsideScope = 'all' | 'producer' | 'worker' | 'none';

const PRODUCER_SECTIONS: readonly unknown[] = ['redis', 'sources', 'producer'];
const PRODUCER_ONLY: readonly unknown[] = ['sources', 'producer'];

/** Files and variables that are named and not there. */
export async function findMissing(
  names: readonly OutsideName[],
  scope: OutsideScope,
  places: ConfigPlaces,
): Promise<Finding[]> {
  const wanted = names.filter(({ path: [section] }) => isInScope(section, scope));
  const found = await Promise.all(wanted.map((name) => missing(name, places)));
  return found.flat();
}

function isInScope(section: unknown, scope: OutsideScope): boolean {
  switch (scope) {
    case 'all':
      return true;
    case 'none':
      return false;
    case 'producer':
      return PRODUCER_SECTIONS.includes(section);
    case 'worker':
      return !PRODUCER_ONLY.includes(section);
  }
}

async function missing({ path, kind, name }: OutsideName, { readFile, env }: ConfigPlaces): Promise<Finding[]> {
  if (kind === 'variable') {
    if (env[name] !== undefined && env[name] !== '') return [];
    const state = env[name] === undefined ? 'is not set' : 'is empty';
    const mend = `set ${name}, or name the secret by file:/path`;
    return [{ severity: 'error', path, message: `the environment variable ${name} ${state}`, mend }];
  }
  try {
    const content = await readFile(name);
    if (content.length > 0) return [];
    return [{ severity: 'error', path, message: `the file ${name} is empty`, mend: 'check the path' }];
  } catch (error) {
    const message = `the file ${name} cannot be read (${reasonOf(error)})`;
    const mend = 'check the path (relative ones start at the configuration file) and its permissions';
    return [{ severity: 'error', path, message, mend }];
  }
}
