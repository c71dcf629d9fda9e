import type { JobPorts } from '#jobs/job-ports.ts';
import { ledgerImage } from '#jobs/observe.ts';
import { type Learned, recordDeleted, recordUntagged } from '#jobs/record-removal.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { formatRepositoryRef, type ImageRef, type RepositoryRef } from '#model/image-ref.ts';
import type { Removal } from '#model/removal.ts';

/** What a registry holds under a tag or digest now; undefined when it says that there is nothing. */
export async function presentDigest(
  { registry, repository }: RepositoryRef,
  reference: string,
  ports: Pick<JobPorts, 'engine'>,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  try {
    return (await ports.engine.registries.target(registry).resolve(repository, reference, signal)).digest;
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/**
 * Asks the registry what a tag names, and records what the image that it named before has lost by that. `claimed` is the
 * digest that somebody says the tag named. Of images that are not known nothing is recorded.
 * @throws AppError of the registry and of Redis; doing it again changes nothing.
 */
export async function followTag(
  name: RepositoryRef & { readonly tag: string },
  claimed: Digest | undefined,
  learned: Learned,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<{ readonly now: Digest | undefined; readonly removals: readonly Removal[] }> {
  const now = await presentDigest(name, name.tag, ports, signal);
  return { now, removals: await settleTag(name, now, claimed, learned, ports, signal) };
}

/** As `followTag`, where what the tag names is known. */
export async function settleTag(
  name: RepositoryRef & { readonly tag: string },
  now: Digest | undefined,
  claimed: Digest | undefined,
  learned: Learned,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<readonly Removal[]> {
  const { registry, repository, tag } = name;
  const place = formatRepositoryRef(name);
  const before = (await ports.tagNames.named(place, tag))?.digest;
  const removals: Removal[] = [];
  for (const digest of new Set([claimed, before])) {
    if (digest === undefined || digest === now) continue;
    const lost = { registry, repository, tag, digest };
    removals.push(...(await followLoss(lost, now, digest === before, learned, ports, signal)));
  }
  // After the losses: who stops in between finds them again.
  if (now === undefined) {
    if (before !== undefined) await ports.tagNames.drop(place, tag, before);
  } else if (before !== undefined || now === claimed) {
    await ports.tagNames.note(place, tag, { digest: now, at: new Date(learned.job.receivedAt) });
    await ports.ledger.noteReturn(ledgerImage(name, now), tag);
  }
  return removals;
}

/** Asks the registry whether an image is there, and records it when it is not. */
export async function followDigest(
  image: ImageRef & { readonly digest: Digest },
  learned: Learned,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<{ readonly now: Digest | undefined; readonly removals: readonly Removal[] }> {
  const now = await presentDigest(image, image.digest, ports, signal);
  if (now !== undefined) return { now, removals: [] };
  return { now, removals: await recordDeleted(image, learned, ports) };
}

/** An image lost a tag: with it perhaps all of itself. */
async function followLoss(
  image: ImageRef & { readonly tag: string; readonly digest: Digest },
  movedTo: Digest | undefined,
  wasNamed: boolean,
  learned: Learned,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<readonly Removal[]> {
  const known = wasNamed || (await ports.ledger.latest(ledgerImage(image, image.digest))).length > 0;
  if (!known) return [];
  const { now, removals } = await followDigest(image, learned, ports, signal);
  return now === undefined ? removals : await recordUntagged(image, movedTo, learned, ports);
}
