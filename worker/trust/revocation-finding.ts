import type { RevocationCheck } from '#crypto/check-revocation.ts';

/** What somebody says of a certificate. */
export type RevocationFinding = RevocationCheck & {
  /** Who says it, in words; empty: nobody could be asked. */
  readonly by: string;
  /** What would let it be known, where that differs. */
  readonly mend?: string;
};
export type Unknown = Extract<RevocationFinding, { kind: 'unknown' }>;
export type Revoked = Extract<RevocationFinding, { kind: 'revoked' }>;

/** Nothing against a certificate is undefined. */
export type Outcome = Revoked | Unknown | undefined;

export function nobodyAsked(problem: string): Unknown {
  return { kind: 'unknown', problem, by: '' };
}

/** Any that calls it revoked is believed; else one that calls it good; else the one that tells most. */
export function joinAlternatives(findings: readonly RevocationFinding[], none: string): Outcome {
  const revoked = findings.find((finding) => finding.kind === 'revoked');
  if (revoked) return revoked;
  if (findings.some(({ kind }) => kind === 'good')) return undefined;
  const unknown = findings.filter((finding) => finding.kind === 'unknown');
  // Of several lists the one of this CA tells most.
  return unknown.find(({ foreign }) => !foreign) ?? unknown[0] ?? nobodyAsked(none);
}

/** All of them must be content. */
export function joinDemands(outcomes: readonly Outcome[]): Outcome {
  const bad = outcomes.filter((outcome) => outcome !== undefined);
  return bad.find(({ kind }) => kind === 'revoked') ?? bad[0];
}

/** An address without its query and user information, which may be a key to it. */
export function shownSource(source: string): string {
  if (!/^https?:/i.test(source)) return source;
  return source.replace(/[?#].*$/, '').replace(/^([^/]*\/\/)[^/]*@/, '$1');
}
