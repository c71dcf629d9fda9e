import { type Digest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Evidence, Statement } from '#model/evidence.ts';
import { parseStatement } from '#verification/statement.ts';
import { subjectDefect } from '#verification/statement-subject.ts';

/** A statement that is not made from the image: handed in, taken over from others, or a verification summary. */
export interface ReadyStatement {
  /** The digest that it names, and where it is attached: the image, or one of its platform images. */
  readonly subject: Digest;
  /** Digest of the payload. */
  readonly digest: Digest;
  /** Signed unaltered. Absent: it can only be listed again, from what was once written. */
  readonly payload?: Uint8Array;
  /** Whether a piece that holds says the same, so that nothing has to be signed. */
  isSame(evidence: Evidence): boolean;
  /** Whether an earlier statement of the same signer and type has to make room for it. */
  supersedes(earlier: Statement): boolean;
}

/** `replace`: it takes the place of every earlier statement of its signer and type. */
export function readyStatement(subject: Digest, payload: Uint8Array, replace: boolean): ReadyStatement {
  const digest = sha256(payload);
  return {
    subject,
    digest,
    payload,
    isSame: ({ payloadDigest }) => payloadDigest === digest,
    supersedes: () => replace,
  };
}

/** What was written once, by the record of it: nothing can be signed from that. */
export function recordedStatement(subject: Digest, digest: Digest): ReadyStatement {
  return { subject, digest, isSame: ({ payloadDigest }) => payloadDigest === digest, supersedes: () => false };
}

/**
 * The last look before a statement that was not made here is signed, wherever it came from: one reading for all
 * parsers, the type that was asked for, and this digest.
 * @throws AppError `statement-refused`.
 */
export function checkedPayload({ payload }: ReadyStatement, digest: Digest, predicateType: string): Uint8Array {
  if (!payload) throw new AppError('internal', `nothing to sign for ${predicateType} ${digest}`);
  const reading = parseStatement(payload, 'strict');
  const problem = reading.ok
    ? (subjectDefect(reading.statement, digest)?.message ?? otherType(reading.statement, predicateType))
    : reading.defect.message;
  if (problem === undefined) return payload;
  throw new AppError('statement-refused', problem, { field: 'statement', mend: 'send a statement about this digest' });
}

function otherType({ predicateType }: Statement, wanted: string): string | undefined {
  return predicateType === wanted
    ? undefined
    : `the statement is of type ${predicateType.slice(0, 200)}, not ${wanted}`;
}
