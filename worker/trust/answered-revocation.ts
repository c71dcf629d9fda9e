import type { Certificate } from '#crypto/certificate.ts';
import { ocspLocations } from '#crypto/ocsp-locations.ts';
import { AppError } from '#model/errors.ts';
import type { OcspAnswers } from '#trust/ocsp-answers.ts';
import {
  joinAlternatives,
  nobodyAsked,
  type Outcome,
  type RevocationFinding,
  shownSource,
} from '#trust/revocation-finding.ts';

export interface OcspSettings {
  /** Asked for every certificate; absent: the one that each certificate names. */
  readonly responder?: string | undefined;
  /** Whether each question carries a nonce, which must come back. */
  readonly nonce: boolean;
}

const MEND =
  'see to it that the responder can be reached and answers for this CA; one that repeats no nonce wants ' +
  '`nonce: false` in `revocation.ocsp` of the trust';

/**
 * What the answers that are held say of a certificate.
 * @returns `none` when there is no responder for it.
 */
export function answeredRevocation(
  certificate: Certificate,
  issuer: Certificate,
  now: Date,
  { responder }: OcspSettings,
  answers: Pick<OcspAnswers, 'held' | 'asked'>,
): Outcome | 'none' {
  const responders = responder === undefined ? readLocations(certificate) : [responder];
  if (!responders) return nobodyAsked('the addresses of its responders cannot be read');
  if (responders.length === 0) return 'none';
  const findings = responders.map((address): RevocationFinding => {
    const question = { responder: address, issuer, serialNumber: certificate.serialNumber };
    answers.asked(question);
    const check = answers.held(question, now) ?? { kind: 'unknown', problem: 'it was not asked yet' };
    return { ...check, by: `the responder ${shownSource(address)}`, mend: MEND };
  });
  return joinAlternatives(findings, 'no responder was asked');
}

function readLocations(certificate: Certificate): readonly string[] | undefined {
  try {
    return ocspLocations(certificate);
  } catch (error) {
    if (error instanceof AppError && error.code === 'certificate-unreadable') return undefined;
    throw error;
  }
}
