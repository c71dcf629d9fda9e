import { createHash } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { OID } from '#crypto/certificate-extensions.ts';
import type { SignedData } from '#crypto/cms.ts';
import { checkSigner, HASHES } from '#crypto/cms-signature.ts';
import { verifyCompatPath } from '#crypto/compat-path.ts';
import { ANY_EXTENDED_KEY_USAGE } from '#crypto/path-rules.ts';
import { rememberedCertificate } from '#crypto/remembered-certificate.ts';
import { namesCertificate } from '#crypto/signing-certificate.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';
import { parseTimestampResponse, type TimestampResponse } from '#crypto/timestamp-response.ts';
import { AppError } from '#model/errors.ts';

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** Usages that Go gives a name; it counts no others. */
const COUNTED_USAGES =
  /^(?:2\.5\.29\.37\.0|1\.3\.6\.1\.5\.5\.7\.3\.[1-9]|1\.3\.6\.1\.4\.1\.311\.10\.3\.3|2\.16\.840\.1\.113730\.4\.1|1\.3\.6\.1\.4\.1\.311\.2\.1\.22|1\.3\.6\.1\.4\.1\.311\.61\.1\.1)$/;

export type TimestampCheck =
  | { readonly ok: true; readonly time: Date }
  | { readonly ok: false; readonly problem: string };

/**
 * Verifies a timestamp (RFC 3161) over `stamped` under an authority, as sigstore's timestamp-authority library does,
 * which is the one of cosign and Kyverno (interop specification G.5, K.4): the time is good when the token's signer
 * leads to a root and may do nothing but stamp time. Its path is judged at the signing time of the token, or now.
 * The strict reading judges it at the time that the token tells, and asks for what RFC 5816 does: the signer must have
 * signed which certificate it meant.
 */
export function verifyTimestamp(
  response: Uint8Array,
  stamped: Uint8Array,
  authority: TimestampAuthority,
  now: Date,
  profile: 'compat' | 'strict' = 'compat',
): TimestampCheck {
  try {
    const timestamp = parseTimestampResponse(response);
    const embedded = timestamp.message.certificates.map(rememberedCertificate);
    const strict = profile === 'strict' ? timestamp.time : undefined;
    const signed = checkSigners(timestamp.message, embedded, authority, strict ?? now, strict !== undefined);
    if (!signed.ok) return signed;
    const problem =
      signerCertificateProblem(embedded, signed.certificates, authority) ?? imprintProblem(timestamp, stamped);
    return problem === undefined ? { ok: true, time: timestamp.time } : { ok: false, problem };
  } catch (error) {
    if (error instanceof AppError) return { ok: false, problem: error.message };
    throw error;
  }
}

type SignersCheck =
  | { readonly ok: true; readonly certificates: readonly Certificate[] }
  | { readonly ok: false; readonly problem: string };

/** The certificates that signed, when every signature and every path holds. */
function checkSigners(
  message: SignedData,
  embedded: readonly Certificate[],
  authority: TimestampAuthority,
  at: Date,
  strict: boolean,
): SignersCheck {
  const { certificate, intermediates, roots } = authority;
  if (roots.length === 0) return { ok: false, problem: 'the authority has no root certificate' };
  if (message.signers.length === 0) return { ok: false, problem: 'nobody signed it' };
  const certificates: Certificate[] = [];
  const candidates = embedded.length > 0 ? embedded : certificate ? [certificate] : [];
  for (const signer of message.signers) {
    const signed = checkSigner(message, signer, candidates);
    if (!signed.ok) return signed;
    if (strict && !namesCertificate(signer, signed.certificate)) {
      return { ok: false, problem: 'its signer did not sign which certificate it used (signingCertificateV2)' };
    }
    const path = verifyCompatPath({
      leaf: signed.certificate,
      anchors: roots,
      intermediates,
      at: strict ? at : (signed.signingTime ?? at),
      usage: 'any',
    });
    if (!path.ok) return { ok: false, problem: path.defect.message };
    certificates.push(signed.certificate);
  }
  return { ok: true, certificates };
}

/** The certificate that stands for the authority: the first embedded one that is no CA, else the configured one. */
function signerCertificateProblem(
  embedded: readonly Certificate[],
  signers: readonly Certificate[],
  { certificate, intermediates }: TimestampAuthority,
): string | undefined {
  const leaf = embedded.length > 0 ? embedded.find(({ basicConstraints }) => !basicConstraints?.ca) : certificate;
  if (!leaf) return 'no certificate of a timestamp signer is there';
  if (certificate && certificate.fingerprint !== leaf.fingerprint) {
    return 'its certificate is another one than that of the configured authority';
  }
  // The library does not ask this: whoever holds any certificate below the roots could put the authority's before it.
  if (signers.some(({ fingerprint }) => fingerprint !== leaf.fingerprint)) {
    return 'it was signed with another certificate than that of the authority';
  }
  const isCritical = leaf.extensions.some(({ oid, critical }) => oid === OID.extendedKeyUsage && critical);
  if (!isCritical) return 'the extended key usage of its certificate is not critical';
  const usages = (leaf.extendedKeyUsage ?? []).filter((usage) => COUNTED_USAGES.test(usage));
  if (usages.length !== 1 || usages[0] !== TIME_STAMPING) {
    return 'its certificate may be used for something else than timestamps, or not for them';
  }
  const barred = intermediates.some(({ extendedKeyUsage = [] }) => {
    const counted = extendedKeyUsage.filter((usage) => COUNTED_USAGES.test(usage));
    return counted.length > 0 && !counted.some((usage) => usage === TIME_STAMPING || usage === ANY_EXTENDED_KEY_USAGE);
  });
  return barred ? 'an intermediate of the authority may not be used for timestamps' : undefined;
}

function imprintProblem({ imprint }: TimestampResponse, stamped: Uint8Array): string | undefined {
  const hash = HASHES[imprint.algorithm];
  if (hash === undefined) return `its imprint is made with ${imprint.algorithm}, which is not taken`;
  const found = createHash(hash).update(stamped).digest();
  return found.equals(imprint.digest) ? undefined : 'it is over other bytes';
}
