import { type Digest, digestHex } from '#model/digest.ts';
import type { EvidenceDefect, Statement } from '#model/evidence.ts';

/** One subject with the image's digest is enough; the hex is compared as written (interop specification I.1). */
export function subjectDefect(statement: Statement, digest: Digest): EvidenceDefect | undefined {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  const about = statement.subject.map((subject) =>
    Object.hasOwn(subject.digest, algorithm) ? subject.digest[algorithm] : undefined,
  );
  if (about.includes(digestHex(digest))) return undefined;
  const named = about.flatMap((hex) => (hex === undefined ? [] : [`${algorithm}:${hex.slice(0, 80)}`])).slice(0, 3);
  const found = named.join(', ') || 'no such digest';
  return { code: 'subject-mismatch', message: `The statement is about ${found}, not ${digest}.` };
}
