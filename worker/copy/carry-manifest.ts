import type { CopyPorts } from '#copy/copy-ports.ts';
import { digestAt } from '#copy/place.ts';
import type { PlannedManifest } from '#copy/plan.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';

const LOCK_WAIT_MS = 30_000;

/**
 * Brings a manifest over by its digest, after its blobs. One that refers to another counts as there only when the
 * destination lists it with that.
 * @returns whether anything had to be brought.
 */
export async function carryManifest(
  planned: PlannedManifest,
  ports: CopyPorts,
  signal?: AbortSignal,
): Promise<'copied' | 'present'> {
  const { pair, blobs } = planned;
  if (await ports.persist(pair.to.registry, () => isThere(planned, signal), signal)) return 'present';
  await Promise.all(blobs.map((blob) => ports.carrier.bring(pair, blob, signal)));
  await ports.persist(pair.to.registry, () => push(planned, ports, signal), signal);
  return 'copied';
}

/** Whether the destination holds a manifest, and lists it where it belongs. */
export async function isThere(
  { pair: { to }, stored, subject }: PlannedManifest,
  signal?: AbortSignal,
): Promise<boolean> {
  const { digest } = stored.descriptor;
  if ((await digestAt(to, digest, signal)) !== digest) return false;
  if (subject === undefined) return true;
  for await (const listed of to.target.referrers(to.repository, subject, signal)) {
    if (listed.digest === digest) return true;
  }
  return false;
}

async function push(
  { pair: { to }, stored, subject }: PlannedManifest,
  { lock, ownPushes }: CopyPorts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest, mediaType } = stored.descriptor;
  if (subject === undefined) {
    await to.target.pushManifest(to.repository, digest, stored.bytes, mediaType, signal);
    return;
  }
  const location = { registry: to.registry, repository: to.repository, digest: subject };
  await using lease = await lock.acquire(location, LOCK_WAIT_MS, signal);
  await ownPushes.announce(formatRepositoryRef(to), digest);
  await lease.check();
  await to.target.pushManifest(to.repository, digest, stored.bytes, mediaType, lease.signal, async (index, over) => {
    await ownPushes.announce(formatRepositoryRef(to), index, over ?? 'nothing');
    await lease.check();
  });
}
