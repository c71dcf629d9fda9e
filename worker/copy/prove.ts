import { isThere } from '#copy/carry-manifest.ts';
import { lackingAt } from '#copy/carry-tag.ts';
import { digestAt, type Place, placeName } from '#copy/place.ts';
import type { CopyPlan } from '#copy/plan.ts';
import type { Digest } from '#model/digest.ts';

/** Asks the destination for all that was planned, by digest; answers what it lacks, in words. */
export async function missingAtDestination(
  plan: CopyPlan,
  to: Place,
  tag: string | undefined,
  unreadable: ReadonlySet<Digest>,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const planned of plan.manifests) {
    const { digest } = planned.stored.descriptor;
    if (unreadable.has(digest) || (await isThere(planned, signal))) continue;
    const role = planned.subject === undefined ? '' : `, which refers to ${planned.subject}`;
    missing.push(`${placeName(planned.pair.to)}@${digest}${role}`);
  }
  for (const planned of plan.tags) {
    const wanted = planned.layers?.filter(({ digest }) => !unreadable.has(digest));
    const lacking = await lackingAt(planned.pair.to, planned, wanted, signal);
    const name = `${placeName(planned.pair.to)}:${planned.tag}`;
    if (!lacking) missing.push(`${name} holds something else than evidence, or is no list of it`);
    else missing.push(...lacking.map(({ digest }) => `${name}: the layer ${digest}`));
  }
  if (tag !== undefined && (await digestAt(to, tag, signal)) !== plan.root.digest) {
    missing.push(`${placeName(to)}:${tag} is not ${plan.root.digest}`);
  }
  return missing;
}
