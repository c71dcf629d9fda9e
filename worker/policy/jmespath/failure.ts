/**
 * Why an expression gives no value. `not-found` names a member that an object does not have: Kyverno's dialect of
 * JMESPath fails there where the standard says null, and recovers from it in `||` and the like.
 */
export class ExpressionFailure extends Error {
  readonly kind: 'not-found' | 'failed';

  constructor(kind: 'not-found' | 'failed', message: string) {
    super(message);
    this.name = 'ExpressionFailure';
    this.kind = kind;
  }
}

export function failed(message: string): ExpressionFailure {
  return new ExpressionFailure('failed', message);
}
