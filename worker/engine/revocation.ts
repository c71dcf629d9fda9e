import { AppError } from '#model/errors.ts';
import type { Verdict } from '#model/verdict.ts';

/** Lists of revoked certificates that judging looked for and did not find. */
export interface RevocationFetcher {
  /** Fetches them; answers whether there was anything to wait for. */
  fetchWanted(signal?: AbortSignal): Promise<boolean>;
  /** Lists that were read before then are read again when they are next asked for. */
  renew(readBefore: Date): void;
}

/** Who fetches the lists; absent: nobody, and what lacks them stays unknown. */
interface Lists {
  readonly revocation?: RevocationFetcher;
}

/**
 * Judging opens no socket: what it lacks of revocation lists is fetched here, and it judges again. A certificate's list
 * is asked for only once its path was verified, since until then anybody may have written its address.
 */
export async function knowingRevocation<Result>(
  { revocation }: Lists,
  judge: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  try {
    return await judge();
  } catch (error) {
    const lacking = error instanceof AppError && error.code === 'revocation-unknown';
    if (!lacking || !(await revocation?.fetchWanted(signal))) throw error;
  }
  return await judge();
}

/** The same for verdicts, which say in a reason what they lacked. */
export async function verdictsKnowingRevocation(
  { revocation }: Lists,
  evaluate: () => readonly Verdict[],
  signal?: AbortSignal,
): Promise<readonly Verdict[]> {
  const verdicts = evaluate();
  const lacking = verdicts.some(({ reasons }) => reasons.some(({ code }) => code === 'revocation-unknown'));
  return lacking && (await revocation?.fetchWanted(signal)) ? evaluate() : verdicts;
}
