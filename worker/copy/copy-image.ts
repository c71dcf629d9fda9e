import { carryManifest } from '#copy/carry-manifest.ts';
import { carryTag } from '#copy/carry-tag.ts';
import { type CollectRequest, collectImage } from '#copy/collect.ts';
import type { CopyPorts } from '#copy/copy-ports.ts';
import { digestAt, type Place, placeName } from '#copy/place.ts';
import { type CopyPlan, type PlannedTag, planCounts } from '#copy/plan.ts';
import { missingAtDestination } from '#copy/prove.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';

export interface CopyImageRequest extends CollectRequest {
  /** The tag that the image gets at the destination; absent: it is there by digest alone. */
  readonly tag?: string;
  /** Look, and write nothing. */
  readonly dryRun: boolean;
}

export interface CopiedImage {
  readonly digest: Digest;
  /** `present`: all of it was there before. `incomplete`: `missing` says what is not there now. */
  readonly state: 'copied' | 'present' | 'planned' | 'incomplete';
  /** Of the image: index, platforms, what its builder attached. */
  readonly manifests: number;
  readonly referrers: number;
  /** cosign's tags. */
  readonly tags: number;
  /** Tags at which evidence of the destination stands beside what came. */
  readonly merged: readonly string[];
  /** What the destination lacks; empty is the proof. */
  readonly missing: readonly string[];
  /** What the source lists and does not hold. */
  readonly lost: readonly string[];
}

/**
 * Brings an image with all its evidence from one repository to another: read what belongs together, bring what is not
 * there, the image's tag last, and ask the destination for all of it by digest. Whoever watches the tag finds the image
 * with its evidence. What is there is not brought again, so that a run that was stopped is simply run again.
 * @throws AppError of the source and the destination.
 */
export async function copyImage(request: CopyImageRequest, ports: CopyPorts): Promise<CopiedImage> {
  const { pairs, tag, dryRun, signal } = request;
  const [{ from, to }] = pairs;
  const plan = await ports.persist(from.registry, () => collectImage(request), signal);
  const unreadable = new Set<Digest>();
  const merged: string[] = [];
  let brought = 0;
  const before = dryRun ? await missing() : [];
  if (!dryRun) {
    brought += await carryManifests(plan, ports, unreadable, signal);
    for (const planned of plan.tags) brought += await carryPlannedTag(planned);
    if (tag !== undefined) brought += await moveTag(plan, to, tag, ports, signal);
  }
  const lacking = dryRun ? before : await missing();
  const complete = brought === 0 ? 'present' : 'copied';
  return {
    digest: plan.root.digest,
    state: lacking.length === 0 ? complete : dryRun ? 'planned' : 'incomplete',
    ...planCounts(plan),
    merged,
    missing: lacking,
    lost: [...plan.dangling, ...[...unreadable].map((digest) => `${placeName(from)}: the blob or manifest ${digest}`)],
  };

  async function missing(): Promise<readonly string[]> {
    return await ports.persist(to.registry, () => missingAtDestination(plan, to, tag, unreadable, signal), signal);
  }

  async function carryPlannedTag(planned: PlannedTag): Promise<number> {
    const { pair, config } = planned;
    const layers = planned.layers ? await bringLayers(planned.layers, planned, ports, unreadable, signal) : undefined;
    // A manifest that is not carried whole gets a config of its own.
    if (config && layers?.length === planned.layers?.length) await ports.carrier.bring(pair, config, signal);
    const work = () => carryTag(planned, layers, ports, signal);
    const outcome = await ports.persist(pair.to.registry, work, signal);
    if (outcome === 'merged') merged.push(`${placeName(pair.to)}:${planned.tag}`);
    return outcome === 'copied' || outcome === 'merged' ? 1 : 0;
  }
}

/** Answers how many had to be brought. Evidence whose bytes the source lost is passed over, and reported. */
async function carryManifests(
  plan: CopyPlan,
  ports: CopyPorts,
  unreadable: Set<Digest>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let brought = 0;
  for (const planned of plan.manifests) {
    try {
      if ((await carryManifest(planned, ports, signal)) === 'copied') brought += 1;
    } catch (error) {
      if (planned.subject === undefined || !isLost(error)) throw error;
      unreadable.add(planned.stored.descriptor.digest);
    }
  }
  return brought;
}

/** Answers the layers whose bytes there are. */
async function bringLayers(
  layers: readonly Descriptor[],
  { pair }: PlannedTag,
  { carrier }: CopyPorts,
  unreadable: Set<Digest>,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const there: Descriptor[] = [];
  for (const layer of layers) {
    try {
      await carrier.bring(pair, layer, signal);
      there.push(layer);
    } catch (error) {
      if (!isLost(error)) throw error;
      unreadable.add(layer.digest);
    }
  }
  return there;
}

async function moveTag(
  { root, manifests }: CopyPlan,
  to: Place,
  tag: string,
  { persist }: CopyPorts,
  signal: AbortSignal | undefined,
): Promise<number> {
  const stored = manifests.find(({ stored: { descriptor } }) => descriptor.digest === root.digest)?.stored;
  if (!stored) throw new AppError('internal', 'the plan lacks its own image');
  const standing = await persist(to.registry, () => digestAt(to, tag, signal), signal);
  if (standing === root.digest) return 0;
  const { mediaType } = root;
  await persist(to.registry, () => to.target.pushManifest(to.repository, tag, stored.bytes, mediaType, signal), signal);
  return 1;
}

function isLost(error: unknown): boolean {
  return error instanceof AppError && error.code === 'not-found';
}
