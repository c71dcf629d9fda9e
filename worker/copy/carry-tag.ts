import type { CopyPorts } from '#copy/copy-ports.ts';
import { type Place, placeName } from '#copy/place.ts';
import type { PlannedTag } from '#copy/plan.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { COSIGN_SIGNATURE } from '#model/media-types.ts';
import type { Lease } from '#model/ports.ts';
import { parseManifest } from '#oci/manifest.ts';
import { writeCosignTag } from '#storage/cosign-tag-writer.ts';

/** `merged`: evidence of the destination stands beside what came. `conflict`: what stands there was left alone. */
export type TagOutcome = 'copied' | 'present' | 'merged' | 'conflict';

/** What stands at a tag of the destination. */
interface Standing {
  readonly digest?: Digest;
  /** Absent when it is an index. */
  readonly layers?: readonly Descriptor[];
}

/** How often a tag is tried when other writers come between. */
const MAX_ATTEMPTS = 6;
const LOCK_WAIT_MS = 30_000;

/**
 * Brings one of cosign's tags over. Where nothing stands that the source lacks, it is the source's manifest byte for
 * byte; otherwise the layers of both, in one manifest. The blobs of `layers` are at the destination.
 * @param layers those of the tag's layers whose blobs there are
 * @throws AppError `write-conflict` when other writers keep coming between, `lock-lost`, and the registry errors.
 */
export async function carryTag(
  planned: PlannedTag,
  layers: readonly Descriptor[] | undefined,
  ports: Pick<CopyPorts, 'lock' | 'ownPushes'>,
  signal?: AbortSignal,
): Promise<TagOutcome> {
  const { to } = planned.pair;
  const location = { registry: to.registry, repository: to.repository, digest: planned.about };
  await using lease = await ports.lock.acquire(location, LOCK_WAIT_MS, signal);
  const whole = layers?.length === planned.layers?.length;
  let wrote: TagOutcome | undefined;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    signal?.throwIfAborted();
    const standing = await standingAt(to, planned.tag, lease.signal);
    const next = decide(planned, whole, layers, standing);
    if (next === 'present' || next === 'conflict') return wrote ?? next;
    try {
      if (next === 'copied') await writeAsIs(planned, standing, ports, lease);
      else await writeJoined(planned, layers ?? [], standing, ports, lease);
      wrote = next;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'write-conflict') throw error;
    }
  }
  throw new AppError('write-conflict', `other writers keep overwriting ${placeName(to)}:${planned.tag}`);
}

/** What the destination lacks of the layers; undefined when the two cannot be compared. */
export async function lackingAt(
  place: Place,
  { tag, stored }: Pick<PlannedTag, 'tag' | 'stored'>,
  layers: readonly Descriptor[] | undefined,
  signal?: AbortSignal,
): Promise<readonly Descriptor[] | undefined> {
  const standing = await standingAt(place, tag, signal);
  if (standing.digest === stored.descriptor.digest) return [];
  if (!layers || (standing.digest !== undefined && !standing.layers)) return undefined;
  return without(layers, standing.layers ?? []);
}

function decide(
  { tag, stored }: PlannedTag,
  whole: boolean,
  layers: readonly Descriptor[] | undefined,
  standing: Standing,
): TagOutcome {
  if (standing.digest === stored.descriptor.digest) return 'present';
  if (standing.digest === undefined && whole) return 'copied';
  if (!layers || (standing.digest !== undefined && !standing.layers)) return 'conflict';
  const there = standing.layers ?? [];
  if (without(layers, there).length === 0) return 'present';
  if (whole && without(there, layers).length === 0) return 'copied';
  // An SBOM that was attached unsigned is one file: two of them under one tag would be neither's.
  return tag.endsWith('.sbom') && there.length > 0 ? 'conflict' : 'merged';
}

async function writeAsIs(
  { pair: { to }, tag, stored }: PlannedTag,
  standing: Standing,
  { ownPushes }: Pick<CopyPorts, 'ownPushes'>,
  lease: Lease,
): Promise<void> {
  const { digest, mediaType } = stored.descriptor;
  await ownPushes.announce(formatRepositoryRef(to), digest, standing.digest ?? 'nothing');
  if ((await standingAt(to, tag, lease.signal)).digest !== standing.digest) {
    throw new AppError('write-conflict', `${tag} changed while it was being copied`);
  }
  await lease.check();
  await to.target.pushManifest(to.repository, tag, stored.bytes, mediaType, lease.signal);
}

async function writeJoined(
  { pair: { to }, tag, about }: PlannedTag,
  layers: readonly Descriptor[],
  standing: Standing,
  { ownPushes }: Pick<CopyPorts, 'ownPushes'>,
  lease: Lease,
): Promise<void> {
  const location = { registry: to.registry, repository: to.repository, digest: about };
  const read = {
    ...(standing.digest === undefined ? {} : { manifestDigest: standing.digest }),
    layers: standing.layers ?? [],
    evidence: [],
  };
  const edit = { add: [], relist: layers, drops: () => false };
  await writeCosignTag({ target: to.target, lease, ownPushes }, { location, tag, identity }, read, edit);
}

async function standingAt({ target, repository }: Place, tag: string, signal?: AbortSignal): Promise<Standing> {
  try {
    const stored = await target.manifest(repository, tag, signal);
    const parsed = parseManifest(stored);
    const { digest } = stored.descriptor;
    return parsed.kind === 'manifest' ? { digest, layers: parsed.layers } : { digest };
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return {};
    throw error;
  }
}

function without(layers: readonly Descriptor[], others: readonly Descriptor[]): readonly Descriptor[] {
  const known = new Set(others.map(identity));
  return layers.filter((layer) => !known.has(identity(layer)));
}

/** Several signers sign the same bytes of an image signature: what tells them apart is beside the bytes. */
function identity({ digest, annotations }: Descriptor): string {
  return `${digest} ${annotations?.[COSIGN_SIGNATURE] ?? ''}`;
}
