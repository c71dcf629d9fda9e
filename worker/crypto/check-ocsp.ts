import type { Certificate } from '#crypto/certificate.ts';
import type { RevocationCheck } from '#crypto/check-revocation.ts';
import { namesCertificate } from '#crypto/ocsp-certificate-id.ts';
import { responderProblem } from '#crypto/ocsp-responder.ts';
import type { OcspAnswer, OcspSingleResponse } from '#crypto/ocsp-response.ts';

/** How far the clocks of the responder and of this machine may be apart. Milliseconds. */
const SKEW_MS = 5 * 60_000;

/**
 * What an answer says now of the certificate with this serial number (RFC 6960, 3.2). The issuer is the one above the
 * certificate in a path that was verified. An answer that is out of date says nothing, of what it revoked neither.
 * @param nonce that was sent with the question; absent: none was
 */
export function checkOcsp(
  { issuer, serialNumber }: { readonly issuer: Certificate; readonly serialNumber: string },
  answer: OcspAnswer,
  now: Date,
  nonce?: Uint8Array,
): RevocationCheck {
  const problem = responderProblem(answer, issuer, now) ?? nonceProblem(answer, nonce) ?? criticalProblem(answer);
  if (problem !== undefined) return { kind: 'unknown', problem };
  const [single, ...more] = answer.responses.filter(({ id }) => namesCertificate(id, issuer, serialNumber));
  if (!single) return { kind: 'unknown', problem: 'its answer is about other certificates' };
  if (more.length > 0) return { kind: 'unknown', problem: 'its answer says more than one thing of the certificate' };
  const unusable = criticalProblem(single) ?? ageProblem(single, now);
  if (unusable !== undefined) return { kind: 'unknown', problem: unusable };
  if (single.status.kind !== 'unknown') return single.status;
  return { kind: 'unknown', problem: 'it does not know the certificate' };
}

function nonceProblem({ nonce }: OcspAnswer, sent: Uint8Array | undefined): string | undefined {
  if (!sent) return undefined;
  if (!nonce) return 'its answer does not repeat the nonce of the question, so it may be an old one';
  return Buffer.compare(nonce, sent) === 0 ? undefined : 'the nonce of its answer is that of another question';
}

function criticalProblem({ unknownCritical }: { readonly unknownCritical: readonly string[] }): string | undefined {
  if (unknownCritical.length === 0) return undefined;
  return `the critical extension ${unknownCritical.join(', ')} of its answer is not understood`;
}

/** One that does not say when there is news holds at its moment: there is news at any time (RFC 6960, 4.2.2.1). */
function ageProblem({ thisUpdate, nextUpdate = thisUpdate }: OcspSingleResponse, now: Date): string | undefined {
  if (thisUpdate.getTime() - SKEW_MS > now.getTime()) return `its answer holds only from ${thisUpdate.toISOString()}`;
  if (nextUpdate.getTime() + SKEW_MS >= now.getTime()) return undefined;
  return `its answer held until ${nextUpdate.toISOString()}`;
}
