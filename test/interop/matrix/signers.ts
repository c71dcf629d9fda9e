import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { createHttpClient } from '#http/undici-client.ts';
import type { Testimony } from '#model/reading-table.ts';
import { Secret } from '#model/secret.ts';
import { createKeySigner } from '#signing/key.ts';
import { createKeylessSigner } from '#signing/keyless.ts';
import type { Peer } from '#signing/peer.ts';
import { createRekorV1Witness } from '#signing/rekor-v1.ts';
import { createRekorV2Witness } from '#signing/rekor-v2.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { createTimestampWitness } from '#signing/timestamp-authority.ts';
import type { Witness } from '#signing/witness.ts';
import { createX509Signer } from '#signing/x509.ts';
import { type SigningFiles, writeKeyPair, writeSigningFiles } from '../../support/signing-files.ts';
import { ENDPOINTS } from '../stack/endpoints.ts';
import { WORKER_EMAIL } from '../stack/identity-issuer.ts';
import type { SigstoreStack } from '../stack/sigstore-stack.ts';
import { SIGNERS, type SignerName } from './signer-names.ts';

/** Files by which verifiers know the signers. */
export interface SignerFiles {
  readonly x509: SigningFiles;
  readonly key: { readonly key: string; readonly publicKey: string };
  /** A trusted root that holds the private CA beside the logs and authorities of the stack. */
  readonly privateRoot: string;
}

export async function writeSignerFiles(stack: SigstoreStack): Promise<SignerFiles> {
  const x509 = await writeSigningFiles(stack.scratch, 'private');
  const key = await writeKeyPair(stack.scratch);
  return { x509, key, privateRoot: await stack.trustedRoot('private-root.json', x509.chain) };
}

const CODES = {
  refused: 'witness-refused',
  unavailable: 'witness-unavailable',
  throttled: 'witness-throttled',
  protocol: 'witness-protocol',
} as const;

/** The product's own signer of this name, against the servers of the stack. */
export async function makeSigner(
  name: SignerName,
  stack: SigstoreStack,
  files: SignerFiles,
): Promise<ConfiguredSigner & AsyncDisposable> {
  const { kind, testimonies } = SIGNERS[name];
  const http = createHttpClient({ allowedHosts: Object.values(ENDPOINTS).map(hostOf), userAgent: 'attestry-test' });
  const peer = (of: string): Peer => ({ name: of, http, timeoutMs: 30_000, codes: CODES, now: () => new Date() });
  const witnesses = testimonies.map((testimony) => makeWitness(testimony, peer(testimony)));
  const signer = await signerOf();
  return { ...signer, [Symbol.asyncDispose]: () => http.close() };

  async function signerOf(): Promise<ConfiguredSigner> {
    const { leaf, chainPem } = files.x509.pki;
    switch (kind) {
      case 'x509':
        return createX509Signer({
          ...{ id: name, keyPem: leaf.keyPem, certificatePem: leaf.pem, chainPem, now: new Date(), witnesses },
        });
      case 'key':
        return createKeySigner({ id: name, keyPem: await readFile(files.key.key, 'utf8'), witnesses });
      case 'keyless': {
        const { root, issuer } = stack.keys.fulcio;
        return createKeylessSigner({
          id: name,
          fulcio: { url: new URL(ENDPOINTS.fulcio), version: 2, peer: peer('fulcio') },
          provider: { source: 'the stack', token: async () => new Secret(stack.issuer.token('email'), 'stack') },
          audience: 'sigstore',
          identity: { subject: WORKER_EMAIL, issuer: stack.issuer.url('email') },
          trust: () => ({
            authorities: [{ anchors: parseCertificates(root.pem), intermediates: parseCertificates(issuer.pem) }],
          }),
          witnesses,
        });
      }
    }
  }
}

function makeWitness(testimony: Testimony, peer: Peer): Witness {
  switch (testimony) {
    case 'rekor-v1': {
      const url = new URL(ENDPOINTS.rekor1);
      return createRekorV1Witness({ id: testimony, url, peer, maxRequestBytes: 10 * 1024 * 1024 });
    }
    case 'rekor-v2':
      return createRekorV2Witness({ id: testimony, url: new URL(ENDPOINTS.rekor2), peer });
    case 'timestamp': {
      const url = new URL(`${ENDPOINTS.timestamps}/api/v1/timestamp`);
      return createTimestampWitness({ id: testimony, url, peer, nonce: () => randomBytes(8) });
    }
  }
}

function hostOf(url: string): string {
  return new URL(url).host;
}
