import { type Digest, isDigest } from '#model/digest.ts';

const DIGEST_TAG = /^(?:sha256|sha512)-[0-9a-f]{64}(.*)$/;
const SUFFIXES = ['', '.sig', '.att', '.sbom'];

/**
 * Tells tags of signatures, attestations and referrers indexes from tags of images: a digest with a dash, alone or
 * with a suffix. cosign's suffixes and prefix can be configured, so the lists can be extended.
 */
export function evidenceTagTest(
  extra: { readonly suffixes?: readonly string[]; readonly prefixes?: readonly string[] } = {},
): (tag: string) => boolean {
  const suffixes = new Set([...SUFFIXES, ...(extra.suffixes ?? []).map(withDot)]);
  const prefixes = ['', ...(extra.prefixes ?? [])];
  return (tag) =>
    prefixes.some((prefix) => {
      if (!tag.startsWith(prefix)) return false;
      const suffix = DIGEST_TAG.exec(tag.slice(prefix.length))?.[1];
      return suffix !== undefined && suffixes.has(suffix);
    });
}

// People write both `.intoto` and `intoto`.
function withDot(suffix: string): string {
  return suffix.startsWith('.') ? suffix : `.${suffix}`;
}

/** cosign's tags of attestations and signatures, and that of the referrers where the registry lists none. */
const LISTING_TAG = /^sha256-([0-9a-f]{64})(?:\.att|\.sig)?$/;

/** The image that a tag lists evidence of; undefined for any other tag. */
export function evidenceSubject(tag: string): Digest | undefined {
  const subject = `sha256:${LISTING_TAG.exec(tag)?.[1]}`;
  return isDigest(subject) ? subject : undefined;
}
