import type { CommandIo } from '#cli/command.ts';
import { AppError } from '#model/errors.ts';

/**
 * Reads a text file that a flag names. `env:NAME` reads a variable, for keys that should not be on disk.
 * @throws AppError `config-invalid` naming the flag when it cannot be read.
 */
export async function readText(io: Pick<CommandIo, 'readFile' | 'env'>, flag: string, path: string): Promise<string> {
  if (path.startsWith('env:')) {
    const value = io.env[path.slice(4)];
    if (value !== undefined) return value;
    const name = path.slice(4);
    const mend = `set ${name}, or name a readable file with ${flag}`;
    throw new AppError('config-invalid', `the variable ${name} is not set`, { field: flag, mend });
  }
  const file = path.startsWith('file:') ? path.slice(5) : path;
  try {
    return (await io.readFile(file)).toString('utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new AppError('config-invalid', `${file}: ${why}`, {
      field: flag,
      mend: `name a readable file with ${flag}`,
      cause: error,
    });
  }
}
