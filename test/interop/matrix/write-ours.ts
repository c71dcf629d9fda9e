import { attestImage } from '#engine/attest.ts';
import { resolveSubject } from '#engine/resolve.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { DEFAULT_PREDICATE_TYPES } from '#model/evidence-type.ts';
import type { Asked } from '#model/reading-table.ts';
import type { Target } from '#oci/target.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { enginePorts } from '../../support/installation.ts';
import type { PushedImage } from '../../support/pushed-image.ts';
import type { Trust } from './cell.ts';
import { SIGNERS, type SignerName } from './signer-names.ts';
import { strictAttestor } from './verifiers/attestry-trust.ts';

export interface Wanted {
  readonly asked: Asked;
  readonly layouts: readonly EvidenceLayout[];
  readonly signer: ConfiguredSigner;
  readonly name: SignerName;
}

/**
 * Has the product make, sign, attach and read back one piece of evidence in these layouts, as a job does for a rule:
 * an SBOM of the image, or the signature of the image itself.
 */
export async function writeOurs(
  target: Target,
  registry: string,
  { repository, tag }: PushedImage,
  wanted: Wanted,
  trust: Trust,
): Promise<void> {
  const { asked, layouts, signer, name } = wanted;
  const type = asked === 'attestation' ? 'cyclonedx' : 'signature';
  const { kind, testimonies } = SIGNERS[name];
  const registries = { nameOf: (host: string) => host, target: () => target, close: async () => {} };
  const ports = enginePorts(target, { registries, now: () => new Date() });
  const subject = await resolveSubject(target, { registry, repository, tag });
  const wish = {
    type,
    predicateType: DEFAULT_PREDICATE_TYPES[type],
    identity: { signer, former: [] },
    attestor: await strictAttestor(kind, testimonies, trust),
    layouts,
    platforms: false,
    rule: 'matrix',
  } as const;
  const report = await attestImage({ subject, wishes: [wish], maySign: true, mayRestore: true, force: false }, ports);
  const states = report.evidence.map(({ state }) => state);
  if (states.length !== layouts.length || states.some((state) => state !== 'created')) {
    throw new Error(
      `${asked} as ${layouts.join(' and ')}: ${JSON.stringify(report.evidence.map(({ state }) => state))}`,
    );
  }
}
