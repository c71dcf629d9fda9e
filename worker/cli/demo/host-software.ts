import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TarItem } from '#cli/demo/tar-writer.ts';
import { AppError } from '#model/errors.ts';

export interface HostFile {
  /** Relative to the root of the machine or application. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The dpkg database of a machine: which packages it has, and which files are theirs. */
export interface DpkgDatabase {
  /** Paragraphs of `status`. */
  readonly packages: readonly { readonly name: string; readonly architecture: string; readonly paragraph: string }[];
  readonly lists: readonly HostFile[];
  readonly osRelease: readonly HostFile[];
}

/**
 * Reads the package database below `root`.
 * @throws AppError `config-invalid` when the machine is no Debian.
 */
export async function readDpkgDatabase(root: string): Promise<DpkgDatabase> {
  const status = await readOptional(root, 'var/lib/dpkg/status');
  if (!status) {
    throw new AppError('config-invalid', 'this machine has no dpkg database to build the demonstration image from', {
      mend: 'run the demonstration on Debian or Ubuntu, or attest an image of your own',
    });
  }
  const info = 'var/lib/dpkg/info';
  const names = (await readdir(path.join(root, info))).filter((name) => name.endsWith('.list')).sort();
  return {
    packages: paragraphs(Buffer.from(status.bytes).toString('utf8')),
    lists: await readAll(
      root,
      names.map((name) => `${info}/${name}`),
    ),
    osRelease: await readAll(root, ['etc/os-release', 'usr/lib/os-release']),
  };
}

/** The part of the database that holds on any architecture. */
export function architectureIndependent({ packages, lists, osRelease }: DpkgDatabase): DpkgDatabase {
  const kept = packages.filter(({ architecture }) => architecture === 'all');
  const names = new Set(kept.map(({ name }) => `var/lib/dpkg/info/${name}.list`));
  return { packages: kept, lists: lists.filter((file) => names.has(file.path)), osRelease };
}

/** The database as a layer holds it. */
export function dpkgItems({ packages, lists, osRelease }: DpkgDatabase): TarItem[] {
  const status = packages.map(({ paragraph }) => `${paragraph}\n\n`).join('');
  return tarItems([...osRelease, { path: 'var/lib/dpkg/status', bytes: new TextEncoder().encode(status) }, ...lists]);
}

/** Bytes of program text that the demonstration image carries beside the manifests of all packages. */
const CODE_BYTES = 8 * 1024 * 1024;
const MANIFEST_BYTES = 1024 * 1024;

/**
 * A Node application with its node_modules: every package.json, and JavaScript up to a bound, in order of their paths.
 * @throws AppError `config-invalid` when the folder holds none.
 */
export async function readNodeApplication(folder: string): Promise<readonly HostFile[]> {
  const names = ['package.json', ...(await listFiles(folder, 'node_modules'))];
  const manifests = await readAll(
    folder,
    names.filter((name) => path.basename(name) === 'package.json'),
  );
  const files = manifests.filter(({ bytes }) => bytes.length <= MANIFEST_BYTES);
  if (files[0]?.path !== 'package.json') {
    throw new AppError('config-invalid', `${folder} holds no package.json`, { mend: 'name a Node application' });
  }
  let left = CODE_BYTES;
  for (const name of names.filter((each) => /\.[cm]?js$/.test(each))) {
    if (left <= 0) break;
    const file = await readOptional(folder, name);
    if (!file || file.bytes.length > left) continue;
    left -= file.bytes.length;
    files.push(file);
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function tarItems(files: readonly HostFile[]): TarItem[] {
  return files.map((file) => ({ kind: 'file', ...file }));
}

/** All files below a folder in order of their paths; links are not followed. */
async function listFiles(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = `${folder}/${entry.name}`;
    if (entry.isFile()) found.push(name);
    else if (entry.isDirectory()) for (const below of await listFiles(root, name)) found.push(below);
  }
  return found;
}

async function readAll(root: string, names: readonly string[]): Promise<HostFile[]> {
  const files: HostFile[] = [];
  for (const name of names) {
    const file = await readOptional(root, name);
    if (file) files.push(file);
  }
  return files;
}

async function readOptional(root: string, name: string): Promise<HostFile | undefined> {
  try {
    return { path: name, bytes: await readFile(path.join(root, name)) };
  } catch {
    return undefined;
  }
}

function paragraphs(status: string): DpkgDatabase['packages'] {
  return status.split(/\n\n+/).flatMap((paragraph) => {
    const name = /^Package: (\S+)$/m.exec(paragraph)?.[1];
    const architecture = /^Architecture: (\S+)$/m.exec(paragraph)?.[1];
    return name && architecture ? [{ name, architecture, paragraph: paragraph.trim() }] : [];
  });
}
