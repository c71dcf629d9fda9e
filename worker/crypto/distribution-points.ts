import type { Certificate } from '#crypto/certificate.ts';
import { OID } from '#crypto/certificate-extensions.ts';
import { contextTag, type DerReader, derReader, TAG } from '#crypto/der.ts';

/** Where a certificate says that a list of revoked certificates is (RFC 5280, 4.2.1.13). */
export interface DistributionPoint {
  /** URIs of the same list, in their order. */
  readonly uris: readonly string[];
  /** It lists some reasons for revocation only. */
  readonly partial: boolean;
  /** Somebody else than the issuer of the certificate signs it. */
  readonly indirect: boolean;
}

const MAX_POINTS = 16;
const MAX_URIS = 16;
const URI = contextTag(6, 'primitive');

/**
 * The distribution points of a certificate; none where it has no such extension.
 * @throws AppError `certificate-unreadable`.
 */
export function distributionPoints({ extensions }: Certificate): readonly DistributionPoint[] {
  const extension = extensions.find(({ oid }) => oid === OID.crlDistributionPoints);
  if (!extension) return [];
  const outer = derReader(extension.value, 'cRLDistributionPoints');
  const list = outer.enter(TAG.sequence);
  outer.end();
  const points: DistributionPoint[] = [];
  while (list.peek() !== undefined && points.length < MAX_POINTS) {
    const point = list.enter(TAG.sequence);
    const name = point.optional(contextTag(0, 'constructed'));
    const reasons = point.optional(contextTag(1, 'primitive'));
    const issuer = point.optional(contextTag(2, 'constructed'));
    point.end();
    points.push({
      uris: name ? pointUris(derReader(name.content, 'cRLDistributionPoints')) : [],
      partial: reasons !== undefined,
      indirect: issuer !== undefined,
    });
  }
  return points;
}

/** URIs of a DistributionPointName: of its full name; a name relative to the issuer is a directory's, and has none. */
export function pointUris(name: DerReader): readonly string[] {
  const full = name.optional(contextTag(0, 'constructed'));
  if (!full) return [];
  const names = derReader(full.content, 'distribution point');
  const uris: string[] = [];
  while (names.peek() !== undefined && uris.length < MAX_URIS) {
    const { tag, content } = names.any();
    if (tag === URI) uris.push(content.toString('latin1'));
  }
  return uris;
}
