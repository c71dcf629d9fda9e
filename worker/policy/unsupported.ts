import { AppError } from '#model/errors.ts';

/**
 * A form of a policy that we do not judge yet. It is thrown where it is met and ends as outcome `error` of the policy,
 * with the clause: never a pass, and never a guessed fail.
 */
export function unsupported(what: string, mend?: string): AppError {
  return new AppError('policy-unsupported', what, mend === undefined ? {} : { mend });
}
