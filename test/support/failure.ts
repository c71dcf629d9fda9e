import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { AppError, type ErrorCode } from '#model/errors.ts';

/** What a test puts where a secret would be: no failure may show it. */
export const CANARY = 'T0PS3CRET';

/** The failure of work that must fail, with nothing secret in it. */
export async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AppError, String(error));
  assert.doesNotMatch(inspect(error, { depth: 10 }), new RegExp(CANARY));
  return error;
}

export async function fails(code: ErrorCode, work: Promise<unknown>, of?: string): Promise<void> {
  const error = await failure(work);
  assert.equal(error.code, code, `${of ?? ''} ${error.message}`);
}
