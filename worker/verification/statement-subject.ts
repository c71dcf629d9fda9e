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

/**
 * Whether a statement speaks of anything but these images: by another digest, or by one of an algorithm that none of them
 * has, which nobody can compare. Whoever signs such a statement vouches for what it did not look at.
 */
export function isAlsoAboutOthers(statement: Statement, images: ReadonlySet<Digest>): boolean {
  return statement.subject.some(({ digest }) => {
    const digests = Object.entries(digest);
    return digests.length === 0 || digests.some(([algorithm, hex]) => !images.has(`${algorithm}:${hex}` as Digest));
  });
}
