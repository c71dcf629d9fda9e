import * as z from 'zod';
import { exactlyOneForm, FilePath, Id, RegistryName, urlOrSecret } from '#model/settings.ts';

/** Whose signatures count. The three kinds are told apart by the member that holds the file. */
export type TrustAnchors =
  | { readonly kind: 'certificateChain'; readonly file: string }
  | { readonly kind: 'caRoots'; readonly file: string }
  | { readonly kind: 'key'; readonly file: string };

function anchorsOf(given: { certificateChain?: string; caRoots?: string; key?: string }): TrustAnchors {
  if (given.certificateChain !== undefined) return { kind: 'certificateChain', file: given.certificateChain };
  if (given.caRoots !== undefined) return { kind: 'caRoots', file: given.caRoots };
  return { kind: 'key', file: given.key ?? '' };
}

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
    .describe('Hosts from which the lists at distribution points may be fetched: host or host:port.'),
  whenUnlisted: z
    .enum(['pass', 'error'])
    .default('pass')
    .describe('What a certificate counts as for which there is neither a list nor a distribution point.'),
  timestamped: z
    .enum(['refuse', 'accept'])
    .default('refuse')
    .describe(
      'A signature proven to be older than the revocation: accept takes it unless the key may have been stolen.',
    ),
});
export type RevocationOptions = z.output<typeof RevocationOptions>;

/** Members that say something of a certificate. */
const OF_CERTIFICATES = { identity: 'identity', revocation: 'certificate to take back' };

export const TrustOptions = z
  .strictObject({
    id: Id.describe('How rules name this trust.'),
    certificateChain: FilePath.exactOptional().describe('PEM file of a CA chain: intermediates and root.'),
    caRoots: FilePath.exactOptional().describe('PEM file of root certificates only.'),
    key: FilePath.exactOptional().describe('PEM file of a public key.'),
    identity: z
      .string()
      .min(1)
      .max(2048)
      .exactOptional()
      .describe('Exact URI or e-mail that the certificate must name; absent: any that the CA certified.'),
    revocation: RevocationOptions.exactOptional().describe(
      'Whether revoked certificates count; absent: nothing is fetched.',
    ),
    requireLog: z.boolean().default(false).describe('Whether a transparency log entry is required.'),
  })
  .superRefine(exactlyOneForm([['certificateChain'], ['caRoots'], ['key']]))
  .superRefine((given, context) => {
    for (const [member, what] of Object.entries(OF_CERTIFICATES)) {
      if (given.key === undefined || given[member as keyof typeof given] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [member],
        message: `a plain key has no ${what}`,
        params: { mend: `remove ${member}, or trust a certificateChain or caRoots` },
      });
    }
  })
  .transform(({ certificateChain, caRoots, key, ...rest }) => ({
    ...rest,
    anchors: anchorsOf({
      ...(certificateChain === undefined ? {} : { certificateChain }),
      ...(caRoots === undefined ? {} : { caRoots }),
      ...(key === undefined ? {} : { key }),
    }),
  }));
export type TrustOptions = z.output<typeof TrustOptions>;
