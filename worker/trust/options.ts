import * as z from 'zod';
import { duration, exactlyOneForm, FilePath, HttpUrl, Id, RegistryName, urlOrSecret } from '#model/settings.ts';

/** Whose signatures count, told apart by the member that says it. */
export type TrustAnchors =
  | { readonly kind: 'certificateChain' | 'caRoots' | 'key' | 'trustedRoot'; readonly file: string }
  | { readonly kind: 'tuf'; readonly tuf: TufOptions }
  | { readonly kind: 'sigstore' };

const FILES = ['certificateChain', 'caRoots', 'key', 'trustedRoot'] as const;

/** Whether responders are asked; absent: none is. */
const OcspOptions = z.strictObject({
  responder: HttpUrl.exactOptional().describe(
    'Address of the responder that is asked for every certificate. Absent: the one that each certificate names.',
  ),
  nonce: z
    .boolean()
    .default(true)
    .describe('Whether each question carries a nonce that must come back. false: the times of answers decide alone.'),
});
type OcspOptions = z.output<typeof OcspOptions>;

/** Whether the CA has taken certificates back; absent: it is not asked. */
export const RevocationOptions = z.strictObject({
  check: z.enum(['leaf', 'chain']).describe('The signing certificate alone, or every certificate below the anchor.'),
  lists: z
    .array(urlOrSecret('https:', 'http:'))
    .max(32)
    .default([])
    .describe('CRLs in PEM or DER: file:/path, env:NAME or a URL. They take the place of distribution points.'),
  hosts: z
    .array(RegistryName)
    .max(100)
    .default([])
    .describe('Hosts of distribution points and responders in certificates that may be asked: host or host:port.'),
  ocsp: z
    .union([z.boolean().transform((on): OcspOptions | undefined => (on ? { nonce: true } : undefined)), OcspOptions])
    .exactOptional()
    .describe('Whether responders are asked (OCSP), in place of the lists at distribution points. Default: false.'),
  whenUnlisted: z
    .enum(['pass', 'error'])
    .default('pass')
    .describe('What a certificate counts as for which there is no list, no distribution point and no responder.'),
  timestamped: z
    .enum(['refuse', 'accept'])
    .default('refuse')
    .describe(
      'A signature proven to be older than the revocation: accept takes it unless the key may have been stolen.',
    ),
});
export type RevocationOptions = z.output<typeof RevocationOptions>;

const TufOptions = z.strictObject({
  mirror: HttpUrl.describe('Address of the repository, where its metadata lies.'),
  root: FilePath.describe('File of its root metadata (root.json); newer versions are verified from it.'),
  target: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}(?:\/[A-Za-z0-9._-]{1,128}){0,8}$/)
    .default('trusted_root.json')
    .describe('Name of the trusted root in it.'),
  ca: FilePath.exactOptional().describe("PEM file of the CA that signed the server's certificate."),
  proxy: HttpUrl.exactOptional().describe('HTTP proxy to reach the server through.'),
  timeout: duration('1s', '5m').prefault('30s').describe('How long one exchange may take.'),
});
export type TufOptions = z.output<typeof TufOptions>;

const text = (meaning: string) => z.string().min(1).max(2048).exactOptional().describe(meaning);

/** What the certificate must name. */
const IdentityOptions = z
  .strictObject({
    subject: text('Exact URI or e-mail of the holder.'),
    subjectRegExp: text('Regular expression (RE2) that the whole URI or e-mail must match.'),
    issuer: text('Exact issuer of the identity, as Fulcio writes it into the certificate.'),
    issuerRegExp: text('Regular expression (RE2) that the whole issuer must match.'),
  })
  .superRefine((given, context) => {
    for (const name of ['subject', 'issuer'] as const) {
      if (given[name] === undefined || given[`${name}RegExp`] === undefined) continue;
      const params = { mend: `keep one of ${name} and ${name}RegExp` };
      context.addIssue({ code: 'custom', path: [`${name}RegExp`], message: `${name} is asked for twice`, params });
    }
  });
export type IdentityOptions = z.output<typeof IdentityOptions>;

const Log = z.union([
  FilePath.transform((key) => ({ key })),
  z.strictObject({
    key: FilePath.describe('PEM file of the public key of the log.'),
    origin: z.string().min(1).max(255).exactOptional().describe('Host by which a log of Rekor v2 signs.'),
  }),
]);

const files = z.array(FilePath).max(32).default([]);
const demand = (what: string) =>
  z
    .enum(['required', 'optional', 'ignored'])
    .exactOptional()
    .describe(`${what} Absent: required where the trust knows whom to ask. Optional: must hold where it is there.`);

/** Members that speak of certificates. */
const OF_CERTIFICATES = {
  identity: 'identity',
  revocation: 'certificate to take back',
  certificateTimestamp: 'certificate to be logged',
  certificateLogs: 'certificate to be logged',
} as const;
/** Members that a trusted root holds itself. */
const IN_ROOT = ['logs', 'certificateLogs', 'timestampAuthorities'] as const;

