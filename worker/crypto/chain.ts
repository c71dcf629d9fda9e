import type { Certificate } from '#crypto/certificate.ts';
import { describeCertificate } from '#crypto/certificate-signature.ts';
import { AppError } from '#model/errors.ts';

/** Signature checks of one search; a chain file has three or four certificates. */
const MAX_CHECKS = 100;

export interface OrderedChain {
  /** Leaf first, root last. */
  readonly chain: readonly Certificate[];
  /** Certificates of the file that the chain does not need. */
  readonly unused: readonly Certificate[];
}

/**
 * Puts the certificates of a chain file, which may stand in any order, into the one order from the leaf to its
 * self-signed root. Names and signatures decide; dates and usages are the linter's.
 * @throws AppError `certificate-refused` naming the issuer that is missing.
 */
export function orderChain(leaf: Certificate, others: readonly Certificate[]): OrderedChain {
  const pool = distinct(others).filter((each) => each.fingerprint !== leaf.fingerprint);
  let checks = 0;
  let longest: readonly Certificate[] = [leaf];

  function issued(child: Certificate, issuer: Certificate): boolean {
    if (!sameName(child.issuerDer, issuer.subjectDer)) return false;
    checks += 1;
    return checks <= MAX_CHECKS && child.x509.verify(issuer.publicKey);
  }

  function climb(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const top = path.at(-1) ?? leaf;
    if (path.length > longest.length) longest = path;
    if (issued(top, top)) return path;
    for (const issuer of pool) {
      if (path.includes(issuer) || !issued(top, issuer)) continue;
      const found = climb([...path, issuer]);
      if (found) return found;
    }
    return undefined;
  }

  const chain = climb([leaf]);
  if (!chain) throw missingIssuer(longest.at(-1) ?? leaf, pool);
  return { chain, unused: pool.filter((each) => !chain.includes(each)) };
}

function missingIssuer(top: Certificate, pool: readonly Certificate[]): AppError {
  const namesake = pool.some((each) => sameName(each.subjectDer, top.issuerDer));
  const why = namesake
    ? 'the file has a certificate with that name, but its key did not make the signature'
    : 'the file does not have it';
  return new AppError(
    'certificate-refused',
    `the chain does not reach a self-signed root: ${describeCertificate(top)} was issued by "${top.issuer}", and ${why}`,
    { mend: `append the certificate of "${top.issuer}", and every issuer up to the root, to the chain file` },
  );
}

function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((each) => [each.fingerprint, each])).values()];
}

function sameName(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
