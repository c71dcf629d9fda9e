import type { Certificate } from '#crypto/certificate.ts';
import type { EvidenceDefect } from '#model/evidence.ts';
import type { IdentityRule } from '#verification/attestor.ts';
import { certificateIssuer } from '#verification/certificate-claims.ts';
import { identitiesOf } from '#verification/evidence-signer.ts';

/** Why a certificate names another identity than the one wanted; undefined when it is as wanted. */
export function identityDefect(leaf: Certificate, { subject, issuer }: IdentityRule): EvidenceDefect | undefined {
  const names = identitiesOf(leaf);
  if (subject && !names.some((name) => subject.matches(name))) {
    return mismatch(`The certificate names ${names.join(', ') || 'nobody'}, not ${subject.wanted}.`);
  }
  const found = certificateIssuer(leaf);
  if (issuer && !issuer.matches(found)) {
    return mismatch(`Its holder was vouched for by ${found || 'nobody'}, not by ${issuer.wanted}.`);
  }
  return undefined;
}

function mismatch(message: string): EvidenceDefect {
  return { code: 'identity-mismatch', message };
}
