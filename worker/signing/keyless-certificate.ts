import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { CertificateAuthority } from '#crypto/certificate-authority.ts';
import { verifyCertificateTimestamps } from '#crypto/certificate-timestamp.ts';
import { derReader, TAG } from '#crypto/der.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { verifyPath } from '#crypto/path.ts';
import { AppError } from '#model/errors.ts';
import { type Peer, unbelievable } from '#signing/peer.ts';
import type { SignerIdentity } from '#signing/signer.ts';

/** Which certificates of a CA count, of the configured trust. */
export interface KeylessTrust {
  readonly authorities: readonly CertificateAuthority[];
  /** Keys of the certificate logs whose timestamps the certificate must bring; absent: none is asked for. */
  readonly certificateLogs?: readonly LogKey[];
}

/** What a certificate is held against. */
export interface CertificateWish {
  readonly publicKey: KeyObject;
  readonly identity: SignerIdentity;
  readonly trust: KeylessTrust;
}

/** What the clocks of the CA and this machine may differ. */
const TOLERANCE_MS = 60_000;
const FULCIO = '1.3.6.1.4.1.57264.1';

/**
 * Judges the certificate that a CA answered with: for our key, valid now, leading to a configured root, and naming the
 * identity and nobody else. Whatever fails here would fail at every verifier, or worse, name somebody else. What the CA
 * sent along with it is no help: a bundle holds the leaf alone, and our own trust must reach it all the same.
 * @returns the path: leaf first, root last.
 * @throws AppError `ca-protocol`, `clock-skew`, `identity-mismatch`.
 */
export function judgeCertificate(
  leaf: Certificate,
  { publicKey, identity, trust }: CertificateWish,
  peer: Pick<Peer, 'name' | 'codes' | 'now'>,
): readonly Certificate[] {
  const wanted = publicKey.export({ type: 'spki', format: 'der' });
  if (!wanted.equals(leaf.publicKeyDer)) throw unbelievable(peer, 'its certificate is for another key');
  const chain = trustedPath(leaf, trust, peer);
  refuseOtherIdentity(leaf, identity, peer.name);
  if (trust.certificateLogs) {
    const check = verifyCertificateTimestamps(leaf, chain[1], trust.certificateLogs);
    if (check.kind === 'missing') throw unbelievable(peer, 'its certificate brings no certificate timestamp (SCT)');
    if (check.kind === 'invalid') throw unbelievable(peer, `the SCT of its certificate: ${check.problem}`);
  }
  return chain;
}

function trustedPath(
  leaf: Certificate,
  { authorities }: KeylessTrust,
  peer: Pick<Peer, 'name' | 'codes' | 'now'>,
): readonly Certificate[] {
  const at = momentOf(leaf, peer);
  let problem = 'the trust of this signer holds no CA';
  for (const { anchors, intermediates } of authorities) {
    const path = verifyPath({ profile: 'strict', leaf, anchors, intermediates, at });
    if (path.ok) return path.chain;
    problem = path.defect.message;
  }
  throw unbelievable(peer, `its certificate does not hold: ${problem}`, {
    mend: 'the trust of this signer must hold root and intermediates of this CA: name a certificateChain',
  });
}

/** Now, or the nearer end of the validity when the clocks differ by little. */
function momentOf({ notBefore, notAfter }: Certificate, { name, now }: Pick<Peer, 'name' | 'now'>): Date {
  const present = now();
  const early = notBefore.getTime() - present.getTime();
  const late = present.getTime() - notAfter.getTime();
  if (early > TOLERANCE_MS || late > 0) {
    const validity = `${notBefore.toISOString()} to ${notAfter.toISOString()}`;
    throw new AppError(
      'clock-skew',
      `${name} certified for ${validity}, and this machine says ${present.toISOString()}`,
      {
        mend: 'set the clocks of this machine and of the CA by NTP',
      },
    );
  }
  return early > 0 ? notBefore : present;
}

function refuseOtherIdentity(leaf: Certificate, identity: SignerIdentity, peer: string): void {
  const names = leaf.subjectAlternativeNames.map(({ type, value }) => (type === 'other' ? `(${type})` : value));
  const issuer = issuerOf(leaf);
  const [name, ...more] = names;
  if (name === identity.subject && more.length === 0 && issuer === identity.issuer) return;
  const found = `"${names.join('", "')}" of the issuer "${issuer ?? '(none)'}"`;
  const message = `${peer} certified ${found}, and the signer is "${identity.subject}" of "${identity.issuer}"`;
  throw new AppError('identity-mismatch', message, {
    mend: 'write the identity of the signer as the certificate has it, or use the token of that identity',
  });
}

/** The issuer of the identity token: the extension of now (.8, DER) and the old one (.1, bare); they must agree. */
function issuerOf(leaf: Certificate): string | undefined {
  const extensionOf = (arc: number) => leaf.extensions.find(({ oid }) => oid === `${FULCIO}.${arc}`)?.value;
  const [bare, wrapped] = [extensionOf(1), extensionOf(8)];
  const old = bare === undefined ? undefined : Buffer.from(bare).toString('utf8');
  const present = wrapped === undefined ? undefined : textOf(wrapped);
  if (old !== undefined && present !== undefined && old !== present) return undefined;
  return present ?? old;
}

function textOf(value: Uint8Array): string | undefined {
  try {
    const reader = derReader(value, 'issuer');
    const text = reader.element(TAG.utf8String).content.toString('utf8');
    reader.end();
    return text;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
