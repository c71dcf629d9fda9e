import { verifyCompatPath } from '#crypto/compat-path.ts';
import type { PathInput, PathResult } from '#crypto/path-input.ts';
import { verifyStrictPath } from '#crypto/strict-path.ts';

export type { PathInput, PathResult } from '#crypto/path-input.ts';

/** Whose reading of X.509 counts: that of Kyverno and cosign, or the whole code signing profile. */
export type PathProfile = 'compat' | 'strict';

/** Whether a certificate leads to a trusted one, by the reading of `profile`. */
export function verifyPath({ profile, ...input }: PathInput & { readonly profile: PathProfile }): PathResult {
  switch (profile) {
    case 'compat':
      return verifyCompatPath(input);
    case 'strict':
      return verifyStrictPath(input);
  }
}
