import { noOwnPushes, processLock } from '#cli/local-engine.ts';
import { readPlaces } from '#engine/places.ts';
import { sha256 } from '#model/digest.ts';
import { attestationTag, type EvidenceLayout, type RawEvidence } from '#model/evidence.ts';
import type { Target } from '#oci/target.ts';
import { writeBundles } from '#storage/bundle-writer.ts';
import { readCosignTag } from '#storage/cosign-tag-reader.ts';
import { writeCosignTag } from '#storage/cosign-tag-writer.ts';
import type { PushedImage } from '../../support/pushed-image.ts';
import type { Tamper } from './parts.ts';

/**
 * Writes the one piece of evidence of an image to the same image in another repository, changed, as somebody who may push
 * there could. A repository of its own: beside the good one, a bad piece proves nothing.
 */
export async function transplant(
  target: Target,
  registry: string,
  from: PushedImage,
  to: PushedImage,
  layout: EvidenceLayout,
  tamper: Tamper,
): Promise<void> {
  const { digest } = from;
  const place = layout === 'bundle' ? 'bundles' : 'attestations';
  const source = { registry, repository: from.repository, digest };
  const content = await readPlaces(target, source, new Set([place] as const));
  const [piece, ...more] = content[place]?.evidence ?? [];
  if (piece === undefined || more.length > 0) throw new Error('not exactly one piece of evidence');
  const added = changed(piece, tamper);
  const location = { registry, repository: to.repository, digest };
  await using lease = await processLock().acquire(location, 0);
  const context = { target, lease, ownPushes: noOwnPushes };
  if (layout === 'bundle') {
    const subject = await target.resolve(to.repository, digest);
    await writeBundles(context, location, { subject, add: [added], relist: [] });
    return;
  }
  const tag = attestationTag(location);
  const read = await readCosignTag(target, location, tag);
  const edit = { add: [{ layer: added.descriptor, bytes: added.bytes }], relist: [], drops: () => false };
  await writeCosignTag(context, { location, tag, identity: ({ digest: layer }) => layer }, read, edit);
}

function changed({ bytes, descriptor }: RawEvidence, tamper: Tamper) {
  const after = tamper({ bytes: bytes ?? new Uint8Array(), annotations: descriptor.annotations ?? {} });
  const { mediaType } = descriptor;
  const { byteLength: size } = after.bytes;
  return {
    bytes: after.bytes,
    descriptor: { mediaType, digest: sha256(after.bytes), size, annotations: after.annotations },
  };
}
