import { type CopiedImage, copyImage } from '#copy/copy-image.ts';
import type { CopyPorts } from '#copy/copy-ports.ts';
import { descriptorAt, type Pair, type Place, placeName } from '#copy/place.ts';
import { createLanes } from '#copy/transfer.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, isDigest } from '#model/digest.ts';
import { AppError, toAppError } from '#model/errors.ts';
import { IMAGE_INDEXES } from '#model/media-types.ts';

export interface CopyRequest {
  /** The image's repositories first; further ones hold evidence alone. */
  readonly pairs: readonly [Pair, ...Pair[]];
  /** A tag or digest at the source; absent: every image of the repository. */
  readonly reference?: string;
  /** The tag at the destination; absent: the one of the source. */
  readonly tag?: string;
}

export interface CopyOptions {
  readonly dryRun: boolean;
  /** Images under way at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  onImage?(image: ImageOutcome): void;
}

export interface ImageOutcome {
  /** The tag or digest at the source. */
  readonly reference: string;
  readonly from: Place;
  readonly to: Place;
  /** The tag at the destination. */
  readonly tag?: string;
  readonly result:
    | { readonly ok: true; readonly image: CopiedImage }
    | { readonly ok: false; readonly error: AppError };
}

/** Tags that hold evidence, or list what refers to a digest: they come along with what they are about. */
const EVIDENCE_TAG = /^(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(?:\.(?:att|sig|sbom))?$/;

/**
 * Copies one image or every image of a repository: all that have a tag, and those without one that evidence tells of. A
 * failure of one image is no reason to leave out the others.
 * @throws AppError when the tags of the source cannot be listed; `not-found` when it has none.
 */
export async function copyRepository(
  request: CopyRequest,
  ports: CopyPorts,
  options: CopyOptions,
): Promise<readonly ImageOutcome[]> {
  const [own, ...others] = request.pairs;
  const { signal } = options;
  const covered = new Set<Digest>();
  if (request.reference !== undefined) {
    const tag = request.tag ?? (isDigest(request.reference) ? undefined : request.reference);
    return [await one(request.reference, tag, undefined)];
  }
  const inLane = createLanes(options.concurrency);
  const tags = await ports.persist(own.from.registry, () => listTags(own.from, signal), signal);
  if (tags.size === 0) throw nothingThere(own.from);
  const images = [...tags].filter((tag) => !EVIDENCE_TAG.test(tag)).sort();
  const outcomes = await Promise.all(images.map((tag) => inLane(() => one(tag, tag, tags))));
  for (const digest of await untaggedSubjects(tags)) {
    if (!covered.has(digest)) outcomes.push(await one(digest, undefined, tags));
  }
  return outcomes;

  /** Indexes first: what they list comes with them. */
  async function untaggedSubjects(known: ReadonlySet<string>): Promise<readonly Digest[]> {
    const found: Descriptor[] = [];
    for (const digest of subjectsOf(known)) {
      if (covered.has(digest)) continue;
      const there = await ports.persist(own.from.registry, () => descriptorAt(own.from, digest, signal), signal);
      if (there) found.push(there);
    }
    const isImage = ({ mediaType }: Descriptor) => Number(!IMAGE_INDEXES.includes(mediaType));
    return found.sort((one, other) => isImage(one) - isImage(other)).map(({ digest }) => digest);
  }

  async function one(
    reference: string,
    tag: string | undefined,
    known: ReadonlySet<string> | undefined,
  ): Promise<ImageOutcome> {
    const outcome = {
      reference,
      from: own.from,
      to: own.to,
      ...(tag === undefined ? {} : { tag }),
      result: await attempt(reference, tag, known),
    };
    options.onImage?.(outcome);
    return outcome;
  }

  async function attempt(
    reference: string,
    tag: string | undefined,
    known: ReadonlySet<string> | undefined,
  ): Promise<ImageOutcome['result']> {
    try {
      const image = await copyImage(
        {
          reference,
          pairs: [own, ...others],
          ...(tag === undefined ? {} : { tag }),
          dryRun: options.dryRun,
          tagsOf: (pair) => (pair === own ? known : undefined),
          onManifest: (digest) => covered.add(digest),
          signal,
        },
        ports,
      );
      return { ok: true, image };
    } catch (error) {
      signal?.throwIfAborted();
      return { ok: false, error: toAppError(error) };
    }
  }
}

function nothingThere(place: Place): AppError {
  return new AppError('not-found', `${placeName(place)} has no tags, or is not there`, {
    mend: 'check its name and the credentials; images without a tag are named by digest',
  });
}

async function listTags({ target, repository }: Place, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  const tags = new Set<string>();
  for await (const tag of target.tags(repository, signal)) tags.add(tag);
  return tags;
}

/** The digests that evidence tags are about. */
function subjectsOf(tags: ReadonlySet<string>): ReadonlySet<Digest> {
  const digests = [...tags].flatMap((tag) => EVIDENCE_TAG.exec(tag)?.[1]?.replace('-', ':') ?? []);
  return new Set(digests.filter(isDigest));
}