const Trust = z.strictObject({
  id: Id.describe('How rules name this trust.'),
  certificateChain: FilePath.exactOptional().describe('PEM file of a CA chain: intermediates and root.'),
  caRoots: FilePath.exactOptional().describe('PEM file of root certificates only.'),
  key: FilePath.exactOptional().describe('PEM file of a public key.'),
  trustedRoot: FilePath.exactOptional().describe('trusted_root.json: CAs, logs and timestamp authorities.'),
  tuf: TufOptions.exactOptional().describe('TUF repository that publishes a trusted root; fetched daily.'),
  sigstore: z
    .literal('public-good')
    .exactOptional()
    .describe("Sigstore's public instance, by its TUF repository. Wants an identity with subject and issuer."),
  identity: z
    .union([
      z
        .string()
        .min(1)
        .max(2048)
        .transform((subject): IdentityOptions => ({ subject })),
      IdentityOptions,
    ])
    .exactOptional()
    .describe('Exact URI or e-mail that the certificate must name, or more; absent: any that the CA certified.'),
  transparencyLog: demand('Entry of a transparency log.'),
  logs: z.array(Log).max(32).default([]).describe('Public keys of the transparency logs that count, in PEM.'),
  certificateTimestamp: z
    .enum(['required', 'ignored'])
    .exactOptional()
    .describe('Timestamp of a certificate log (SCT). Absent: required where the trust knows such a log.'),
  certificateLogs: files.describe('Public keys of the certificate logs that count, in PEM.'),
  timestamps: demand('Timestamp of an authority (RFC 3161).'),
  timestampAuthorities: files.describe('Chains of the timestamp authorities that count, in PEM, a file each.'),
  revocation: RevocationOptions.exactOptional().describe(
    'Whether revoked certificates count; absent: nothing is fetched.',
  ),
});
type Given = z.output<typeof Trust>;

export const TrustOptions = Trust.superRefine(
  exactlyOneForm([['certificateChain'], ['caRoots'], ['key'], ['trustedRoot'], ['tuf'], ['sigstore']]),
)
  .superRefine((given, context) => {
    for (const { path, message, mend } of contradictions(given)) {
      context.addIssue({ code: 'custom', path: [path], message, params: { mend } });
    }
  })
  .transform(({ certificateChain, caRoots, key, trustedRoot, tuf, sigstore, ...rest }) => ({
    ...rest,
    anchors: anchorsOf({ certificateChain, caRoots, key, trustedRoot, tuf, sigstore }),
  }));
export type TrustOptions = z.output<typeof TrustOptions>;

function anchorsOf(given: { readonly [Name in keyof Given]?: Given[Name] | undefined }): TrustAnchors {
  if (given.tuf !== undefined) return { kind: 'tuf', tuf: given.tuf };
  if (given.sigstore !== undefined) return { kind: 'sigstore' };
  const kind = FILES.find((name) => given[name] !== undefined) ?? 'key';
  return { kind, file: given[kind] ?? '' };
}

interface Contradiction {
  readonly path: keyof Given;
  readonly message: string;
  readonly mend: string;
}

function contradictions(given: Given): readonly Contradiction[] {
  const isRoot = given.trustedRoot !== undefined || given.tuf !== undefined || given.sigstore !== undefined;
  return [
    ...(given.key === undefined ? [] : aboutCertificates(given)),
    ...(isRoot ? heldTwice(given) : unanswerable(given)),
    ...(given.sigstore === undefined ? [] : anonymous(given)),
  ];
}

function aboutCertificates(given: Given): readonly Contradiction[] {
  const names = Object.keys(OF_CERTIFICATES) as (keyof typeof OF_CERTIFICATES)[];
  return names
    .filter((name) => isGiven(given[name]))
    .map((path) => ({
      path,
      message: `a plain key has no ${OF_CERTIFICATES[path]}`,
      mend: `remove ${path}, or trust a certificateChain or caRoots`,
    }));
}

function heldTwice(given: Given): readonly Contradiction[] {
  return IN_ROOT.filter((name) => isGiven(given[name])).map((path) => ({
    path,
    message: 'a trusted root holds these itself',
    mend: `remove ${path}, or add them to the trusted root`,
  }));
}

/** What nobody here could check, since no key is given for it. */
function unanswerable(given: Given): readonly Contradiction[] {
  const pairs = [
    ['transparencyLog', 'logs', 'the public key of the log'],
    ['certificateTimestamp', 'certificateLogs', 'the public key of the certificate log'],
    ['timestamps', 'timestampAuthorities', 'the certificates of the authority'],
  ] as const;
  return pairs
    .filter(([asked, by]) => given[asked] !== undefined && given[asked] !== 'ignored' && given[by].length === 0)
    .map(([path, by, what]) => ({
      path,
      message: `nothing is given to check it with`,
      mend: `name ${what} under ${by}`,
    }));
}

/** Anybody gets a certificate of the public instance. */
function anonymous({ identity }: Given): readonly Contradiction[] {
  const subject = identity?.subject ?? identity?.subjectRegExp;
  const issuer = identity?.issuer ?? identity?.issuerRegExp;
  if (subject !== undefined && issuer !== undefined) return [];
  const message = 'the public instance certifies anybody, so this trust would believe anybody';
  return [{ path: 'identity', message, mend: 'write identity with subject and issuer' }];
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}
