import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestTag, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import type { Manifests } from '#oci/manifests.ts';
import {
  EMPTY_INDEX,
  listsReferrer,
  MAX_REFERRERS,
  parseReferrersIndex,
  type ReferrersIndex,
  referrersIndexBytes,
  referrersOf,
  tooManyReferrers,
  withoutReferrer,
  withReferrer,
} from '#oci/referrers-index.ts';
import type { RegistryConnection } from '#oci/registry-connection.ts';
import type { BeforeIndexWrite } from '#oci/target.ts';

/** Where and on whose behalf the index of referrers at the fallback tag is changed. */
export interface IndexChange {
  readonly repository: string;
  readonly subject: Digest;
  readonly signal: AbortSignal | undefined;
  readonly beforeIndex: BeforeIndexWrite | undefined;
}

/** The list of referrers that clients keep where the registry keeps none: an index at the tag `sha256-<hex>`. */
export interface ReferrersTag {
  list(repository: string, subject: Digest, signal?: AbortSignal): Promise<readonly Descriptor[]>;
  add(change: IndexChange, referrers: readonly Descriptor[]): Promise<void>;
  drop(change: IndexChange, digest: Digest): Promise<void>;
}

interface StandingIndex {
  readonly index: ReferrersIndex;
  /** Absent when there is none yet. */
  readonly digest?: Digest;
  readonly etag?: string;
}

interface Edit {
  /** True when the index needs no change any more. */
  isDone(index: ReferrersIndex): boolean;
  apply(index: ReferrersIndex): ReferrersIndex;
}

export function createReferrersTag({ name, limits }: RegistryConnection, manifests: Manifests): ReferrersTag {
  async function standing(repository: string, subject: Digest, signal?: AbortSignal): Promise<StandingIndex> {
    const tag = digestTag(subject);
    const what = `${name}: ${repository}:${tag}`;
    try {
      const { descriptor, bytes, etag } = await manifests.serve(repository, tag, signal);
      if (descriptor.mediaType !== OCI_INDEX) throw noIndex(what, descriptor);
      const index = parseReferrersIndex(bytes, what);
      return { index, digest: descriptor.digest, ...(etag === undefined ? {} : { etag }) };
    } catch (error) {
      if (error instanceof AppError && error.code === 'not-found') return { index: EMPTY_INDEX };
      throw error;
    }
  }

  /**
   * Read, change, compare, write, read again. Registries without the API seldom know conditional writes, so what
   * another writer did in the last instant is found by reading again, and mended.
   */
  async function change({ repository, subject, signal, beforeIndex }: IndexChange, edit: Edit): Promise<void> {
    const tag = digestTag(subject);
    let { index, digest, etag } = await standing(repository, subject, signal);
    for (let attempt = 0; attempt < limits.indexAttempts; attempt++) {
      if (edit.isDone(index)) return;
      const bytes = referrersIndexBytes(edit.apply(index));
      if ((await currentDigest(repository, tag, signal)) === digest) {
        await beforeIndex?.(sha256(bytes), digest);
        await writeIndex({ repository, reference: tag, bytes, mediaType: OCI_INDEX, ifMatch: etag, signal });
      }
      ({ index, digest, etag } = await standing(repository, subject, signal));
    }
    if (edit.isDone(index)) return;
    throw new AppError('write-conflict', `${name}: other writers keep overwriting ${repository}:${tag}`);
  }

  /** A condition that does not hold any more is a reason to read again, not to give up. */
  async function writeIndex(write: Parameters<Manifests['write']>[0]): Promise<void> {
    try {
      await manifests.write(write);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'write-conflict') throw error;
    }
  }

  async function currentDigest(repository: string, tag: string, signal?: AbortSignal): Promise<Digest | undefined> {
    try {
      return (await manifests.resolve(repository, tag, signal)).digest;
    } catch (error) {
      if (error instanceof AppError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  return {
    async list(repository, subject, signal) {
      return referrersOf((await standing(repository, subject, signal)).index);
    },
    async add(where, referrers) {
      await change(where, {
        isDone: (index) => referrers.every((referrer) => listsReferrer(index, referrer)),
        apply(index) {
          const next = referrers.reduce(withReferrer, index);
          if (next.entries.length > MAX_REFERRERS)
            throw tooManyReferrers(`${where.repository}:${digestTag(where.subject)}`);
          return next;
        },
      });
    },
    async drop(where, digest) {
      await change(where, {
        isDone: (index) => referrersOf(index).every((entry) => entry.digest !== digest),
        apply: (index) => withoutReferrer(index, digest),
      });
    },
  };
}

function noIndex(what: string, { mediaType }: Descriptor): AppError {
  return new AppError('media-type-unsupported', `${what} should list referrers and holds ${mediaType}`, {
    mend: 'move what is there to another tag: tools keep the list of referrers at this one',
  });
}
