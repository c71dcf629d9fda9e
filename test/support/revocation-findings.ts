import assert from 'node:assert/strict';
import { AppError } from '#model/errors.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

export function assertUnknown(found: unknown, wanted: RegExp): void {
  assert.ok(found instanceof AppError, JSON.stringify(found));
  assert.equal(found.code, 'revocation-unknown');
  assert.match(found.message, wanted);
}

export function assertDefect(found: unknown, code: string, wanted = /./): void {
  assert.ok(typeof found === 'object' && found !== null && 'code' in found && !(found instanceof AppError), `${found}`);
  assert.equal(found.code, code);
  assert.match((found as EvidenceDefect).message, wanted);
}
