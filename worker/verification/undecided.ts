import { AppError, type ErrorCode } from '#model/errors.ts';

/** Failures that leave evidence neither held nor bad: it could not be judged. */
const UNDECIDED: readonly ErrorCode[] = ['policy-unsupported', 'trust-unavailable', 'revocation-unknown'];

/** Whether an error of judging evidence is about this evidence and attestor alone; the others go on being thrown. */
export function isUndecided(error: unknown): error is AppError {
  return error instanceof AppError && UNDECIDED.includes(error.code);
}
