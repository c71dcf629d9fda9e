import { stringify } from 'yaml';
import { chainSet, clusterPolicy } from './cluster-policy.ts';
import type { Scratch } from './scratch.ts';
import { writeSigningFiles } from './signing-files.ts';

export const OPERATOR_TOKEN = 'operator-token-of-the-tests';

export interface InstallationFiles {
  /** Path of attestry.yaml. */
  readonly config: string;
}

/** A whole configuration in a folder: own CA, one policy, one rule, an operator; listeners on free ports. */
export async function writeInstallation(
  scratch: Scratch,
  { redisUrl, registry }: { readonly redisUrl: string; readonly registry: string },
): Promise<InstallationFiles> {
  const { pki } = await writeSigningFiles(scratch);
  const policy = clusterPolicy([chainSet([pki.chainPem])], { element: { imageReferences: [`${registry}/*`] } });
  await scratch.write('policy.yaml', policy);
  await scratch.write('operator-token', OPERATOR_TOKEN);
  await scratch.write('hook-token', 'hook-token-of-the-tests');
  const config = await scratch.write(
    'attestry.yaml',
    stringify({
      version: 1,
      redis: { url: redisUrl },
      registries: [{ id: 'main', name: registry }],
      signers: [
        {
          id: 'own',
          type: 'x509',
          key: 'file:ca/key.pem',
          certificate: 'ca/certificate.pem',
          chain: 'ca/chain.pem',
        },
      ],
      policies: [{ id: 'check', file: 'policy.yaml', every: '1h' }],
      rules: [
        {
          name: 'all',
          evidence: [
            { type: 'cyclonedx', signer: 'own' },
            { type: 'slsaprovenance1', signer: 'own' },
          ],
          policies: 'check',
        },
      ],
      sources: [{ id: 'main', sender: 'distribution', registry: 'main', auth: { bearer: 'file:hook-token' } }],
      producer: {
        listen: { host: '127.0.0.1', port: 0 },
        api: { operators: [{ name: 'tests', token: 'file:operator-token' }] },
      },
      worker: { listen: { host: '127.0.0.1', port: 0 } },
    }),
  );
  return { config };
}
