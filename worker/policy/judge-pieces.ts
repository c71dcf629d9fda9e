import { AppError } from '#model/errors.ts';
import type { Evidence, EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import type { CheckResult } from '#policy/attestor-set.ts';
import { unsupported } from '#policy/unsupported.ts';
import { isUndecided } from '#verification/undecided.ts';

export interface JudgedPieces {
  readonly judged: readonly Evidence[];
  /** Why pieces could not be checked. */
  readonly undecided: readonly AppError[];
}

/** What lies where an attestor looks, judged; or the result that is reached before any piece is. */
export type JudgedLocation =
  | (JudgedPieces & { readonly ok: true; readonly location: EvidenceLocation })
  | { readonly ok: false; readonly result: CheckResult };

/** Every piece, or why it could not be checked. */
export function judgePieces(pieces: readonly RawEvidence[], judge: (raw: RawEvidence) => Evidence): JudgedPieces {
  const judged: Evidence[] = [];
  const undecided: AppError[] = [];
  for (const raw of pieces) {
    const evidence = orUnsupported(() => judge(raw));
    if (evidence instanceof AppError) undecided.push(evidence);
    else judged.push(evidence);
  }
  return { judged, undecided };
}

/** The result, or the named form that is not supported and that it met. */
export function orUnsupported<Result>(work: () => Result): Result | AppError {
  try {
    return work();
  } catch (error) {
    if (isUndecided(error)) return error;
    // The readers of a predicate are recursive, and statements may be nested as deeply as the stack.
    if (error instanceof RangeError) return unsupported('a predicate that is nested so deeply');
    throw error;
  }
}
