import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of a test's own, removed at the end. */
export interface Scratch extends AsyncDisposable {
  readonly dir: string;
  at(name: string): string;
  read(name: string): Promise<string>;
  /** Writes a file, and folders above it; answers its path. */
  write(name: string, text: string | Uint8Array, mode?: number): Promise<string>;
}

export async function makeScratch(): Promise<Scratch> {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-scratch-'));
  return {
    dir,
    at: (name) => join(dir, name),
    read: (name) => readFile(join(dir, name), 'utf8'),
    write: async (name, text, mode) => {
      const path = join(dir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      if (mode !== undefined) await chmod(path, mode);
      return path;
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
