import type { CertificateClaims } from '#model/evidence.ts';
import { wildcardMatches } from '#policy/matching/wildcard.ts';
import { compileRegexp } from '#policy/regexp/regexp.ts';
import { unsupported } from '#policy/unsupported.ts';

/** What Kyverno's type Cosign can ask of a certificate (interop specification B.6). */
export interface IdentitySource {
  readonly subject?: string;
  readonly subjectRegExp?: string;
  readonly issuer?: string;
  readonly issuerRegExp?: string;
  readonly additionalExtensions?: Readonly<Record<string, string>>;
}

export interface CertificateIdentity {
  /** Why a certificate is another one's; undefined when it is as wanted. */
  mismatch(claims: CertificateClaims | undefined): IdentityMismatch | undefined;
}

export interface IdentityMismatch {
  readonly message: string;
  readonly wanted?: string;
  readonly found?: string;
}

const PREFIX = '1.3.6.1.4.1.57264.1.';
const ISSUER = `${PREFIX}1`;
/** The names of Fulcio's extensions of the first form; no other can be asked for. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  oidcIssuer: ISSUER,
  githubWorkflowTrigger: `${PREFIX}2`,
  githubWorkflowSha: `${PREFIX}3`,
  githubWorkflowName: `${PREFIX}4`,
  githubWorkflowRepository: `${PREFIX}5`,
  githubWorkflowRef: `${PREFIX}6`,
};

type Wanted = { readonly text: string; readonly matches: (value: string) => boolean; readonly invalid?: string };

/**
 * Compiles what a policy asks of the certificate; undefined when it asks nothing. Wildcards take the whole text,
 * regular expressions any part of it.
 * @throws AppError `policy-unsupported` for a regular expression that is not judged.
 */
export function compileIdentity(source: IdentitySource): CertificateIdentity | undefined {
  const subjects = [...wildcard(source.subject), ...regexp(source.subjectRegExp)];
  const issuers = [...wildcard(source.issuer), ...regexp(source.issuerRegExp)];
  const extensions = Object.entries(source.additionalExtensions ?? {});
  if (subjects.length + issuers.length + extensions.length === 0) return undefined;
  return {
    mismatch(claims) {
      if (!claims) return { message: 'the evidence has no certificate' };
      return (
        subjectMismatch(claims, subjects) ??
        issuerMismatch(claims.extensions[ISSUER] ?? '', issuers) ??
        extensionMismatch(claims, extensions)
      );
    },
  };
}

/** One name that fits one of the two is enough; a certificate without any name is not asked, as in Kyverno. */
function subjectMismatch(
  { alternativeNames }: CertificateClaims,
  wanted: readonly Wanted[],
): IdentityMismatch | undefined {
  if (wanted.length === 0 || alternativeNames.length === 0) return undefined;
  const invalid = wanted.find((each) => each.invalid !== undefined);
  if (invalid) return { message: `the subject's regular expression is none: ${invalid.invalid}`, wanted: invalid.text };
  if (wanted.some(({ matches }) => alternativeNames.some(matches))) return undefined;
  return mismatch('subject', wanted.map(({ text }) => text).join(' or '), alternativeNames.join(', '));
}

/** Both must fit, the pattern and the expression. */
function issuerMismatch(found: string, wanted: readonly Wanted[]): IdentityMismatch | undefined {
  for (const { text, matches, invalid } of wanted) {
    if (invalid !== undefined) return { message: `the issuer's regular expression is none: ${invalid}`, wanted: text };
    if (!matches(found)) return mismatch('issuer', text, found);
  }
  return undefined;
}

function extensionMismatch(
  { extensions }: CertificateClaims,
  wanted: readonly (readonly [string, string])[],
): IdentityMismatch | undefined {
  for (const [name, pattern] of wanted) {
    const oid = Object.hasOwn(EXTENSIONS, name) ? EXTENSIONS[name] : name;
    if (oid === undefined || !Object.values(EXTENSIONS).includes(oid)) {
      return {
        message: `there is no certificate extension ${JSON.stringify(name.slice(0, 80))} that can be asked for`,
      };
    }
    const found = extensions[oid] ?? '';
    if (!wildcardMatches(pattern, found)) return mismatch(`extension ${name}`, pattern, found);
  }
  return undefined;
}

function wildcard(pattern: string | undefined): readonly Wanted[] {
  return pattern ? [{ text: pattern, matches: (value) => wildcardMatches(pattern, value) }] : [];
}

function regexp(source: string | undefined): readonly Wanted[] {
  if (!source) return [];
  const compiled = compileRegexp(source);
  switch (compiled.kind) {
    case 'usable':
      return [{ text: source, matches: compiled.matches }];
    case 'invalid':
      return [{ text: source, matches: () => false, invalid: compiled.problem }];
    case 'unsupported':
      throw unsupported(`a regular expression with ${compiled.problem}`);
  }
}

function mismatch(what: string, wanted: string, found: string): IdentityMismatch {
  return {
    message: `the certificate has another ${what} than the one wanted`,
    wanted: wanted.slice(0, 500),
    found: found.slice(0, 500) || '(none)',
  };
}
