import type { Certificate } from '#crypto/certificate.ts';
import { checkRevocation, type RevocationCheck } from '#crypto/check-revocation.ts';
import { type DistributionPoint, distributionPoints } from '#crypto/distribution-points.ts';
import { AppError } from '#model/errors.ts';
import {
  joinAlternatives,
  nobodyAsked,
  type Outcome,
  type RevocationFinding,
  shownSource,
  type Unknown,
} from '#trust/revocation-finding.ts';
import type { HeldLists, RevocationLists } from '#trust/revocation-lists.ts';

export interface ListSettings {
  /** Lists that take the place of the distribution points: addresses, `file:`, `env:`. */
  readonly lists: readonly string[];
  /** What a certificate counts as for which there is neither a list nor a distribution point. */
  readonly whenUnlisted: 'pass' | 'error';
}

/** What the lists that are held say of a certificate. */
export function listedRevocation(
  certificate: Certificate,
  issuer: Certificate,
  now: Date,
  settings: ListSettings,
  lists: Pick<RevocationLists, 'held' | 'asked'>,
): Outcome {
  const places = placesOf(certificate, settings);
  if (!places.ok) return places.finding;
  const findings = places.sources.flatMap((source) => {
    lists.asked(source, certificate.serialNumber);
    const by = `the list ${shownSource(source)}`;
    return askedOf(lists.held(source, now), certificate, issuer, now).map(
      (check): RevocationFinding => ({ ...check, by }),
    );
  });
  return joinAlternatives(findings, 'the source holds no list');
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
  { lists, whenUnlisted }: ListSettings,
): { readonly ok: true; readonly sources: readonly string[] } | { readonly ok: false; readonly finding?: Unknown } {
  if (lists.length > 0) return { ok: true, sources: lists };
  const points = readPoints(certificate);
  if (!points) return { ok: false, finding: nobodyAsked('its distribution points cannot be read') };
  if (points.length === 0) {
    if (whenUnlisted === 'pass') return { ok: false };
    return { ok: false, finding: nobodyAsked('it names neither list nor responder of its CA, and none is configured') };
  }
  // A point whose list is by somebody else, or tells of some reasons only, cannot say that all is well.
  const whole = points.filter(({ indirect, partial }) => !indirect && !partial);
  const sources = whole.flatMap(({ uris }) => uris.filter((uri) => /^https?:/i.test(uri)));
  if (sources.length > 0) return { ok: true, sources };
  return { ok: false, finding: nobodyAsked('none of its distribution points is a whole list at an http address') };
}

function readPoints(certificate: Certificate): readonly DistributionPoint[] | undefined {
  try {
    return distributionPoints(certificate);
  } catch (error) {
    if (error instanceof AppError && error.code === 'certificate-unreadable') return undefined;
    throw error;
  }
}
