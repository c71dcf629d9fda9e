import { readPublicKey } from '#crypto/keys.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import { type Attestor, exactly } from '#verification/attestor.ts';

export interface ChainAttestorInput {
  /** PEM of certificates that are all trusted, as `--ca-roots` names them. */
  readonly roots?: string;
  /**
   * PEM of a chain, as `--certificate-chain` names it: the self-signed certificates are trusted, the others serve to
   * build paths.
   */
  readonly chain?: string;
  /** Exact URI or e-mail of the signer; absent: any. */
  readonly identity?: string;
  /** Require a transparency log entry. */
  readonly requireLog?: boolean;
}

/**
 * The strict attestor of a private CA, for our own verdicts.
 * @throws AppError `certificate-unreadable`, or `config-invalid` when nothing in it can be trusted.
 */
export function chainAttestor({ roots, chain, identity, requireLog }: ChainAttestorInput): Attestor {
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
  return {
    kind: 'certificate-chain',
    authorities: [{ anchors, intermediates: inChain.filter((certificate) => !certificate.selfIssued) }],
    profile: 'strict',
    ...(identity === undefined ? {} : { identity: { subject: exactly(identity) } }),
    transparencyLog: requireLog ? 'required' : 'ignored',
    certificateTimestamp: 'ignored',
  };
}

/**
 * The strict attestor of one public key.
 * @throws AppError `key-unreadable`.
 */
export function keyAttestor(pem: string, requireLog = false): Attestor {
  return {
    kind: 'public-key',
    key: readPublicKey(pem),
    profile: 'strict',
    transparencyLog: requireLog ? 'required' : 'ignored',
  };
}

/**
 * Kyverno's `certificates.certChain`: every certificate of the text is an anchor, intermediates too (interop
 * specification B.5).
 * @throws AppError `certificate-unreadable`.
 */
export function compatChainAttestor(
  certChain: string,
  transparencyLog: 'required' | 'ignored',
  certificateTimestamp: 'required' | 'ignored',
): Attestor {
  return {
    kind: 'certificate-chain',
    authorities: [{ anchors: parseCertificates(certChain), intermediates: [] }],
    profile: 'compat',
    transparencyLog,
    certificateTimestamp,
  };
}
