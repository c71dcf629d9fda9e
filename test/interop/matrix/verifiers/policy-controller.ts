import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { toolPath } from '../../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../../support/cli.ts';
import { runCommand } from '../../../support/run-command.ts';
import { makeScratch } from '../../../support/scratch.ts';
import { ENDPOINTS } from '../../stack/endpoints.ts';
import { type Cell, identityOf, type Judgement, type Trust } from '../cell.ts';
import { DEAD_PROXY } from './cosign.ts';

/** Sigstore's policy-controller by its tester. It reads bundles only when it is told to, and then nothing else. */
export async function askPolicyController(cell: Cell, trust: Trust): Promise<Judgement> {
  await using home = await makeScratch();
  const policy = await home.write('policy.yaml', stringify(await clusterImagePolicy(cell, trust)));
  const root = await home.write('root.yaml', stringify(await trustRoot(cell, trust)));
  const args = ['-policy', policy, '-image', cell.reference, '-log-level', 'error', '-trustroot', root];
  const env = { ...DEAD_PROXY, PATH: process.env.PATH, HOME: home.dir, TUF_ROOT: home.at('tuf') };
  const { code, stdout, stderr } = await runCommand(toolPath(CLONE, 'policy-tester'), args, { cwd: home.dir, env });
  return { accepted: code === 0, said: `${stdout}${stderr}`.trim() };
}

async function clusterImagePolicy(cell: Cell, trust: Trust): Promise<unknown> {
  const { kind, testimonies, layouts } = cell;
  const { subject, issuer } = identityOf(kind, trust);
  const identity = { subject, ...(issuer === undefined ? { issuerRegExp: '.*' } : { issuer }) };
  const onlyBundles = !layouts.includes('cosign-tag');
  // In bundles it finds no log, of entries or of certificates, by the id that a TrustRoot gives it: timestamps are left.
  const logged = !onlyBundles && testimonies.includes('rekor-v1');
  const authority = {
    name: 'worker',
    ...(kind === 'key'
      ? { key: { data: await readFile(trust.files.key.publicKey, 'utf8') } }
      : {
          keyless: {
            trustRootRef: 'stack',
            identities: [identity],
            ...(kind === 'x509' || onlyBundles ? { insecureIgnoreSCT: true } : {}),
          },
        }),
    ...(logged ? { ctlog: { url: ENDPOINTS.rekor1, trustRootRef: 'stack' } } : {}),
    ...(testimonies.includes('timestamp') ? { rfc3161timestamp: { trustRootRef: 'stack' } } : {}),
    ...(onlyBundles ? { signatureFormat: 'bundle' } : {}),
    ...(cell.asked === 'attestation'
      ? { attestations: [{ name: 'sbom', predicateType: 'https://cyclonedx.org/bom' }] }
      : {}),
  };
  return {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: 'matrix' },
    spec: { images: [{ glob: '**' }], authorities: [authority] },
  };
}

async function trustRoot(cell: Cell, trust: Trust): Promise<unknown> {
  const spec = { sigstoreKeys: await sigstoreKeys(cell, trust) };
  return { apiVersion: 'policy.sigstore.dev/v1alpha1', kind: 'TrustRoot', metadata: { name: 'stack' }, spec };
}

async function sigstoreKeys({ kind }: Cell, { stack, files }: Trust): Promise<unknown> {
  const { keys } = stack;
  const encoded = async (path: string) => (await readFile(path)).toString('base64');
  const authority = async (chain: string) => ({
    subject: { organization: 'stack', commonName: 'stack' },
    uri: ENDPOINTS.fulcio,
    certChain: await encoded(chain),
  });
  const log = async (baseURL: string, publicKey: string) => ({
    baseURL,
    hashAlgorithm: 'sha-256',
    publicKey: await encoded(publicKey),
  });
  return {
    certificateAuthorities: [await authority(kind === 'x509' ? files.x509.chain : keys.fulcio.chain)],
    tLogs: [await log(ENDPOINTS.rekor1, keys.rekor1.publicKey)],
    ctLogs: [await log(ENDPOINTS.ctLog, keys.ctLog.publicKey)],
    timestampAuthorities: [await authority(keys.timestamps.chain)],
  };
}
