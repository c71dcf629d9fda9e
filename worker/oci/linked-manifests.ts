import { type Digest, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { pathLevels } from '#model/registry-limits.ts';
import { NO_CONTENT, refuseDeepPath } from '#oci/capabilities.ts';
import type { Manifests } from '#oci/manifests.ts';
import { type Referrer, referrerOf } from '#oci/referrer.ts';
import type { ReferrersList } from '#oci/referrers-list.ts';
import type { ReferrersTag } from '#oci/referrers-tag.ts';
import type { RegistryConnection } from '#oci/registry-connection.ts';
import type { Target } from '#oci/target.ts';

export interface LinkedParts {
  readonly manifests: Manifests;
  readonly list: ReferrersList;
  readonly tag: ReferrersTag;
}

const UNREADABLE: readonly string[] = ['not-found', 'manifest-malformed', 'media-type-unsupported', 'too-large'];

/** Manifests with their referrers: whatever the registry does not list by itself, the fallback tag lists. */
export function createLinkedManifests(
  connection: RegistryConnection,
  { manifests, list, tag }: LinkedParts,
): Pick<
  Target,
  'resolve' | 'manifest' | 'pushManifest' | 'listReferrers' | 'deleteManifest' | 'referrers' | 'capabilities'
> {
  const { name, baseUrl, memo, immutableTags } = connection;

  /** True where the registry itself lists the referrers of this digest. */
  async function listsItself(repository: string, subject: Digest, signal?: AbortSignal): Promise<boolean> {
    return (await list.list(repository, subject, signal)) !== undefined;
  }

  /** What a stored manifest refers to; what cannot be read refers to nothing, and can be deleted all the same. */
  async function standingReferrer(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<Referrer | undefined> {
    try {
      const { descriptor, bytes } = await manifests.serve(repository, digest, signal);
      return referrerOf(descriptor, bytes);
    } catch (error) {
      if (error instanceof AppError && UNREADABLE.includes(error.code)) return undefined;
      throw error;
    }
  }

  return {
    resolve: manifests.resolve,
    manifest: manifests.manifest,

    async pushManifest(repository, reference, bytes, mediaType, signal, listing) {
      refuseDeepPath(connection, repository);
      const { descriptor, subject } = await manifests.write({ repository, reference, bytes, mediaType, signal });
      const referrer = referrerOf(descriptor, bytes);
      if (!referrer) return descriptor;
      if (subject === referrer.subject) memo.learn(name, repository, 'referrers-api', true);
      // Some registries list referrers and do not say so.
      else if (listing !== 'later' && !(await listsItself(repository, referrer.subject, signal))) {
        const change = { repository, subject: referrer.subject, signal, beforeIndex: listing };
        await tag.add(change, [referrer.entry]);
      }
      return descriptor;
    },

    async listReferrers(repository, subject, stored, signal, beforeIndex) {
      const entries = stored.flatMap(({ descriptor, bytes }) => {
        const referrer = referrerOf(descriptor, bytes);
        return referrer?.subject === subject ? [referrer.entry] : [];
      });
      if (entries.length === 0 || (await listsItself(repository, subject, signal))) return;
      await tag.add({ repository, subject, signal, beforeIndex }, entries);
    },

    async deleteManifest(repository, digest, signal, beforeIndex) {
      const referrer = await standingReferrer(repository, digest, signal);
      // The list first: what it names is always there.
      if (referrer && !(await listsItself(repository, referrer.subject, signal))) {
        await tag.drop({ repository, subject: referrer.subject, signal, beforeIndex }, digest);
      }
      await manifests.remove(repository, digest, signal);
    },

    async *referrers(repository, digest, signal, pages) {
      if (!isDigest(digest)) return;
      yield* (await list.list(repository, digest, signal, pages)) ?? (await tag.list(repository, digest, signal));
    },

    async capabilities(repository, signal) {
      if (memo.known(name, repository).referrers === undefined) await list.list(repository, NO_CONTENT, signal);
      const levels = pathLevels(name) ?? pathLevels(baseUrl.host);
      return {
        ...memo.known(name, repository),
        ...(immutableTags ? { immutableTags } : {}),
        ...(levels === undefined ? {} : { pathLevels: levels }),
      };
    },
  };
}
