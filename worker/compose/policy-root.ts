import { AppError } from '#model/errors.ts';
import type { PolicySource } from '#policy/load.ts';
import { parseTrustedRoot, type TrustedRoot } from '#verification/trusted-root.ts';

/**
 * What the admission controller's Sigstore client trusts, of a `trusted_root.json`.
 * @throws AppError `trust-unreadable` naming the file.
 */
export async function policyRoot(
  path: string,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<Required<Pick<PolicySource, 'sigstoreRoot'>>> {
  const root = read(path, await readFile(path));
  return { sigstoreRoot: () => root };
}

function read(path: string, bytes: Uint8Array): TrustedRoot {
  try {
    return parseTrustedRoot(bytes);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const mend = error.mend === undefined ? {} : { mend: error.mend };
    throw new AppError(error.code, `${path}: ${error.message}`, { ...mend, cause: error });
  }
}
