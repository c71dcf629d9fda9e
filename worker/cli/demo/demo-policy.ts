import { stringify } from 'yaml';
import { CYCLONEDX, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';

/**
 * The policy that a cluster would enforce: SBOM and provenance on every image below a path, signed by the private CA.
 * A private CA keeps no public transparency log, so the policy asks for neither log entry nor certificate timestamp.
 */
export function demoPolicy(imageReferences: string, certChain: string): string {
  const attestors = [
    {
      entries: [{ certificates: { certChain, rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true } } }],
    },
  ];
  return stringify({
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: 'signed-evidence' },
    spec: {
      webhookTimeoutSeconds: 30,
      rules: [
        {
          name: 'sbom-and-provenance',
          match: { any: [{ resources: { kinds: ['Pod'] } }] },
          verifyImages: [
            {
              imageReferences: [imageReferences],
              failureAction: 'Enforce',
              attestations: [
                {
                  type: CYCLONEDX,
                  attestors,
                  conditions: [{ all: [{ key: '{{ bomFormat }}', operator: 'Equals', value: 'CycloneDX' }] }],
                },
                { type: SLSA_PROVENANCE_V1, attestors },
              ],
            },
          ],
        },
      ],
    },
  });
}
