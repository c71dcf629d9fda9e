import type { Certificate } from '#crypto/certificate.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

/** The place of an issuer in a path. */
export type IssuerRole = 'anchor' | 'intermediate';

export interface PathSearch {
  readonly leaf: Certificate;
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  /** Why a certificate may not stand above `below` (leaf first); undefined when it may. Includes the signature. */
  refuse(issuer: Certificate, role: IssuerRole, below: readonly Certificate[]): EvidenceDefect | undefined;
}

export interface PathSearchResult {
  /** Every path from the leaf to an anchor, in the order of the search. */
  readonly paths: readonly (readonly Certificate[])[];
  /** Why the first candidate was refused, for a message when there is no path. */
  readonly hint?: EvidenceDefect;
}

/** Candidates that one search may look at, as in Go: an envelope may bring many certificates of one name. */
const MAX_CANDIDATES = 100;

/**
 * Builds paths from a leaf upwards. Names are compared by their DER; key identifiers only sort the candidates, they
 * prove nothing. Anchors are tried before intermediates, and the order of the result is Go's, because cosign judges
 * by the first path alone.
 */
export function searchPaths(search: PathSearch): PathSearchResult {
  const pools: readonly (readonly [IssuerRole, readonly Certificate[]])[] = [
    ['anchor', distinct(search.anchors)],
    ['intermediate', distinct(search.intermediates)],
  ];
  const paths: (readonly Certificate[])[] = [];
  let hint: EvidenceDefect | undefined;
  let candidates = 0;

  function climb(below: readonly Certificate[], child: Certificate): void {
    for (const [role, pool] of pools) {
      for (const issuer of issuersOf(child, pool)) {
        candidates += 1;
        if (candidates > MAX_CANDIDATES) return;
        if (below.some((each) => sameEntity(each, issuer))) continue;
        const defect = search.refuse(issuer, role, below);
        if (defect) hint ??= defect;
        else if (role === 'anchor') paths.push([...below, issuer]);
        else climb([...below, issuer], issuer);
      }
    }
  }

  climb([search.leaf], search.leaf);
  return { paths, ...(hint ? { hint } : {}) };
}

function issuersOf(child: Certificate, pool: readonly Certificate[]): readonly Certificate[] {
  return pool
    .filter(({ subjectDer }) => Buffer.compare(subjectDer, child.issuerDer) === 0)
    .map((issuer) => ({ issuer, rank: keyIdRank(child.authorityKeyId, issuer.subjectKeyId) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ issuer }) => issuer);
}

function keyIdRank(wanted: string, found: string): number {
  if (wanted === found) return 0;
  return wanted === '' || found === '' ? 1 : 2;
}

/** The same name, key and alternative names: such a certificate twice in one path would be a loop. */
function sameEntity(one: Certificate, other: Certificate): boolean {
  return (
    Buffer.compare(one.subjectDer, other.subjectDer) === 0 &&
    Buffer.compare(one.publicKeyDer, other.publicKeyDer) === 0 &&
    JSON.stringify(one.subjectAlternativeNames) === JSON.stringify(other.subjectAlternativeNames)
  );
}

function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((each) => [each.fingerprint, each])).values()];
}
