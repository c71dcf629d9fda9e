import type { Certificate } from '#crypto/certificate.ts';
import { describeCertificate } from '#crypto/certificate-signature.ts';
import type { Revocation } from '#crypto/revocation-entries.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceDefect } from '#model/evidence.ts';
import { answeredRevocation, type OcspSettings } from '#trust/answered-revocation.ts';
import { type ListSettings, listedRevocation } from '#trust/listed-revocation.ts';
import type { OcspAnswers } from '#trust/ocsp-answers.ts';
import { joinDemands, type Outcome, type Revoked, type Unknown } from '#trust/revocation-finding.ts';
import type { RevocationLists } from '#trust/revocation-lists.ts';

export interface RevocationSettings extends ListSettings {
  /** `leaf`: the signing certificate alone. `chain`: every certificate below the anchor. */
  readonly check: 'leaf' | 'chain';
  /** Absent: no responder is asked. */
  readonly ocsp?: OcspSettings | undefined;
  /**
   * A signature that is proven to be older than the revocation: `refuse` it all the same, or `accept` it unless the key
   * may have been in other hands.
   */
  readonly timestamped: 'refuse' | 'accept';
}

/** Reasons that leave open since when the key was in other hands. */
const UNSAFE: readonly Revocation['reason'][] = ['unspecified', 'keyCompromise', 'cACompromise', 'aACompromise'];

export interface RevocationSources {
  readonly lists: Pick<RevocationLists, 'held' | 'asked'>;
  /** Must be there where the settings ask responders. */
  readonly answers?: Pick<OcspAnswers, 'held' | 'asked'> | undefined;
}

/**
 * Judges the certificates of a path that was verified by the lists and answers that are held (interop specification
 * G.4). One that is missing, out of date or not by the CA is neither a pass nor a fail: nothing is known then.
 */
export function createRevocationRule(settings: RevocationSettings, { lists, answers }: RevocationSources) {
  function judge(certificate: Certificate, issuer: Certificate, now: Date): Outcome {
    const byLists = () => listedRevocation(certificate, issuer, now, settings, lists);
    if (!settings.ocsp || !answers) return byLists();
    const answered = answeredRevocation(certificate, issuer, now, settings.ocsp, answers);
    if (answered === 'none') return byLists();
    // A responder takes the place of the lists that the certificate names, not of those that are configured.
    return joinDemands(settings.lists.length > 0 ? [answered, byLists()] : [answered]);
  }

  return {
    /**
     * @param chain leaf first, anchor last
     * @param times when the signature was made, as witnesses vouch for it
     * @throws AppError `revocation-unknown`
     */
    defect(chain: readonly Certificate[], times: readonly Date[], now: Date): EvidenceDefect | undefined {
      const last = settings.check === 'leaf' ? 1 : chain.length - 1;
      let unknown: AppError | undefined;
      // To the end, so that all lists that are missing are known at once.
      const defects = chain.slice(0, last).flatMap((certificate, index): EvidenceDefect[] => {
        const issuer = chain[index + 1];
        const finding = issuer && judge(certificate, issuer, now);
        if (!finding) return [];
        if (finding.kind === 'unknown') {
          unknown ??= cannotTell(certificate, index, finding);
          return [];
        }
        const revoked = revocationDefect(certificate, index, finding, times, settings);
        return revoked ? [revoked] : [];
      });
      if (defects.length === 0 && unknown) throw unknown;
      return defects[0];
    },
  };
}

const MEND = 'see to it that a current list of its CA can be read, or change `revocation` of the trust';

function cannotTell(certificate: Certificate, index: number, { by, problem, mend = MEND }: Unknown): AppError {
  const what = `certificate ${index} of the path, ${describeCertificate(certificate)}`;
  return new AppError('revocation-unknown', `${what}: ${by === '' ? '' : `${by}: `}${problem}`, { mend });
}

function revocationDefect(
  certificate: Certificate,
  index: number,
  { revocation: { since, reason }, by }: Revoked,
  times: readonly Date[],
  { timestamped }: RevocationSettings,
): EvidenceDefect | undefined {
  const isOlder = times.length > 0 && times.every((time) => time < since);
  if (timestamped === 'accept' && isOlder && !UNSAFE.includes(reason)) return undefined;
  const what = `certificate ${index} of the path, ${describeCertificate(certificate)}`;
  const message = `${what}: revoked since ${since.toISOString()} (${reason}), by ${by}`;
  return { code: 'certificate-revoked', message };
}
