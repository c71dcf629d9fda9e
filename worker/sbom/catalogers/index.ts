import type { Cataloger } from '#sbom/cataloger.ts';
import { dpkg } from '#sbom/catalogers/dpkg.ts';
import { npm } from '#sbom/catalogers/npm.ts';
import { osRelease } from '#sbom/catalogers/os-release.ts';
import { python } from '#sbom/catalogers/python.ts';
import { unread } from '#sbom/catalogers/unread.ts';

/** Every kind of package evidence that is read in an image. Images hold installed evidence: no lock files. */
export const CATALOGERS: readonly Cataloger[] = [osRelease, dpkg, npm, python, unread];
