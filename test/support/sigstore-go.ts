import type { Certificate } from '#crypto/certificate.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import type { Evidence, RawEvidence } from '#model/evidence.ts';
import { compileRegexp } from '#policy/regexp/regexp.ts';
import { parseBundle } from '#verification/bundle.ts';
import { certificateClaims } from '#verification/certificate-claims.ts';

/** Exact texts and unanchored expressions; all that are there must fit. */
export interface GoIdentity {
  readonly subject?: string | undefined;
  readonly subjectRegExp?: string | undefined;
  readonly issuer?: string | undefined;
  readonly issuerRegExp?: string | undefined;
}

/** Whether a bundle's certificate has the identity; the first URI stands for it, else the first e-mail address. */
export function hasIdentity({ raw, claims }: Pick<Evidence, 'raw' | 'claims'>, wanted: GoIdentity): boolean {
  const leaf = leafOf(raw);
  if (!leaf || !claims) return false;
  const subject = subjectOf(leaf);
  if (subject === undefined) return false;
  return fits(subject, wanted.subject, wanted.subjectRegExp) && fits(claims.issuer, wanted.issuer, wanted.issuerRegExp);
}

function subjectOf(leaf: Certificate): string | undefined {
  const first = (type: string) => leaf.subjectAlternativeNames.find((name) => name.type === type)?.value;
  const other = leaf.subjectAlternativeNames.some(({ type }) => type === 'other');
  return first('uri') ?? first('email') ?? (other ? certificateClaims(leaf).alternativeNames.at(-1) : undefined);
}

function fits(text: string, exact: string | undefined, source: string | undefined): boolean {
  if (exact && exact !== text) return false;
  if (!source) return true;
  const compiled = compileRegexp(source);
  return compiled.kind === 'usable' && compiled.matches(text);
}

function leafOf({ bytes }: RawEvidence): Certificate | undefined {
  const parsed = bytes ? parseBundle(bytes, 'compat', true) : undefined;
  if (!parsed?.ok) return undefined;
  const { signer } = parsed.bundle;
  if (signer.kind === 'public-key') return undefined;
  const der = signer.kind === 'certificate' ? signer.der : signer.ders[0];
  return der && parseCertificate(der);
}

/** Whether every log entry tells no time: cosign then asks for timestamps. */
export function isRekorV2Alone({ bytes }: RawEvidence): boolean {
  const parsed = bytes ? parseBundle(bytes, 'compat', true) : undefined;
  if (!parsed?.ok || parsed.bundle.logEntries.length === 0) return false;
  return parsed.bundle.logEntries.every(({ integratedTime }) => integratedTime === undefined);
}
