import type { CertificateAuthority } from '#crypto/certificate-authority.ts';
import { readLogKey } from '#crypto/log-key.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { splitTimestampAuthority } from '#crypto/timestamp-authority.ts';
import { AppError } from '#model/errors.ts';
import type { TrustedRoot } from '#verification/trusted-root.ts';

/** Trust material of one's own, in PEM. */
export interface PemMaterial {
  /** Certificates that are all trusted. */
  readonly roots?: string;
  /** The self-signed certificates are trusted, the others serve to build paths. */
  readonly chain?: string;
  readonly logs?: readonly PemLog[];
  /** Public keys of certificate logs. */
  readonly certificateLogs?: readonly string[];
  /** A chain each. */
  readonly timestampAuthorities?: readonly string[];
}

export interface PemLog {
  readonly key: string;
  /** Host by which a log of Rekor v2 signs its checkpoints. */
  readonly origin?: string;
}

/**
 * The same form as a trusted root's, without windows: what is configured counts as long as it is.
 * @throws AppError `certificate-unreadable`, `key-unreadable`, `certificate-refused`; `config-invalid` for a chain of
 * which nothing can be trusted.
 */
export function readPemMaterial(pem: PemMaterial): TrustedRoot {
  return {
    certificateAuthorities: readAuthorities(pem),
    logs: (pem.logs ?? []).map(({ key, origin }) => readLogKey(key, origin)),
    certificateLogs: (pem.certificateLogs ?? []).map((key) => readLogKey(key)),
    timestampAuthorities: (pem.timestampAuthorities ?? []).map(splitTimestampAuthority),
  };
}

function readAuthorities({ roots, chain }: PemMaterial): readonly CertificateAuthority[] {
  if (roots === undefined && chain === undefined) return [];
  const inChain = chain === undefined ? [] : parseCertificates(chain);
  const anchors = [
    ...(roots === undefined ? [] : parseCertificates(roots)),
    ...inChain.filter((certificate) => certificate.selfIssued),
  ];
  if (anchors.length === 0) {
    throw new AppError('config-invalid', 'the certificate chain holds no self-signed root, so nothing is trusted', {
      mend: 'append the root certificate of the CA to the chain file, or name it as a CA root',
    });
  }
  return [{ anchors, intermediates: inChain.filter((certificate) => !certificate.selfIssued) }];
}
