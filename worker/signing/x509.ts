import { orderChain } from '#crypto/chain.ts';
import { lintCertificate } from '#crypto/lint.ts';
import type { Finding } from '#crypto/lint-rules.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import { type KeyMaterial, signingKeyOf } from '#signing/keys/key-material.ts';
import type { FixedSigner } from '#signing/signer.ts';
import type { Witness } from '#signing/witness.ts';

export type X509SignerOptions = KeyMaterial & {
  readonly id: string;
  /** The signing certificate first; issuers may follow. */
  readonly certificatePem: string;
  /** Intermediates and root, in any order; must reach a self-signed root. */
  readonly chainPem: string;
  readonly now: Date;
  readonly witnesses?: readonly Witness[];
};

/**
 * A signer with a key that a CA certified. The certificate is linted before its first use.
 * @throws AppError `key-unreadable`, `certificate-unreadable`, `key-mismatch`; `certificate-refused` with every rule
 * that is broken and its mend.
 */
export function createX509Signer(options: X509SignerOptions): FixedSigner {
  const key = signingKeyOf(options);
  const [leaf, ...appended] = parseCertificates(options.certificatePem);
  if (!leaf) throw new AppError('internal', 'a certificate file without certificates was read');
  const others = [...appended, ...parseCertificates(options.chainPem)];
  const findings = lintCertificate({ leaf, chain: others, key: key.publicKey, now: options.now });
  refuseBroken(options.id, findings);
  const { chain } = orderChain(leaf, others);
  return {
    kind: 'fixed',
    id: options.id,
    fingerprint: leaf.fingerprint,
    publicKey: leaf.publicKey,
    chain,
    witnesses: options.witnesses ?? [],
    signer: {
      sign: async (data, signal) => ({
        signature: Buffer.from(await key.sign(data, signal)),
        key: { $case: 'x509Certificate', certificate: leaf.pem },
      }),
    },
  };
}

function refuseBroken(id: string, findings: readonly Finding[]): void {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return;
  const code = errors.some(({ rule }) => rule === 'key-matches') ? 'key-mismatch' : 'certificate-refused';
  const broken = errors.map(({ rule, certificate, message }) => `${rule} (certificate ${certificate}): ${message}`);
  const mends = [...new Set(errors.map(({ mend }) => mend))];
  throw new AppError(code, `signer ${id}: ${broken.join('; ')}`, { mend: mends.join('; ') });
}
