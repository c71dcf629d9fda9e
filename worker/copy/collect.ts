import { type Pair, placeName } from '#copy/place.ts';
import type { CopyPlan, PlannedManifest, PlannedTag } from '#copy/plan.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestTag } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { IMAGE_INDEXES } from '#model/media-types.ts';
import { type ImageIndex, type ImageManifest, parseManifest } from '#oci/manifest.ts';
import type { StoredManifest } from '#oci/target.ts';

/** What cosign hangs beside a digest, by the end of its tag. */
export const COSIGN_SUFFIXES = ['.att', '.sig', '.sbom'] as const;

/** Manifests of one image with its evidence; an image of ten platforms with hundred pieces each stays far below. */
const MAX_MANIFESTS = 10_000;

export interface CollectRequest {
  /** A tag or digest at the source of the first pair. */
  readonly reference: string;
  /** The image's repositories first; further ones hold evidence alone. */
  readonly pairs: readonly [Pair, ...Pair[]];
  /** All tags of the source repositories, where they were listed: spares a question for each tag that is not there. */
  readonly tagsOf?: ((pair: Pair) => ReadonlySet<string> | undefined) | undefined;
  /** Told of the digest of each manifest that belongs to it. */
  readonly onManifest?: ((digest: Digest) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads an image with all that belongs to it: its platforms and what its builder attached inside the index, cosign's
 * tags of each of them, the manifests that refer to each, and what in turn belongs to those.
 * @throws AppError of the source; `not-found` when it lacks a part of the image itself; `too-large`.
 */
export async function collectImage(request: CollectRequest): Promise<CopyPlan> {
  const { pairs, reference, tagsOf, signal } = request;
  const [own] = pairs;
  const manifests: PlannedManifest[] = [];
  const tags: PlannedTag[] = [];
  const dangling: string[] = [];
  const seen = new Set<string>();

  /** Answers whether it was new. */
  function enter(pair: Pair, what: string): boolean {
    const key = `${placeName(pair.from)} ${what}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (seen.size > MAX_MANIFESTS) {
      throw new AppError('too-large', `${reference} has more than ${MAX_MANIFESTS} manifests with its evidence`);
    }
    return true;
  }

  async function takeManifest(pair: Pair, stored: StoredManifest): Promise<void> {
    const { digest } = stored.descriptor;
    if (!enter(pair, digest)) return;
    request.onManifest?.(digest);
    const parsed = parseManifest(stored);
    await takeChildren(pair, parsed);
    const { subject } = parsed;
    manifests.push({ pair, stored, blobs: blobsOf(parsed), ...(subject ? { subject: subject.digest } : {}) });
    await takeEvidence(digest);
  }

  async function takeChildren(pair: Pair, parsed: ImageIndex | ImageManifest): Promise<void> {
    if (parsed.kind === 'manifest') return;
    for (const { digest } of parsed.manifests) await takeManifest(pair, await read(pair, digest));
  }

  async function takeEvidence(about: Digest): Promise<void> {
    for (const pair of pairs) {
      for (const { digest } of await referrersOf(pair, about)) {
        const stored = await readIfThere(pair, digest);
        if (stored) await takeManifest(pair, stored);
        else dangling.push(`${placeName(pair.from)}@${digest}, which refers to ${about}`);
      }
      for (const suffix of COSIGN_SUFFIXES) await takeTag(pair, about, digestTag(about, suffix));
    }
  }

  async function takeTag(pair: Pair, about: Digest, tag: string): Promise<void> {
    const stored = await atTag(pair, tag);
    if (!stored || !enter(pair, tag)) return;
    request.onManifest?.(stored.descriptor.digest);
    const parsed = parseManifest(stored);
    await takeChildren(pair, parsed);
    const content = parsed.kind === 'manifest' ? { config: parsed.config, layers: parsed.layers } : {};
    tags.push({ pair, tag, about, stored, ...content });
    await takeEvidence(stored.descriptor.digest);
  }

  /**
   * By the registry's own list, and by the list at the fallback tag: where a registry learnt of referrers later, those
   * that clients had listed before are only there.
   */
  async function referrersOf(pair: Pair, about: Digest): Promise<readonly Descriptor[]> {
    const found = new Map<Digest, Descriptor>();
    for await (const descriptor of pair.from.target.referrers(pair.from.repository, about, signal)) {
      found.set(descriptor.digest, descriptor);
    }
    const listed = await atTag(pair, digestTag(about));
    if (listed && IMAGE_INDEXES.includes(listed.descriptor.mediaType)) {
      const parsed = parseManifest(listed);
      if (parsed.kind === 'index') for (const each of parsed.manifests) found.set(each.digest, each);
    }
    return [...found.values()];
  }

  async function atTag(pair: Pair, tag: string): Promise<StoredManifest | undefined> {
    const known = tagsOf?.(pair);
    return known && !known.has(tag) ? undefined : await readIfThere(pair, tag);
  }

  async function readIfThere(pair: Pair, wanted: string): Promise<StoredManifest | undefined> {
    try {
      return await read(pair, wanted);
    } catch (error) {
      if (error instanceof AppError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  async function read({ from }: Pair, wanted: string): Promise<StoredManifest> {
    return await from.target.manifest(from.repository, wanted, signal);
  }

  const root = await read(own, reference);
  await takeManifest(own, root);
  return { root: root.descriptor, manifests, tags, dangling };
}

function blobsOf(parsed: ImageIndex | ImageManifest): readonly Descriptor[] {
  return parsed.kind === 'index' ? [] : [parsed.config, ...parsed.layers];
}
