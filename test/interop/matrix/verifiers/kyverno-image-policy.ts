import { readFile } from 'node:fs/promises';
import { ENDPOINTS } from '../../stack/endpoints.ts';
import { type Cell, identityOf, readsBundle, type Trust } from '../cell.ts';

/** An ImageValidatingPolicy that wants the evidence of a cell. */
export async function imageValidatingPolicy(cell: Cell, trust: Trust): Promise<unknown> {
  const count = (call: string) => `images.containers.map(i, ${call}).all(e, e > 0)`;
  const attested = cell.asked === 'attestation';
  const expression = attested
    ? count('verifyAttestationSignatures(i, attestations.sbom, [attestors.worker])')
    : count('verifyImageSignatures(i, [attestors.worker])');
  const content =
    "images.containers.map(i, extractPayload(i, attestations.sbom).predicate.bomFormat == 'CycloneDX').all(e, e)";
  return {
    apiVersion: 'policies.kyverno.io/v1',
    kind: 'ImageValidatingPolicy',
    metadata: { name: 'matrix' },
    spec: {
      validationActions: ['Deny'],
      webhookConfiguration: { timeoutSeconds: 30 },
      failurePolicy: 'Fail',
      evaluation: { background: { enabled: false } },
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      matchImageReferences: [{ glob: '127.0.0.1:*' }],
      validationConfigurations: { mutateDigest: false, verifyDigest: false, required: true },
      attestors: [{ name: 'worker', cosign: await cosignAttestor(cell, trust) }],
      ...(attested ? { attestations: [{ name: 'sbom', intoto: { type: 'https://cyclonedx.org/bom' } }] } : {}),
      validations: [
        { expression, message: 'no valid evidence' },
        ...(attested ? [{ expression: content, message: 'not CycloneDX' }] : []),
      ],
    },
  };
}

async function cosignAttestor(cell: Cell, trust: Trust): Promise<unknown> {
  const { kind, testimonies } = cell;
  const { stack, files } = trust;
  const text = (path: string) => readFile(path, 'utf8');
  const bundle = readsBundle(cell);
  const logged = testimonies.includes('rekor-v1') || (bundle && testimonies.includes('rekor-v2'));
  const unlogged = logged ? {} : { insecureIgnoreTlog: true };
  const url = ENDPOINTS.rekor1;
  const stamped = testimonies.includes('timestamp') ? { tsaCertChain: await text(stack.keys.timestamps.chain) } : {};
  const tuf = { mirror: ENDPOINTS.tuf, root: { data: Buffer.from(stack.tuf.root).toString('base64') } };
  const { subject, issuer } = identityOf(kind, trust);
  const identity = { subject, ...(issuer === undefined ? { issuerRegExp: '.*' } : { issuer }) };
  switch (kind) {
    case 'key':
      return {
        key: { data: await text(files.key.publicKey) },
        ...(logged ? { tuf } : {}),
        ctlog: { url, ...unlogged, insecureIgnoreSCT: true },
      };
    case 'x509':
      return bundle
        ? {
            keyless: { identities: [identity] },
            trustedRoot: { value: await text(files.privateRoot) },
            tuf,
            ctlog: { url, ...unlogged, insecureIgnoreSCT: true },
          }
        : {
            certificate: {
              cert: { value: files.x509.pki.leaf.pem },
              certChain: { value: files.x509.pki.chainPem },
            },
            ctlog: { url, ...unlogged, insecureIgnoreSCT: true, ...stamped },
          };
    case 'keyless':
      return { keyless: { identities: [identity] }, tuf, ctlog: { url, ...unlogged } };
  }
}
