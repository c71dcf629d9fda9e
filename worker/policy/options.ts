import * as z from 'zod';
import { duration, FilePath, Id, oneOrMore } from '#model/settings.ts';

/** One policy: the documents in its files, and how often the images that it covers are checked again. */
export const PolicyOptions = z.strictObject({
  id: Id.describe('How rules name this policy.'),
  file: oneOrMore(FilePath, 100).describe('One YAML file or several; a file may hold several documents.'),
  trustedRoot: FilePath.optional().describe(
    "trusted_root.json that the admission controller's Sigstore client holds: policies of the type SigstoreBundle name no roots of their own.",
  ),
  every: duration('1m', '90d').prefault('6h').describe('How often an image is verified again under this policy.'),
});
export type PolicyOptions = z.output<typeof PolicyOptions>;
