import type { Certificate } from '#crypto/certificate.ts';
import { OID } from '#crypto/certificate-extensions.ts';
import { policyDefect } from '#crypto/certificate-policies.ts';
import { signatureDefect } from '#crypto/certificate-signature.ts';
import { constraintsDefect } from '#crypto/name-constraints.ts';
import type { PathInput, PathResult } from '#crypto/path-input.ts';
import {
  ANY_EXTENDED_KEY_USAGE,
  CODE_SIGNING,
  criticalDefect,
  pathDefect,
  untrusted,
  validityDefect,
} from '#crypto/path-rules.ts';
import { type IssuerRole, searchPaths } from '#crypto/path-search.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

/**
 * Judges as Go's `x509.Verify` with the usage codeSigning, in the way cosign and Kyverno call it (interop B.5): every
 * anchor is a root and may be the leaf itself; neither the leaf's names nor its key usage are looked at.
 */
export function verifyCompatPath(input: PathInput): PathResult {
  const { leaf, anchors, intermediates, at } = input;
  // cosign drops the leaf's alternative names from the critical extensions that Go did not understand.
  const unfit = criticalDefect(leaf, 0, OID.subjectAlternativeName) ?? validityDefect(leaf, 0, at);
  if (unfit) return { ok: false, defect: unfit };
  if (anchors.some(({ fingerprint }) => fingerprint === leaf.fingerprint)) return firstSound([[leaf]], input);
  const refuse = (issuer: Certificate, role: IssuerRole, below: readonly Certificate[]) =>
    refuseIssuer(issuer, role, below, at);
  const { paths, hint } = searchPaths({ leaf, anchors, intermediates, refuse });
  return paths.length === 0 ? { ok: false, defect: untrusted(leaf, hint) } : firstSound(paths, input);
}

function refuseIssuer(
  issuer: Certificate,
  role: IssuerRole,
  below: readonly Certificate[],
  at: Date,
): EvidenceDefect | undefined {
  const [index, child] = [below.length, below.at(-1)];
  const { basicConstraints, keyUsage = [], version } = issuer;
  const mayIssue = basicConstraints ? basicConstraints.ca : version < 3 && role === 'anchor';
  if (!mayIssue) return pathDefect('chain-untrusted', issuer, index, 'it is no CA (basicConstraints)');
  // A key usage without any bit counts as absent, in Go.
  if (keyUsage.length > 0 && !keyUsage.includes('keyCertSign')) {
    return pathDefect('chain-untrusted', issuer, index, 'its key usage lacks keyCertSign');
  }
  const forged = child && signatureDefect(child, issuer);
  if (forged) return pathDefect('chain-untrusted', issuer, index, forged);
  const unfit = criticalDefect(issuer, index) ?? validityDefect(issuer, index, at);
  if (unfit) return unfit;
  const pathLength = basicConstraints?.pathLength;
  if (pathLength !== undefined && below.length - 1 > pathLength) {
    const why = `${below.length - 1} CA certificates stand below it and its path length allows ${pathLength}`;
    return pathDefect('chain-untrusted', issuer, index, why);
  }
  return undefined;
}

/** The first path that passes the checks of whole paths; Go drops the others, and cosign takes the first that is left. */
function firstSound(paths: readonly (readonly Certificate[])[], { usage }: PathInput): PathResult {
  const defects: EvidenceDefect[] = [];
  for (const chain of paths) {
    const defect =
      policyDefect(chain) ?? (usage === 'any' ? undefined : usageDefect(chain)) ?? constraintsDefect(chain);
    if (!defect) return { ok: true, chain };
    defects.push(defect);
  }
  const [first = { code: 'chain-untrusted', message: 'No trusted path' } as const] = defects;
  return { ok: false, defect: first };
}

/** EKU nesting: each certificate that restricts its usages must allow code signing; the anchor counts too. */
function usageDefect(chain: readonly Certificate[]): EvidenceDefect | undefined {
  for (const [index, certificate] of [...chain.entries()].reverse()) {
    const usages = certificate.extendedKeyUsage ?? [];
    if (usages.length === 0 || usages.includes(ANY_EXTENDED_KEY_USAGE) || usages.includes(CODE_SIGNING)) continue;
    const why = `its extended key usage (${usages.join(', ')}) does not allow code signing`;
    return pathDefect('certificate-profile', certificate, index, why);
  }
  return undefined;
}
