import * as z from 'zod';
import { exactlyOneForm, FilePath, Id } from '#model/settings.ts';

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
    requireLog: z.boolean().default(false).describe('Whether a transparency log entry is required.'),
  })
  .superRefine(exactlyOneForm([['certificateChain'], ['caRoots'], ['key']]))
  .superRefine((given, context) => {
    if (given.key === undefined || given.identity === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['identity'],
      message: 'a plain key has no identity',
      params: { mend: 'remove identity, or trust a certificateChain or caRoots' },
    });
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
