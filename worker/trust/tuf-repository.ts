import { join } from 'node:path';
import type { HttpClient } from '#http/client.ts';
import { AppError, toAppError } from '#model/errors.ts';
import type { MaterialStore, TrustMaterial } from '#trust/material.ts';
import {
  decodeKept,
  encodeKept,
  type KeptRepository,
  openWorkspace,
  readWorkspace,
  type TufWorkspace,
} from '#trust/tuf-workspace.ts';

export interface TufRepositoryOptions {
  /** In messages. */
  readonly name: string;
  readonly mirror: URL;
  /** Root metadata that the operator vouches for; later versions are verified from it. */
  readonly root: Uint8Array;
  /** Path of the target, e.g. `trusted_root.json`. */
  readonly target: string;
  readonly http: HttpClient;
  /** Milliseconds of one exchange. */
  readonly timeoutMs: number;
  readonly store: MaterialStore;
  now(): Date;
}

/** Bytes of the target; trusted roots have some thousands. */
const MAX_TARGET_BYTES = 4 * 1024 * 1024;
const LIMITS = {
  maxRootRotations: 64,
  maxDelegations: 16,
  rootMaxLength: 512 * 1024,
  timestampMaxLength: 16 * 1024,
  snapshotMaxLength: 1024 * 1024,
  targetsMaxLength: 1024 * 1024,
};

/** Material behind a TUF repository (The Update Framework specification, 5). */
export interface TufRepository {
  /** What is kept and still holds, without a request; undefined when there is none. */
  kept(): Promise<TrustMaterial | undefined>;
  /** The newest. @throws AppError `trust-unavailable` when the mirror is away or what it says does not verify. */
  fetch(signal?: AbortSignal): Promise<TrustMaterial>;
}

export function tufRepository(options: TufRepositoryOptions): TufRepository {
  const { name, store, now } = options;

  async function readKept(): Promise<KeptRepository | undefined> {
    const bytes = await store.read();
    return bytes ? decodeKept(bytes) : undefined;
  }

  return {
    async kept() {
      const kept = await readKept();
      if (!kept?.target) return undefined;
      await using workspace = await openWorkspace(options.root, kept);
      try {
        return await update(workspace, options, kept.fetchedAt, 'kept');
      } catch {
        // Expired, damaged, or of another root: whoever asks fetches it.
        return undefined;
      }
    },
    async fetch(signal) {
      const kept = await readKept();
      await using workspace = await openWorkspace(options.root, kept);
      try {
        const material = await update(workspace, options, now(), 'newest', signal);
        await store.write(encodeKept(await readWorkspace(workspace, now())));
        return material;
      } catch (error) {
        signal?.throwIfAborted();
        const { message } = toAppError(error);
        throw new AppError('trust-unavailable', `${name}: the TUF repository gave no material: ${message}`, {
          cause: error,
          mend: 'check that its address, proxy and root metadata are right, and that its metadata has not expired',
        });
      }
    },
  };
}

/** One run of TUF's client in a workspace. */
async function update(
  workspace: TufWorkspace,
  { mirror, root, target, http, timeoutMs }: TufRepositoryOptions,
  fetchedAt: Date,
  which: 'kept' | 'newest',
  signal?: AbortSignal,
): Promise<TrustMaterial> {
  // Most runs of the command line never need it.
  const [{ Updater }, { TufFetcher }, { readFile, writeFile }] = await Promise.all([
    import('tuf-js'),
    import('#trust/tuf-fetcher.ts'),
    import('node:fs/promises'),
  ]);
  const base = mirror.href.replace(/\/$/, '');
  const settings = {
    metadataDir: workspace.metadata,
    metadataBaseUrl: base,
    targetDir: workspace.targets,
    targetBaseUrl: `${base}/targets`,
    fetcher: new TufFetcher(which === 'newest' ? http : undefined, timeoutMs, signal),
    forceCache: which === 'kept',
    config: LIMITS,
  };
  let updater: InstanceType<typeof Updater>;
  try {
    updater = new Updater(settings);
  } catch {
    // What was kept as root is damaged: it is reached again from the one that the operator vouches for.
    await writeFile(join(workspace.metadata, 'root.json'), root);
    updater = new Updater(settings);
  }
  await updater.refresh();
  const info = await updater.getTargetInfo(target);
  if (!info) throw new AppError('trust-unavailable', `it has no target ${target}`);
  if (info.length > MAX_TARGET_BYTES) throw new AppError('too-large', `${target} has ${info.length} bytes`);
  const known = await updater.findCachedTarget(info, workspace.target);
  if (known === undefined) await updater.downloadTarget(info, workspace.target);
  return { bytes: await readFile(workspace.target), expires: await earliestEnd(workspace), fetchedAt };
}

/** Verified by TUF's client before it is written. */
async function earliestEnd(workspace: TufWorkspace): Promise<Date> {
  const { metadata } = await readWorkspace(workspace, new Date(0));
  const ends = [...metadata.values()].map((bytes) => {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    return Date.parse(String(at(at(json, 'signed'), 'expires')));
  });
  const earliest = Math.min(...ends);
  if (Number.isNaN(earliest)) throw new AppError('trust-unavailable', 'its metadata does not say when it ends');
  return new Date(earliest);
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
