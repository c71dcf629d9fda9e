import { readFile } from 'node:fs/promises';
import { ENDPOINTS } from '../../stack/endpoints.ts';
import { type Cell, identityOf, type Trust } from '../cell.ts';

/** A ClusterPolicy of this type of verification. */
export function clusterPolicyOf(type: 'cosign' | 'bundle') {
  return async (cell: Cell, trust: Trust): Promise<unknown> => {
    const entry = type === 'cosign' ? await cosignEntry(cell, trust) : await bundleEntry(cell, trust);
    const attestors = [{ entries: [entry] }];
    const conditions = [{ all: [{ key: '{{ bomFormat }}', operator: 'Equals', value: 'CycloneDX' }] }];
    const asked =
      cell.asked === 'image-signature'
        ? { attestors }
        : { attestations: [{ type: 'https://cyclonedx.org/bom', attestors, conditions }] };
    return {
      apiVersion: 'kyverno.io/v1',
      kind: 'ClusterPolicy',
      metadata: { name: 'matrix' },
      spec: {
        background: false,
        webhookConfiguration: { failurePolicy: 'Fail', timeoutSeconds: 30 },
        rules: [
          {
            name: 'evidence',
            match: { any: [{ resources: { kinds: ['Pod'] } }] },
            verifyImages: [
              {
                type: type === 'cosign' ? 'Cosign' : 'SigstoreBundle',
                imageReferences: ['127.0.0.1:*'],
                failureAction: 'Enforce',
                ...{ mutateDigest: false, verifyDigest: false, required: true },
                ...asked,
              },
            ],
          },
        ],
      },
    };
  };
}

async function cosignEntry({ kind, testimonies }: Cell, trust: Trust): Promise<unknown> {
  const { keys } = trust.stack;
  const text = (path: string) => readFile(path, 'utf8');
  const stamped = testimonies.includes('timestamp') ? { tsaCertChain: await text(keys.timestamps.chain) } : {};
  const rekor = testimonies.includes('rekor-v1')
    ? { url: ENDPOINTS.rekor1, pubkey: await text(keys.rekor1.publicKey) }
    : { url: ENDPOINTS.rekor1, ignoreTlog: true };
  switch (kind) {
    case 'x509': {
      const ctlog = { ignoreSCT: true, ...stamped };
      return { certificates: { certChain: await text(trust.files.x509.chain), rekor, ctlog } };
    }
    case 'key':
      return { keys: { publicKeys: await text(trust.files.key.publicKey), rekor, ctlog: { ignoreSCT: true } } };
    case 'keyless': {
      const ctlog = { pubkey: await text(keys.ctLog.publicKey), ...stamped };
      return { keyless: { ...identityOf(kind, trust), roots: await text(keys.fulcio.chain), rekor, ctlog } };
    }
  }
}

async function bundleEntry({ kind, testimonies }: Cell, trust: Trust): Promise<unknown> {
  const logged = testimonies.some((testimony) => testimony !== 'timestamp');
  const ignored = { rekor: { url: ENDPOINTS.rekor1, ignoreTlog: true }, ctlog: { ignoreSCT: true } };
  const rekor = { url: ENDPOINTS.rekor1 };
  switch (kind) {
    case 'x509':
      return { certificates: { certChain: await readFile(trust.files.x509.chain, 'utf8'), ...ignored } };
    case 'key': {
      const publicKeys = await readFile(trust.files.key.publicKey, 'utf8');
      return { keys: { publicKeys, ...(logged ? { rekor } : ignored) } };
    }
    case 'keyless':
      return { keyless: { ...identityOf(kind, trust), rekor } };
  }
}
