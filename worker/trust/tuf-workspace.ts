import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/** Roles whose metadata is kept; a repository of trusted roots has four. */
const MAX_ROLES = 64;
const ROLE = /^[A-Za-z0-9._%-]{1,128}\.json$/;

const Kept = z.strictObject({
  version: z.literal(1),
  fetchedAt: z.iso.datetime(),
  metadata: z.record(z.string().regex(ROLE), z.base64()),
  target: z.base64().optional(),
});

/** Folders of one run of TUF's client, which works on files. */
export interface TufWorkspace extends AsyncDisposable {
  readonly metadata: string;
  readonly targets: string;
  readonly target: string;
}

/** What a run leaves behind, in one piece: several processes may share the place where it is kept. */
export interface KeptRepository {
  readonly fetchedAt: Date;
  readonly metadata: ReadonlyMap<string, Buffer>;
  readonly target?: Buffer;
}

/** A new workspace with what is kept in it, and the root from which everything is verified. */
export async function openWorkspace(root: Uint8Array, kept: KeptRepository | undefined): Promise<TufWorkspace> {
  const folder = await mkdtemp(join(tmpdir(), 'attestry-tuf-'));
  const [metadata, targets] = [join(folder, 'metadata'), join(folder, 'targets')];
  await mkdir(metadata);
  await mkdir(targets);
  for (const [name, bytes] of kept?.metadata ?? []) await writeFile(join(metadata, name), bytes);
  // A kept root was reached from this one; a damaged one is worth a new start.
  if (!kept?.metadata.has('root.json')) await writeFile(join(metadata, 'root.json'), root);
  const target = join(targets, 'target');
  if (kept?.target) await writeFile(target, kept.target);
  return {
    metadata,
    targets,
    target,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function readWorkspace(workspace: TufWorkspace, fetchedAt: Date): Promise<KeptRepository> {
  const names = (await readdir(workspace.metadata)).filter((name) => ROLE.test(name)).slice(0, MAX_ROLES);
  const metadata = await Promise.all(
    names.map(async (name) => [name, await readFile(join(workspace.metadata, name))] as const),
  );
  return { fetchedAt, metadata: new Map(metadata), target: await readFile(workspace.target) };
}

export function encodeKept({ fetchedAt, metadata, target }: KeptRepository): Buffer {
  const kept: z.input<typeof Kept> = {
    version: 1,
    fetchedAt: fetchedAt.toISOString(),
    metadata: Object.fromEntries([...metadata].map(([name, bytes]) => [name, bytes.toString('base64')])),
    ...(target ? { target: target.toString('base64') } : {}),
  };
  return Buffer.from(JSON.stringify(kept));
}

/** Undefined for what is damaged or of another version: it is fetched again. */
export function decodeKept(bytes: Uint8Array): KeptRepository | undefined {
  const kept = Kept.safeParse(parse(bytes));
  if (!kept.success) return undefined;
  const { fetchedAt, metadata, target } = kept.data;
  return {
    fetchedAt: new Date(fetchedAt),
    metadata: new Map(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
    ...(target === undefined ? {} : { target: Buffer.from(target, 'base64') }),
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
