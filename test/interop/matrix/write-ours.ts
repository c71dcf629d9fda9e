import { noOwnPushes, processLock } from '#cli/local-engine.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { COSIGN_SIGN, CYCLONEDX } from '#model/media-types.ts';
import type { Asked } from '#model/reading-table.ts';
import type { Target } from '#oci/target.ts';
import { statementBytes } from '#predicates/statement.ts';
import { signImage } from '#signing/sign-image.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { readAttestationTag, readSignatures } from '#storage/attestation-tag-reader.ts';
import { writeAttestationTag } from '#storage/attestation-tag-writer.ts';
import { bundleLayer } from '#storage/bundle-manifest.ts';
import { writeBundles } from '#storage/bundle-writer.ts';
import { writeSignatureTag } from '#storage/signature-tag-writer.ts';
import type { PushedImage } from '../../support/pushed-image.ts';

/** The least that is a CycloneDX document. */
export const BOM = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components: [] };

export interface Wanted {
  readonly asked: Asked;
  readonly layouts: readonly EvidenceLayout[];
}

/** Has the product sign and attach one piece of evidence, in these layouts. */
export async function writeOurs(
  target: Target,
  registry: string,
  image: PushedImage,
  signer: ConfiguredSigner,
  { asked, layouts }: Wanted,
): Promise<void> {
  const { repository, digest } = image;
  const location = { registry, repository, digest };
  await using lease = await processLock().acquire(location, 0);
  const context = { target, lease, ownPushes: noOwnPushes };
  const about = { subjectName: `${registry}/${repository}`, subjectDigest: digest };
  const [predicateType, predicate] = asked === 'attestation' ? [CYCLONEDX, BOM] : [COSIGN_SIGN, {}];
  if (asked === 'image-signature' && layouts.includes('cosign-tag')) {
    const signed = await signImage(signer, { repository: `${registry}/${repository}`, digest });
    const read = await readSignatures(target, location);
    await writeSignatureTag(context, location, read, { add: [signed], relist: [], drop: [] });
  }
  const statementLayouts = asked === 'attestation' ? layouts : layouts.filter((layout) => layout === 'bundle');
  if (statementLayouts.length === 0) return;
  const payload = statementBytes({ ...about, predicateType, predicate });
  const statement = await signStatement(signer, payload, predicateType, { layouts: statementLayouts });
  if (statementLayouts.includes('cosign-tag')) {
    const read = await readAttestationTag(target, location);
    await writeAttestationTag(context, location, read, { add: [statement], relist: [], drop: new Set() });
  }
  if (statementLayouts.includes('bundle')) {
    const subject = await target.resolve(repository, digest);
    await writeBundles(context, location, { subject, add: [bundleLayer(statement, new Date())], relist: [] });
  }
}
