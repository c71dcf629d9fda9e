import type { AppError } from '#model/errors.ts';

/** A part of a policy that is not judged, with its place. */
export class UnsupportedClause extends Error {
  readonly clause: string;
  readonly reason: AppError;

  constructor(clause: string, reason: AppError) {
    super(reason.message);
    this.name = 'UnsupportedClause';
    this.clause = clause;
    this.reason = reason;
  }
}
