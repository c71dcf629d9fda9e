import * as z from 'zod';
import {
  byteSize,
  duration,
  FilePath,
  FingerprintOrPath,
  HttpUrl,
  Id,
  KeyAccess,
  KeyReferenceText,
  oneOrMore,
  SecretReference,
} from '#model/settings.ts';

const ca = FilePath.exactOptional().describe("PEM file of the CA that signed the server's certificate.");
const proxy = HttpUrl.exactOptional().describe('HTTP proxy to reach the server through.');
const timeout = duration('1s', '5m').prefault('30s').describe('How long one exchange may take.');
const server = { ca, proxy, timeout };

const RekorWitness = z.strictObject({
  id: Id.describe('How signers name this witness.'),
  type: z.literal('rekor').describe('A transparency log.'),
  version: z
    .literal([1, 2])
    .default(1)
    .describe('Of Rekor. Version 2 tells no time, and only bundles can hold its entries.'),
  url: HttpUrl.describe('Address of the log, without /api.'),
  key: FilePath.exactOptional().describe(
    'PEM file of the public key of the log. Absent: entries are checked as far as that is possible without it.',
  ),
  origin: z
    .string()
    .min(1)
    .max(255)
    .exactOptional()
    .describe('Host by which a log of version 2 signs; the one of `url` when absent.'),
  maxRequest: byteSize('64KiB', '512MiB')
    .prefault('32MiB')
    .describe('Largest request that a log of version 1, or what stands before it, takes.'),
  ...server,
});

const TimestampWitness = z.strictObject({
  id: Id.describe('How signers name this witness.'),
  type: z.literal('timestamp-authority').describe('An authority that tells the time (RFC 3161).'),
  url: HttpUrl.describe('Where requests are posted, path included.'),
  chain: FilePath.exactOptional().describe(
    'PEM file of the certificates of the authority up to its root. Absent: any that signed the answer counts.',
  ),
  ...server,
});

/** Who testifies to signatures. Signers name those that they want, and a log or authority is written once. */
export const WitnessOptions = z.discriminatedUnion('type', [RekorWitness, TimestampWitness]);
export type WitnessOptions = z.output<typeof WitnessOptions>;

const witnesses = oneOrMore(Id, 10, 0).prefault([]).describe('Ids of the witnesses of its signatures.');

const audience = z.string().min(1).max(255).default('sigstore').describe('Whom the identity tokens are for.');

const IdentityTokenOptions = z
  .discriminatedUnion('from', [
    z.strictObject({
      from: z.literal('file').describe('A file that something else renews, e.g. a projected token of Kubernetes.'),
      path: FilePath.describe('The file, read at each use.'),
      audience,
    }),
    z.strictObject({
      from: z.literal('spiffe').describe('A JWT-SVID that a SPIFFE agent renews.'),
      path: FilePath.describe('The file, read at each use.'),
      audience,
    }),
    z.strictObject({ from: z.literal('github').describe('A job of GitHub Actions with id-token: write.'), audience }),
    z.strictObject({
      from: z.literal('gitlab').describe('A job of GitLab CI with id_tokens.'),
      variable: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'not the name of a variable')
        .default('SIGSTORE_ID_TOKEN')
        .describe('Environment variable that holds the token.'),
      audience,
    }),
    z.strictObject({
      from: z.literal('buildkite').describe('A job of Buildkite: its agent is asked.'),
      agent: FilePath.exactOptional().describe('The agent; looked for on the PATH when absent.'),
      audience,
      timeout,
    }),
    z.strictObject({
      from: z.literal('client-credentials').describe('A client of an OAuth 2 server.'),
      issuer: HttpUrl.describe('The issuer, as its discovery document has it.'),
      tokenUrl: HttpUrl.exactOptional().describe('Where tokens are asked for; absent: discovered.'),
      clientId: z.string().min(1).max(255).describe('Id of the client.'),
      clientSecret: SecretReference.describe('Secret of the client, as a secret reference, read at each use.'),
      scope: z.string().min(1).max(1024).exactOptional().describe('Scope to ask for.'),
      resource: z.string().min(1).max(1024).exactOptional().describe('Resource indicator (RFC 8707) to ask for.'),
      audience,
      ...server,
    }),
  ])
  .describe('Where its identity tokens come from.');
export type IdentityTokenOptions = z.output<typeof IdentityTokenOptions>;

const KeylessSigner = z.strictObject({
  id: Id.describe('How rules name this signer.'),
  type: z.literal('keyless').describe('An identity for which Fulcio certifies a key for some minutes.'),
  fulcio: z
    .strictObject({
      url: HttpUrl.describe('Address of Fulcio, without /api.'),
      version: z.literal([1, 2]).default(2).describe('Of its API.'),
      ...server,
    })
    .describe('The CA.'),
  identity: z
    .strictObject({
      subject: z.string().min(1).max(2048).describe('URI or e-mail address that the certificates must name.'),
      issuer: z.string().min(1).max(2048).describe('Issuer that they must name.'),
    })
    .describe('Whom verifiers ask for. A certificate of anybody else is not used.'),
  token: IdentityTokenOptions,
  trust: Id.describe('Id of the trust that holds root and intermediates of this Fulcio.'),
  witnesses: oneOrMore(Id, 10, 1).describe('Ids of the witnesses of its signatures; one of them must tell the time.'),
  former: oneOrMore(FingerprintOrPath, 100, 0).prefault([]).describe('Earlier certificates or keys of this signer.'),
});
export type KeylessSignerOptions = z.output<typeof KeylessSigner>;

const Former = oneOrMore(FingerprintOrPath, 100, 0)
  .prefault([])
  .describe('Earlier certificates or keys of this signer: SHA-256 fingerprints (64 hex digits) or PEM files.');

const key = KeyReferenceText.describe(
  'The key: a secret reference of one in PEM, or `awskms://`, `azurekms://`, `gcpkms://`, `hashivault://`, `pkcs11:`.',
);
const passphrase = SecretReference.exactOptional().describe(
  'Passphrase of the key, or PIN of the token, as a secret reference.',
);
const access = KeyAccess.exactOptional().describe(
  'How the service or token of the key is reached, by the names of its environment variables, which it overrides.',
);

const X509Signer = z.strictObject({
  id: Id.describe('How rules name this signer.'),
  type: z.literal('x509').describe('A key with a certificate of a CA.'),
  key,
  passphrase,
  access,
  certificate: FilePath.describe('PEM file of the signing certificate.'),
  chain: FilePath.describe('PEM file of the intermediates and the root, in any order.'),
  witnesses,
  former: Former,
});

const KeySigner = z.strictObject({
  id: Id.describe('How rules name this signer.'),
  type: z.literal('key').describe('A plain key without a certificate.'),
  key,
  passphrase,
  access,
  witnesses,
  former: Former,
});

/** What the installation signs with. A key never stands in the file: it is a secret reference. */
export const SignerOptions = z.discriminatedUnion('type', [X509Signer, KeySigner, KeylessSigner]);
export type SignerOptions = z.output<typeof SignerOptions>;
