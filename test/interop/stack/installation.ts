import { stringify } from 'yaml';
import { OPERATOR_TOKEN } from '../../support/installation-files.ts';
import type { TestToken } from '../../support/token.ts';
import type { Cell, Trust } from '../matrix/cell.ts';
import { clusterPolicyOf } from '../matrix/verifiers/kyverno-policy.ts';
import { ENDPOINTS } from './endpoints.ts';
import { CLIENT, WORKER_EMAIL } from './identity-issuer.ts';

/** What repositories are signed by in this installation; the first segment of a repository chooses. */
export const SIGNED_BY = {
  keyless: { kind: 'keyless', testimonies: ['rekor-v1', 'timestamp'] },
  company: { kind: 'x509', testimonies: ['timestamp'] },
  /** The company's key in a PKCS #11 token. */
  token: { kind: 'x509', testimonies: ['timestamp'] },
} as const;

export interface InstallationServers {
  readonly redisUrl: string;
  readonly registry: string;
  readonly token: TestToken;
}

/** A configuration that signs with all that the stack offers; answers its path. */
export async function writeStackInstallation(
  trust: Trust,
  { redisUrl, registry, token }: InstallationServers,
): Promise<string> {
  const { stack, files } = trust;
  const { scratch, keys, issuer } = stack;
  const file = (name: string, content: string) => scratch.write(`installation/${name}`, content);
  await file('operator-token', OPERATOR_TOKEN);
  await file('client-secret', CLIENT.secret);
  await file('pin', token.pin);
  await token.importKey(files.x509.pki.leaf.keyPem, 'release', '01');
  const policyOf = async (name: keyof typeof SIGNED_BY) => {
    const cell: Cell = {
      reference: '',
      asked: 'attestation',
      layouts: ['cosign-tag'],
      ...SIGNED_BY[name],
    };
    return await file(`${name}.policy.yaml`, stringify(await clusterPolicyOf('cosign')(cell, trust)));
  };
  const evidence = (signer: string) =>
    ['cyclonedx', 'slsaprovenance1', 'signature'].map((type) => ({ type, signer, layout: 'both' }));
  const rule = (name: keyof typeof SIGNED_BY) => ({
    ...{ name, match: { repository: `${name}/**` }, evidence: evidence(name), policies: name },
  });
  const certified = {
    ...{ type: 'x509', certificate: files.x509.certificate, chain: files.x509.chain },
    witnesses: 'clock',
  };
  return await file(
    'attestry.yaml',
    stringify({
      version: 1,
      redis: { url: redisUrl },
      registries: [{ id: 'main', name: registry }],
      trusts: [{ id: 'fulcio', certificateChain: keys.fulcio.chain }],
      witnesses: [
        { id: 'log', type: 'rekor', url: ENDPOINTS.rekor1, key: keys.rekor1.publicKey },
        { id: 'log2', type: 'rekor', version: 2, url: ENDPOINTS.rekor2, key: keys.rekor2.publicKey },
        {
          ...{ id: 'clock', type: 'timestamp-authority', chain: keys.timestamps.chain },
          url: `${ENDPOINTS.timestamps}/api/v1/timestamp`,
        },
      ],
      signers: [
        {
          ...{ id: 'keyless', type: 'keyless', trust: 'fulcio', fulcio: { url: ENDPOINTS.fulcio } },
          identity: { subject: WORKER_EMAIL, issuer: issuer.url('email') },
          token: {
            ...{ from: 'client-credentials', issuer: issuer.url('email'), clientId: CLIENT.id },
            clientSecret: 'file:client-secret',
          },
          witnesses: ['log', 'log2', 'clock'],
        },
        { id: 'company', key: `file:${files.x509.key}`, ...certified },
        {
          ...{ id: 'token', passphrase: 'file:pin', ...certified },
          key: `pkcs11:token=${token.label};object=release?module-path=${token.modulePath}`,
        },
      ],
      policies: [
        { id: 'keyless', file: await policyOf('keyless') },
        { id: 'company', file: await policyOf('company') },
        { id: 'token', file: await policyOf('token') },
      ],
      rules: [rule('keyless'), rule('company'), rule('token')],
      producer: {
        listen: { host: '127.0.0.1', port: 0 },
        api: { operators: [{ name: 'tests', token: 'file:operator-token' }] },
      },
      worker: { listen: { host: '127.0.0.1', port: 0 } },
    }),
  );
}
