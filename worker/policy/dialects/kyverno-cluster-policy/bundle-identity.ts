import type { CertificateIdentity, IdentityMismatch } from '#policy/certificate-identity.ts';
import { UnsupportedClause } from '#policy/dialects/kyverno-cluster-policy/unsupported-clause.ts';
import { compileRegexp } from '#policy/regexp/regexp.ts';
import { unsupported } from '#policy/unsupported.ts';

type Text = string | null | undefined;

interface Wanted {
  readonly text: string;
  readonly matches: (text: string) => boolean;
}

/**
 * What the type SigstoreBundle asks of a certificate: every text exactly, every expression anywhere in it, no wildcards
 * (interop specification B.10). A text where an expression is none: Kyverno then verifies nothing.
 * @throws UnsupportedClause for an expression that is not judged.
 */
export function bundleIdentity(
  {
    subject,
    subjectRegExp,
    issuer,
    issuerRegExp,
  }: {
    readonly subject: Text;
    readonly subjectRegExp: Text;
    readonly issuer: Text;
    readonly issuerRegExp: Text;
  },
  clause: string,
): CertificateIdentity | string {
  const patterns = [regexp(subjectRegExp, `${clause}.subjectRegExp`), regexp(issuerRegExp, `${clause}.issuerRegExp`)];
  const invalid = patterns.find((each) => typeof each === 'string');
  if (typeof invalid === 'string') return invalid;
  const [subjectPattern, issuerPattern] = patterns.map((each) => (typeof each === 'object' ? [each] : []));
  const subjects = [...exact(subject), ...(subjectPattern ?? [])];
  const issuers = [...exact(issuer), ...(issuerPattern ?? [])];
  return {
    mismatch(claims) {
      if (!claims) return { message: 'the bundle brings no certificate' };
      return mismatchOf('subject', subjects, claims.holder) ?? mismatchOf('issuer', issuers, claims.issuer);
    },
  };
}

function mismatchOf(what: string, wanted: readonly Wanted[], found: string | undefined): IdentityMismatch | undefined {
  const missed = wanted.find(({ matches }) => found === undefined || !matches(found));
  if (!missed) return undefined;
  return {
    message: `The certificate has the ${what} ${JSON.stringify((found ?? '').slice(0, 300))}, not ${missed.text.slice(0, 300)}.`,
    wanted: missed.text.slice(0, 500),
    found: (found ?? '(none)').slice(0, 500),
  };
}

function exact(text: Text): readonly Wanted[] {
  return text ? [{ text, matches: (found) => found === text }] : [];
}

function regexp(source: Text, clause: string): Wanted | string | undefined {
  if (!source) return undefined;
  const compiled = compileRegexp(source);
  switch (compiled.kind) {
    case 'usable':
      return { text: source, matches: compiled.matches };
    case 'invalid':
      return `the regular expression ${JSON.stringify(source.slice(0, 200))} is none: ${compiled.problem}`;
    case 'unsupported':
      throw new UnsupportedClause(clause, unsupported(`a regular expression with ${compiled.problem}`));
  }
}
