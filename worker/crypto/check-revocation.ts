import type { Certificate } from '#crypto/certificate.ts';
import { distributionPoints } from '#crypto/distribution-points.ts';
import type { Revocation } from '#crypto/revocation-entries.ts';
import type { RevocationList } from '#crypto/revocation-list.ts';
import { namedSignatureProblem } from '#crypto/signature-by-name.ts';

/** What a list says of a certificate. */
export type RevocationCheck =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly revocation: Revocation }
  /** It cannot tell, in words; `foreign`: it is the list of another CA. */
  | { readonly kind: 'unknown'; readonly problem: string; readonly foreign?: true };

/**
 * What a list says of a certificate now (RFC 5280, 6.3; interop specification G.4). The issuer is the one above the
 * certificate in a path that was verified; the list must be by that very key. A list that is out of date still tells of
 * what it revoked for good, and of nothing else.
 */
export function checkRevocation(
  certificate: Certificate,
  issuer: Certificate,
  list: RevocationList,
  now: Date,
): RevocationCheck {
  if (Buffer.compare(issuer.subjectDer, list.issuerDer) !== 0) {
    return { kind: 'unknown', problem: `it is by "${list.issuer}"`, foreign: true };
  }
  const unusable = issuerProblem(issuer, list) ?? formProblem(list);
  if (unusable !== undefined) return { kind: 'unknown', problem: unusable };
  const found = list.entries.bySerial.get(certificate.serialNumber);
  const revocation = found?.reason === 'removeFromCRL' ? undefined : found;
  const old = ageProblem(list, now);
  if (revocation && (old === undefined || revocation.reason !== 'certificateHold')) {
    return { kind: 'revoked', revocation };
  }
  const problem = old ?? scopeProblem(certificate, list);
  return problem === undefined ? { kind: 'good' } : { kind: 'unknown', problem };
}

function issuerProblem(issuer: Certificate, list: RevocationList): string | undefined {
  if (issuer.keyUsage && !issuer.keyUsage.includes('cRLSign')) {
    return `the key usage of its issuer "${issuer.subject}" lacks cRLSign`;
  }
  return signatureProblem(issuer, list);
}

/** Checking a signature over megabytes takes its time; the answer depends on the two alone. */
const checked = new WeakMap<RevocationList, Map<string, string | undefined>>();

function signatureProblem(issuer: Certificate, list: RevocationList): string | undefined {
  const known = checked.get(list) ?? new Map<string, string | undefined>();
  checked.set(list, known);
  if (known.has(issuer.fingerprint)) return known.get(issuer.fingerprint);
  const { signatureAlgorithm, signed, signature } = list;
  const problem = namedSignatureProblem(signatureAlgorithm, issuer.publicKey, signed, signature);
  known.set(issuer.fingerprint, problem);
  return problem;
}

/** What forbids to use a list at all. */
function formProblem({ isDelta, scope, unknownCritical, entries }: RevocationList): string | undefined {
  if (isDelta) return 'it is a delta list, which is not supported';
  if (scope?.indirect) return 'it is an indirect list, which is not supported';
  const critical = [...unknownCritical, ...entries.unknownCritical];
  return critical.length === 0 ? undefined : `its critical extension ${critical.join(', ')} is not understood`;
}

function ageProblem({ thisUpdate, nextUpdate }: RevocationList, now: Date): string | undefined {
  if (thisUpdate > now) return `it holds only from ${thisUpdate.toISOString()}`;
  if (!nextUpdate) return 'it does not say when the next one is due';
  return nextUpdate < now ? `the next one was due at ${nextUpdate.toISOString()}` : undefined;
}

/** What keeps a certificate that is not listed from being good. */
function scopeProblem(certificate: Certificate, { scope }: RevocationList): string | undefined {
  if (!scope) return undefined;
  if (scope.someReasons) return 'it lists some reasons for revocation only';
  const kind = certificate.basicConstraints?.ca ? 'ca' : 'user';
  if (scope.only !== undefined && scope.only !== kind) return `it lists ${scope.only} certificates only`;
  if (scope.uris.length === 0) return undefined;
  const named = distributionPoints(certificate).flatMap(({ uris }) => uris);
  return scope.uris.some((uri) => named.includes(uri)) ? undefined : 'it covers another part of the certificates';
}
