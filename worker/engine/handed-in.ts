import { type Digest, digestHex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Statement } from '#model/evidence.ts';
import { isOfFamily } from '#model/evidence-type.ts';
import { formatRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';
import { predicateProblem } from '#predicates/given-predicate.ts';
import { statementBytes } from '#predicates/statement.ts';
import { parseStatement } from '#verification/statement.ts';
import { subjectDefect } from '#verification/statement-subject.ts';
import { parseStrictJson } from '#verification/strict-json.ts';

/** A statement that somebody made, fit to be signed about one image. */
export interface CheckedStatement {
  readonly payload: Uint8Array;
  readonly predicateType: string;
}

type About = RepositoryRef & { readonly digest: Digest };

/** Bytes of a statement. Kyverno reads bundles of 10 MB, cosign attachments of 128 MiB, in base64. */
export const MAX_STATEMENT_BYTES = 32 * 1024 * 1024;
/** Of every version (interop A.3.3). */
const IMAGE_SIGNATURE = 'https://sigstore.dev/cosign/sign';
/** The cap of sigstore’s readers (interop D.3). */
const MAX_SUBJECTS = 1024;

/**
 * The statement about an image that a predicate makes. The predicate is read as strictly as verifiers read it, and judged
 * by the form of its type.
 * @throws AppError `statement-refused` naming the member.
 */
export function predicateStatement(about: About, predicateType: string, bytes: Uint8Array): CheckedStatement {
  requireSize(bytes, 'the predicate', 'predicate');
  const json = parseStrictJson(bytes);
  if (!json.ok) throw refused('predicate', `the predicate cannot be read: ${json.problem}`, 'send JSON in UTF-8');
  return statementOf(about, predicateType, json.value);
}

/** The same of a predicate that is parsed already, from JSON that was read strictly. */
export function statementOf(about: About, predicateType: string, predicate: unknown): CheckedStatement {
  requireForm(predicateType, predicate);
  const subjectName = formatRepositoryRef(about);
  try {
    const payload = statementBytes({ subjectName, subjectDigest: about.digest, predicateType, predicate });
    requireSize(payload, 'the statement', 'predicate');
    return { payload, predicateType };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'usage') throw error;
    throw refused(error.field ?? 'predicate', error.message, error.mend ?? 'write it as a string');
  }
}

/**
 * Checks a whole statement, which is then signed unaltered: the strict reading, this image and no other in every subject,
 * digests in lower-case hex, the form of its type. A second subject would make our signature speak of an image for which
 * no rule was asked.
 * @throws AppError `statement-refused` naming the member.
 */
export function checkStatement(
  about: Pick<About, 'digest'>,
  bytes: Uint8Array,
  predicateType?: string,
): CheckedStatement {
  requireSize(bytes, 'the statement', 'statement');
  const reading = parseStatement(bytes, 'strict');
  if (!reading.ok) throw refused('statement', reading.defect.message, 'write an in-toto Statement v1 in JSON');
  const { statement } = reading;
  if (predicateType !== undefined && statement.predicateType !== predicateType) {
    const message = `the statement is of type ${statement.predicateType.slice(0, 200)}, not ${predicateType}`;
    throw refused('statement.predicateType', message, 'name the type that the statement has');
  }
  requireSubjects(statement, about.digest);
  requireForm(statement.predicateType, statement.predicate);
  requireExactNumbers(statement.predicate, 'statement.predicate');
  return { payload: bytes, predicateType: statement.predicateType };
}

function requireSize({ byteLength }: Uint8Array, what: string, field: string): void {
  if (byteLength <= MAX_STATEMENT_BYTES) return;
  const message = `${what} has ${byteLength} bytes, the limit is ${MAX_STATEMENT_BYTES}`;
  throw refused(field, message, 'send what a policy needs, and the address of the rest');
}

function requireForm(predicateType: string, predicate: unknown): void {
  if (isOfFamily(predicateType, IMAGE_SIGNATURE)) {
    const message = `${predicateType} says that the image itself is signed: it is made of the image, never handed in`;
    const mend =
      'sign the image with attestry attest IMAGE --type signature, or by an entry `type: signature` of a rule';
    throw refused('predicateType', message, mend);
  }
  const problem = predicateProblem(predicateType, predicate);
  if (problem) throw refused(problem.field, `${problem.field} ${problem.message}`, problem.mend);
}

function requireSubjects(statement: Statement, digest: Digest): void {
  const mend = `write one subject with the digest sha256 ${digestHex(digest)}`;
  const defect = subjectDefect(statement, digest);
  if (defect) throw refused('statement.subject', defect.message, mend);
  if (statement.subject.length > MAX_SUBJECTS) {
    throw refused('statement.subject', `more than ${MAX_SUBJECTS} subjects`, mend);
  }
  for (const [at, { digest: digests }] of statement.subject.entries()) {
    const field = `statement.subject[${at}]`;
    if (digests.sha256 !== digestHex(digest)) throw refused(field, `${field} is another image, or none`, mend);
    const incomparable = Object.keys(digests).find((algorithm) => algorithm !== 'sha256');
    if (incomparable !== undefined) {
      throw refused(`${field}.digest.${incomparable}`, `nobody can compare ${incomparable} with this image`, mend);
    }
    const odd = Object.entries(digests).find(([, hex]) => !/^(?:[0-9a-f]{2})+$/.test(hex));
    if (odd) throw refused(`${field}.digest.${odd[0]}`, `${field}.digest.${odd[0]} is not lower-case hex`, mend);
  }
}

/** Readers pass numbers through doubles: what they would round must not be signed (interop D.3). */
function requireExactNumbers(value: unknown, path: string): void {
  const open: { value: unknown; path: string }[] = [{ value, path }];
  for (let next = open.pop(); next; next = open.pop()) {
    if (typeof next.value === 'number' && Number.isInteger(next.value) && !Number.isSafeInteger(next.value)) {
      throw refused(
        next.path,
        `${next.path} is an integer beyond 2^53, which readers would round`,
        'write it as a string',
      );
    }
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const [name, inner] of Object.entries(next.value)) open.push({ value: inner, path: `${next.path}.${name}` });
  }
}

function refused(field: string, message: string, mend: string): AppError {
  return new AppError('statement-refused', message, { field: field.slice(0, 200), mend });
}
