import { type Digest, digestHex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { STATEMENT_V1 } from '#model/media-types.ts';
import { canonicalJson } from '#predicates/canonical-json.ts';

export interface StatementInput {
  /** `registry/repository`, no tag. */
  readonly subjectName: string;
  readonly subjectDigest: Digest;
  /** Exact URI: every verifier compares it as a string. */
  readonly predicateType: string;
  readonly predicate: unknown;
}

/**
 * The bytes of an in-toto Statement v1 with one subject: what is signed. Only the members that the strictest reader
 * knows (interop D.3 and K.1, 5); equal input gives equal bytes.
 * @throws AppError `usage` when the predicate is no object, the type no URI, or a value cannot be written.
 */
export function statementBytes(input: StatementInput): Uint8Array {
  const { subjectName, subjectDigest, predicateType, predicate } = input;
  if (!subjectDigest.startsWith('sha256:')) {
    throw refused('subject.digest', `${subjectDigest.slice(0, 20)} is not sha256, and verifiers look up sha256 only`);
  }
  if (subjectName === '' || subjectName.includes('@')) throw refused('subject.name', 'is not registry/repository');
  if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(predicateType)) throw refused('predicateType', 'is not a URI');
  if (typeof predicate !== 'object' || predicate === null || Array.isArray(predicate)) {
    throw refused('predicate', 'is not a JSON object, and strict readers accept no other');
  }
  const statement = {
    _type: STATEMENT_V1,
    subject: [{ name: subjectName, digest: { sha256: digestHex(subjectDigest) } }],
    predicateType,
    predicate,
  };
  return new TextEncoder().encode(canonicalJson(statement));
}

function refused(field: string, why: string): AppError {
  return new AppError('usage', `the statement cannot be written: ${field} ${why}`, { field });
}
