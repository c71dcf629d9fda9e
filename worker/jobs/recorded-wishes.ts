import type { EvidenceWish } from '#engine/engine-ports.ts';
import { recordedStatement } from '#engine/ready-statement.ts';
import { evidenceRepository } from '#engine/wish-location.ts';
import type { HandedInWish } from '#jobs/installation.ts';
import type { JobPorts } from '#jobs/job-ports.ts';
import type { EvidenceLocation, WrittenEvidence } from '#model/evidence.ts';
import type { Subject } from '#model/subject.ts';

/**
 * What was handed in for this image once and signed, as wishes: where another writer destroyed it, and the registry still
 * holds it, it is listed again. It cannot be made anew.
 */
export async function recordedWishes(
  subject: Subject,
  handedIn: readonly HandedInWish[],
  ports: JobPorts,
): Promise<readonly EvidenceWish[]> {
  const wishes: EvidenceWish[] = [];
  for (const { wish } of handedIn) {
    // In two layouts it still is one statement.
    const payloads = new Set((await recordsOf(subject, wish, ports)).map(({ payloadDigest }) => payloadDigest));
    for (const payload of payloads) wishes.push({ ...wish, ready: recordedStatement(subject.image.digest, payload) });
  }
  return wishes;
}

/** Records of what this signer, or one before it, signed of this type for this image. */
export async function recordsOf(
  subject: Subject,
  wish: EvidenceWish,
  ports: JobPorts,
): Promise<readonly WrittenEvidence[]> {
  const { signer, former } = wish.identity;
  const ours = new Set([signer.fingerprint, ...former.map(({ fingerprint }) => fingerprint)]);
  const written = await ports.engine.written.list(locationOf(subject, wish, ports));
  return written.filter((entry) => {
    return entry.predicateType === wish.predicateType && !entry.superseded && ours.has(entry.signer);
  });
}

function locationOf({ image }: Subject, wish: EvidenceWish, ports: JobPorts): EvidenceLocation {
  return { ...evidenceRepository(image, wish, ports.engine.registries), digest: image.digest };
}
