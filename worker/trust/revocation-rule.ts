import type { Certificate } from '#crypto/certificate.ts';
import { describeCertificate } from '#crypto/certificate-signature.ts';
import { checkRevocation, type RevocationCheck } from '#crypto/check-revocation.ts';
import { type DistributionPoint, distributionPoints } from '#crypto/distribution-points.ts';
import type { Revocation } from '#crypto/revocation-entries.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceDefect } from '#model/evidence.ts';
import type { HeldLists, RevocationLists } from '#trust/revocation-lists.ts';

export interface RevocationSettings {
  /** `leaf`: the signing certificate alone. `chain`: every certificate below the anchor. */
  readonly check: 'leaf' | 'chain';
  /** Lists that take the place of the distribution points: addresses, `file:`, `env:`. */
  readonly lists: readonly string[];
  /** What a certificate counts as for which there is neither a list nor a distribution point. */
  readonly whenUnlisted: 'pass' | 'error';
  /**
   * A signature that is proven to be older than the revocation: `refuse` it all the same, or `accept` it unless the key
   * may have been in other hands.
   */
  readonly timestamped: 'refuse' | 'accept';
}

/** Reasons that leave open since when the key was in other hands. */
const UNSAFE: readonly Revocation['reason'][] = ['unspecified', 'keyCompromise', 'cACompromise', 'aACompromise'];

type Finding = RevocationCheck & { readonly source: string };
type Unknown = Extract<Finding, { kind: 'unknown' }>;
type Revoked = Extract<Finding, { kind: 'revoked' }>;

/**
 * Judges the certificates of a path that was verified by the lists that are held (interop specification G.4). A list
 * that is missing, out of date or not by the CA is neither a pass nor a fail: nothing is known then.
 */
export function createRevocationRule(settings: RevocationSettings, lists: Pick<RevocationLists, 'held' | 'asked'>) {
  function judge(certificate: Certificate, issuer: Certificate, now: Date): Revoked | Unknown | undefined {
    const places = placesOf(certificate, settings);
    if (!places.ok) return places.finding;
    const findings = places.sources.flatMap((source) => {
      lists.asked(source, certificate.serialNumber);
      return askedOf(lists.held(source, now), certificate, issuer, now).map((check): Finding => ({ ...check, source }));
    });
    const revoked = findings.find((finding) => finding.kind === 'revoked');
    if (revoked) return revoked;
    if (findings.some(({ kind }) => kind === 'good')) return undefined;
    const unknown = findings.filter((finding) => finding.kind === 'unknown');
    // Of several lists the one of this CA tells most.
    return unknown.find(({ foreign }) => !foreign) ?? unknown[0] ?? noList('the source holds no list');
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

function askedOf(
  held: HeldLists | undefined,
  certificate: Certificate,
  issuer: Certificate,
  now: Date,
): readonly RevocationCheck[] {
  if (!held) return [{ kind: 'unknown', problem: 'it was not fetched yet' }];
  const checks = held.lists.map((list) => checkRevocation(certificate, issuer, list, now));
  return held.problem === undefined ? checks : [{ kind: 'unknown', problem: held.problem }, ...checks];
}

/** Where the lists for a certificate are; or what is to be said where there are none. */
function placesOf(
  certificate: Certificate,
  { lists, whenUnlisted }: RevocationSettings,
): { readonly ok: true; readonly sources: readonly string[] } | { readonly ok: false; readonly finding?: Unknown } {
  if (lists.length > 0) return { ok: true, sources: lists };
  const points = readPoints(certificate);
  if (!points) return { ok: false, finding: noList('its distribution points cannot be read') };
  if (points.length === 0) {
    if (whenUnlisted === 'pass') return { ok: false };
    return { ok: false, finding: noList('it names no list of its CA, and none is configured') };
  }
  // A point whose list is by somebody else, or tells of some reasons only, cannot say that all is well.
  const whole = points.filter(({ indirect, partial }) => !indirect && !partial);
  const sources = whole.flatMap(({ uris }) => uris.filter((uri) => /^https?:/i.test(uri)));
  if (sources.length > 0) return { ok: true, sources };
  return { ok: false, finding: noList('none of its distribution points is a whole list at an http address') };
}

function readPoints(certificate: Certificate): readonly DistributionPoint[] | undefined {
  try {
    return distributionPoints(certificate);
  } catch (error) {
    if (error instanceof AppError && error.code === 'certificate-unreadable') return undefined;
    throw error;
  }
}

function noList(problem: string): Unknown {
  return { kind: 'unknown', problem, source: '' };
}

function cannotTell(certificate: Certificate, index: number, finding: Extract<Finding, { kind: 'unknown' }>): AppError {
  const list = finding.source === '' ? '' : `the list ${shown(finding.source)}: `;
  return new AppError(
    'revocation-unknown',
    `certificate ${index} of the path, ${describeCertificate(certificate)}: ${list}${finding.problem}`,
    { mend: 'see to it that a current list of its CA can be read, or change `revocation` of the trust' },
  );
}

function revocationDefect(
  certificate: Certificate,
  index: number,
  { revocation: { since, reason }, source }: Revoked,
  times: readonly Date[],
  { timestamped }: RevocationSettings,
): EvidenceDefect | undefined {
  const isOlder = times.length > 0 && times.every((time) => time < since);
  if (timestamped === 'accept' && isOlder && !UNSAFE.includes(reason)) return undefined;
  const what = `certificate ${index} of the path, ${describeCertificate(certificate)}`;
  const message = `${what}: revoked since ${since.toISOString()} (${reason}), by the list ${shown(source)}`;
  return { code: 'certificate-revoked', message };
}

/** An address without its query, which may be a key to it. */
function shown(source: string): string {
  return URL.canParse(source) && source.startsWith('http') ? source.replace(/[?#].*$/, '') : source;
}
