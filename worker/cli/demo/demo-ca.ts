import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** PEM texts of a throw-away private CA and a signing certificate of it. */
export interface DemoCa {
  readonly key: string;
  readonly certificate: string;
  /** Intermediate, then root. */
  readonly chain: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Makes root, intermediate and leaf as a private CA would issue them for signing: URI name, code signing, digital
 * signature. For trying out only: the CA keys are thrown away.
 */
export async function makeDemoCa(identity: string, now: Date): Promise<DemoCa> {
  const [rootKeys, intermediateKeys, leafKeys] = await Promise.all([makeKeys(), makeKeys(), makeKeys()]);
  const notBefore = new Date(now.getTime() - DAY_MS);
  const until = (days: number) => new Date(now.getTime() + days * DAY_MS);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Attestry demonstration root',
    keys: rootKeys,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter: until(3650),
    extensions: [...(await caExtensions(rootKeys.publicKey)), new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const intermediate = await x509.X509CertificateGenerator.create({
    subject: 'CN=Attestry demonstration intermediate',
    issuer: root.subject,
    publicKey: intermediateKeys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter: until(1825),
    extensions: [
      ...(await caExtensions(intermediateKeys.publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
      new x509.BasicConstraintsExtension(true, 0, true),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=Attestry demonstration signer',
    issuer: intermediate.subject,
    publicKey: leafKeys.publicKey,
    signingKey: intermediateKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter: until(365),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([CODE_SIGNING]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: identity }]),
      await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(intermediateKeys.publicKey),
    ],
  });
  const key = await crypto.subtle.exportKey('pkcs8', leafKeys.privateKey);
  return {
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
    certificate: leaf.toString('pem'),
    chain: `${intermediate.toString('pem')}\n${root.toString('pem')}\n`,
  };
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function caExtensions(publicKey: webcrypto.CryptoKey): Promise<x509.Extension[]> {
  const flags = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
  return [new x509.KeyUsagesExtension(flags, true), await x509.SubjectKeyIdentifierExtension.create(publicKey)];
}
