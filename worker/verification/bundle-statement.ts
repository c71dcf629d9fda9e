import type { Digest } from '#model/digest.ts';
import type { Statement } from '#model/evidence.ts';
import { COSIGN_SIGN } from '#model/media-types.ts';
import type { SignedClaim } from '#verification/signed-content.ts';
import { type Profile, parseStatement } from '#verification/statement.ts';
import { subjectDefect } from '#verification/statement-subject.ts';

/** What sigstore-go takes of one statement. */
const MAX_SUBJECTS = 1024;
const MAX_DIGESTS = 32;

/**
 * What the envelope of a bundle says. A statement of cosign's type for image signatures is one, and says so in the form
 * of the legacy ones too (interop specification A.3.3). All digests must be hex; sigstore-go reads the statement by its
 * protobuf schema, and takes hex in any case.
 */
export function readBundleStatement(payload: Uint8Array, digest: Digest, profile: Profile): SignedClaim {
  const reading = parseStatement(payload, profile);
  if (!reading.ok) return { defect: reading.defect };
  const statement = profile === 'compat' ? asProtobufReads(reading.statement, payload) : reading.statement;
  const problem =
    profile === 'compat' ? (predicateProblem(statement) ?? digestProblem(statement)) : digestProblem(statement);
  if (problem !== undefined) return { statement, defect: { code: 'statement-malformed', message: problem } };
  const about = profile === 'compat' ? lowerCase(statement) : statement;
  return { statement, ...signingOf(about, digest), defect: subjectDefect(about, digest) };
}

/** Go's reader of protobuf takes `predicate_type` for the same field. */
function asProtobufReads(statement: Statement, payload: Uint8Array): Statement {
  if (statement.predicateType !== '') return statement;
  const json: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
  const spelt: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, 'predicate_type') : undefined;
  return typeof spelt === 'string' ? { ...statement, predicateType: spelt } : statement;
}

function predicateProblem({ predicate }: Statement): string | undefined {
  return typeof predicate === 'string' ? 'The predicate is a text, and the schema wants an object.' : undefined;
}

function digestProblem({ subject }: Statement): string | undefined {
  if (subject.length > MAX_SUBJECTS) return `The statement has more than ${MAX_SUBJECTS} subjects.`;
  for (const { digest } of subject) {
    const all = Object.values(digest);
    if (all.length > MAX_DIGESTS) return `A subject of the statement has more than ${MAX_DIGESTS} digests.`;
    const odd = all.find((hex) => !/^(?:[0-9a-f]{2})*$/i.test(hex));
    if (odd !== undefined) return `A digest of the statement is no hex: ${JSON.stringify(odd.slice(0, 80))}.`;
  }
  return undefined;
}

function lowerCase(statement: Statement): Statement {
  const subject = statement.subject.map((each) => ({
    ...each,
    digest: Object.fromEntries(Object.entries(each.digest).map(([name, hex]) => [name, hex.toLowerCase()])),
  }));
  return { ...statement, subject };
}

function signingOf({ predicateType, subject }: Statement, digest: Digest): Pick<SignedClaim, 'signing'> {
  if (predicateType !== COSIGN_SIGN) return {};
  const [algorithm = '', hex] = digest.split(':');
  const own = subject.find((each) => Object.hasOwn(each.digest, algorithm) && each.digest[algorithm] === hex);
  return own ? { signing: { image: digest, annotations: own.annotations ?? {} } } : {};
}
