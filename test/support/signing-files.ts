import { generateKeyPairSync } from 'node:crypto';
import { makePki, type Pki } from './pki.ts';
import type { Scratch } from './scratch.ts';

/** The files that a person signs with: key, certificate, chain, and the roots and intermediates apart. */
export interface SigningFiles {
  readonly pki: Pki;
  readonly key: string;
  readonly certificate: string;
  readonly chain: string;
  readonly roots: string;
  readonly intermediates: string;
  /** `--key … --certificate … --certificate-chain …`. */
  readonly flags: readonly string[];
}

export async function writeSigningFiles(scratch: Scratch, name = 'ca', pki: Pki = makePki()): Promise<SigningFiles> {
  const write = (file: string, text: string) => scratch.write(`${name}/${file}`, text);
  const key = await write('key.pem', pki.leaf.keyPem);
  const certificate = await write('certificate.pem', pki.leaf.pem);
  const chain = await write('chain.pem', pki.chainPem);
  const roots = await write('root.pem', pki.root.pem);
  const intermediates = await write('intermediates.pem', pki.intermediates.map(({ pem }) => pem).join(''));
  const flags = ['--key', key, '--certificate', certificate, '--certificate-chain', chain];
  return { pki, key, certificate, chain, roots, intermediates, flags };
}

/** A key pair without a certificate, in PEM files. */
export async function writeKeyPair(scratch: Scratch, name = 'pair'): Promise<{ key: string; publicKey: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    key: await scratch.write(`${name}/key.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKey: await scratch.write(`${name}/public.pem`, publicKey.export({ type: 'spki', format: 'pem' })),
  };
}
