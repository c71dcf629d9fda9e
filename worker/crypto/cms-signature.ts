import { constants, createHash, timingSafeEqual, verify } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { SignedData, SignerInfo } from '#crypto/cms.ts';
import { decodeTime, TAG } from '#crypto/der.ts';
import { AppError } from '#model/errors.ts';

const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_TIME = '1.2.840.113549.1.9.5';

/** Hashes by OID; SHA-1 is not among them, for neither imprints nor signatures. */
export const HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** Signature algorithms: which key, and the hash where the name has one; otherwise the digest algorithm tells. */
const ALGORITHMS: Readonly<Record<string, { readonly key: 'rsa' | 'ec' | 'ed25519'; readonly hash?: string }>> = {
  '1.2.840.113549.1.1.1': { key: 'rsa' },
  '1.2.840.113549.1.1.11': { key: 'rsa' },
  '1.2.840.113549.1.1.12': { key: 'rsa' },
  '1.2.840.113549.1.1.13': { key: 'rsa' },
  '1.2.840.10045.4.3.2': { key: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', hash: 'sha512' },
  '1.2.840.10045.3.1.7': { key: 'ec' },
  '1.3.132.0.34': { key: 'ec' },
  '1.3.132.0.35': { key: 'ec' },
  '1.3.101.112': { key: 'ed25519' },
};

export type SignerCheck =
  | { readonly ok: true; readonly certificate: Certificate; readonly signingTime?: Date }
  | { readonly ok: false; readonly problem: string };

/**
 * Whether one signer made its signature over the content, with a certificate of `candidates` (RFC 5652, 5.4 and 5.6).
 * Whether that certificate is trusted is the caller's question.
 */
export function checkSigner(message: SignedData, signer: SignerInfo, candidates: readonly Certificate[]): SignerCheck {
  const certificate = candidates.find(
    ({ issuerDer, serialNumber }) =>
      Buffer.compare(issuerDer, signer.issuerDer) === 0 && serialNumber === signer.serialNumber,
  );
  if (!certificate) return bad('the certificate of its signer is not there');
  const attributes = signer.signedAttributes ? attributesOf(message, signer) : { ok: true as const };
  if (!attributes.ok) return attributes;
  const { signingTime } = attributes;
  if (signingTime && (signingTime < certificate.notBefore || signingTime > certificate.notAfter)) {
    return bad(`it says that it was signed at ${signingTime.toISOString()}, when its certificate was not valid`);
  }
  if (!isSigned(certificate, signer, signer.signedAttributes ?? message.content)) {
    return bad('its signature does not verify');
  }
  return { ok: true, certificate, ...(signingTime ? { signingTime } : {}) };
}

function attributesOf(
  message: SignedData,
  { attributes, digestAlgorithm }: SignerInfo,
): { readonly ok: true; readonly signingTime?: Date } | { readonly ok: false; readonly problem: string } {
  const digest = attributes.get(MESSAGE_DIGEST);
  const hash = HASHES[digestAlgorithm];
  if (!digest || digest.tag !== TAG.octetString) return bad('no message digest is signed');
  if (hash === undefined) return bad(`its digest algorithm ${digestAlgorithm} is not taken`);
  const found = createHash(hash).update(message.content).digest();
  if (found.length !== digest.content.length || !timingSafeEqual(found, digest.content)) {
    return bad('the message digest that is signed is that of another content');
  }
  const time = attributes.get(SIGNING_TIME);
  return { ok: true, ...(time ? { signingTime: timeOf(time) } : {}) };
}

function timeOf(element: Parameters<typeof decodeTime>[0]): Date {
  try {
    return decodeTime(element);
  } catch (cause) {
    throw new AppError('certificate-unreadable', 'the signing time cannot be read', { cause });
  }
}

function isSigned({ publicKey: key }: Certificate, signer: SignerInfo, data: Buffer): boolean {
  const algorithm = ALGORITHMS[signer.signatureAlgorithm];
  const hash = algorithm?.hash ?? HASHES[signer.digestAlgorithm];
  if (!algorithm || algorithm.key !== key.asymmetricKeyType) return false;
  if (algorithm.key === 'ed25519') return verify(null, data, key, signer.signature);
  if (hash === undefined) return false;
  if (algorithm.key === 'ec') return verify(hash, data, { key, dsaEncoding: 'der' }, signer.signature);
  return verify(hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, signer.signature);
}

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
