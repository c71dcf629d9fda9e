import type { EvidenceWish } from '#engine/engine-ports.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { type EvidenceLocation, locationKey } from '#model/evidence.ts';
import { parseRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';
import type { PlatformImage, Subject } from '#model/subject.ts';
import type { Registries } from '#oci/target.ts';

/** A wish on one digest: the image itself, or one platform of an index. */
export interface PlacedWish {
  readonly wish: EvidenceWish;
  readonly location: EvidenceLocation;
  readonly descriptor: Descriptor;
  /** The platform image that the statement is about; absent: the whole index. */
  readonly platform?: PlatformImage;
}

/**
 * Places each wish: on the digest that a pod names (for a multi-platform tag the index) and, where the wish says so, on
 * each platform image. Grouped by location, since one writer settles a whole location.
 */
export function placeWishes(
  subject: Subject,
  wishes: readonly EvidenceWish[],
  registries: Pick<Registries, 'nameOf'>,
): readonly (readonly PlacedWish[])[] {
  const groups = new Map<string, PlacedWish[]>();
  for (const wish of wishes) {
    for (const placed of placesOf(subject, wish, registries)) {
      if (wish.except?.has(placed.location.digest)) continue;
      const key = locationKey(placed.location);
      groups.set(key, [...(groups.get(key) ?? []), placed]);
    }
  }
  return [...groups.values()];
}

function placesOf(subject: Subject, wish: EvidenceWish, registries: Pick<Registries, 'nameOf'>): readonly PlacedWish[] {
  const repository = evidenceRepository(subject.image, wish, registries);
  if (wish.ready) return [readyPlace(subject, wish, wish.ready.subject, repository)];
  const [only] = subject.platforms;
  const whole: PlacedWish = {
    wish,
    location: { ...repository, digest: subject.descriptor.digest },
    descriptor: subject.descriptor,
    ...(subject.kind === 'image' && only ? { platform: only } : {}),
  };
  if (subject.kind === 'image' || !wish.platforms) return [whole];
  const platforms = subject.platforms.map((platform) => ({
    wish,
    location: { ...repository, digest: platform.descriptor.digest },
    descriptor: platform.descriptor,
    platform,
  }));
  return [...platforms, whole];
}

/** A ready statement lies on the digest that it names, and nowhere else. */
function readyPlace(subject: Subject, wish: EvidenceWish, digest: Digest, repository: RepositoryRef): PlacedWish {
  const platform = subject.platforms.find(({ descriptor }) => descriptor.digest === digest);
  const descriptor = digest === subject.descriptor.digest ? subject.descriptor : platform?.descriptor;
  if (!descriptor) throw new AppError('internal', `${digest} is neither the image nor one of its platforms`);
  return { wish, location: { ...repository, digest }, descriptor, ...(platform ? { platform } : {}) };
}

/** The repository that holds the evidence of an image: the wish's, or its own. */
export function evidenceRepository(
  { registry, repository }: RepositoryRef,
  wish: Pick<EvidenceWish, 'repository'>,
  registries: Pick<Registries, 'nameOf'>,
): RepositoryRef {
  if (wish.repository === undefined) return { registry, repository };
  const ref = parseRepositoryRef(wish.repository);
  return { registry: registries.nameOf(ref.registry), repository: ref.repository };
}
