import * as z from 'zod';
import { FilePath, FingerprintOrPath, Id, oneOrMore, SecretReference } from '#model/settings.ts';

const Former = oneOrMore(FingerprintOrPath, 100, 0)
  .prefault([])
  .describe('Earlier certificates or keys of this signer: SHA-256 fingerprints (64 hex digits) or PEM files.');

const key = SecretReference.describe('Private key in PEM, as a secret reference.');
const passphrase = SecretReference.exactOptional().describe('Passphrase of the key, as a secret reference.');

const X509Signer = z.strictObject({
  id: Id.describe('How rules name this signer.'),
  type: z.literal('x509').describe('A key with a certificate of a CA.'),
  key,
  passphrase,
  certificate: FilePath.describe('PEM file of the signing certificate.'),
  chain: FilePath.describe('PEM file of the intermediates and the root, in any order.'),
  former: Former,
});

const KeySigner = z.strictObject({
  id: Id.describe('How rules name this signer.'),
  type: z.literal('key').describe('A plain key without a certificate.'),
  key,
  passphrase,
  former: Former,
});

/** What the installation signs with. A key never stands in the file: it is a secret reference. */
export const SignerOptions = z.discriminatedUnion('type', [X509Signer, KeySigner]);
export type SignerOptions = z.output<typeof SignerOptions>;
