import { AppError } from '#model/errors.ts';
import type { Evidence, RawEvidence } from '#model/evidence.ts';
import { unsupported } from '#policy/unsupported.ts';
import { isUndecided } from '#verification/undecided.ts';

export interface JudgedPieces {
  readonly judged: readonly Evidence[];
  /** Why pieces could not be checked. */
  readonly undecided: readonly AppError[];
}

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
