import { checkStatement, statementOf } from '#engine/handed-in.ts';
import type { HandInParts } from '#producer/admin/hand-in.ts';
import { parseStrictJson } from '#verification/strict-json.ts';

/** How what is handed in is read: as strictly as what is verified. */
export const HAND_IN_READING: Pick<HandInParts, 'readJson' | 'readStatement'> = {
  readJson: parseStrictJson,
  readStatement: (about, given) =>
    'statement' in given
      ? checkStatement(about, given.statement, given.predicateType)
      : statementOf(about, given.predicateType, given.predicate),
};
