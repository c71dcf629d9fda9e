import * as z from 'zod';
import { duration, FilePath, Id, oneOrMore } from '#model/settings.ts';

/** One policy: the documents in its files, and how often the images that it covers are checked again. */
export const PolicyOptions = z.strictObject({
  id: Id.describe('How rules name this policy.'),
  file: oneOrMore(FilePath, 100).describe('One YAML file or several; a file may hold several documents.'),
  every: duration('1m', '90d').prefault('6h').describe('How often an image is verified again under this policy.'),
});
export type PolicyOptions = z.output<typeof PolicyOptions>;
