import * as z from 'zod/mini';
import type { Certificate } from '#crypto/certificate.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import type { Secret } from '#model/secret.ts';
import { askPeer, type Peer, parseJson, unbelievable } from '#signing/peer.ts';

/** A CA that speaks Fulcio's protocol. */
export interface Fulcio {
  /** Without `/api`. */
  readonly url: URL;
  /** Of its REST API. */
  readonly version: 1 | 2;
  readonly peer: Peer;
}

export interface CertificateRequest {
  readonly token: Secret;
  /** SPKI in PEM of an ECDSA key. */
  readonly publicKeyPem: string;
  /** Signature of that key over the claim of the token that names its holder. */
  readonly proof: Uint8Array;
}

/** Four certificates have some eight thousand bytes. */
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * Asks Fulcio to certify a key for the holder of an identity token. Nothing of the answer is believed yet.
 * @returns the certificates in the order of the answer, the leaf first.
 * @throws AppError `ca-refused`, `ca-unavailable`, `ca-throttled`, `ca-protocol`, `network`, `timeout`.
 */
export async function requestCertificate(
  { url, version, peer }: Fulcio,
  request: CertificateRequest,
  signal: AbortSignal | undefined,
): Promise<readonly [Certificate, ...Certificate[]]> {
  const token = request.token.reveal();
  const form = version === 2 ? formOf2(request, token) : formOf1(request, token);
  const { bytes } = await askPeer(peer, {
    method: 'POST',
    url: new URL(`${url.href.replace(/\/$/, '')}/api/v${version}/signingCert`),
    headers: { 'content-type': 'application/json', ...form.headers },
    body: JSON.stringify(form.body),
    expect: [200, 201],
    maxBytes: MAX_ANSWER_BYTES,
    secrets: [token],
    signal,
  });
  const pem = version === 2 ? chainOf2(bytes) : bytes.toString('utf8');
  if (pem === undefined) throw unbelievable(peer, 'the answer holds no certificates');
  return readChain(peer, pem);
}

interface RequestForm {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

function formOf2({ publicKeyPem, proof }: CertificateRequest, token: string): RequestForm {
  const publicKey = { algorithm: 'ECDSA', content: publicKeyPem };
  const proofOfPossession = Buffer.from(proof).toString('base64');
  return {
    headers: { accept: 'application/json' },
    body: { credentials: { oidcIdentityToken: token }, publicKeyRequest: { publicKey, proofOfPossession } },
  };
}

function formOf1({ publicKeyPem, proof }: CertificateRequest, token: string): RequestForm {
  const publicKey = { algorithm: 'ecdsa', content: Buffer.from(publicKeyPem).toString('base64') };
  return {
    headers: { accept: 'application/pem-certificate-chain', authorization: `Bearer ${token}` },
    body: { publicKey, signedEmailAddress: Buffer.from(proof).toString('base64') },
  };
}

const Chain = z.object({ chain: z.object({ certificates: z.array(z.string()).check(z.maxLength(32)) }) });
const Answer = z.object({
  signedCertificateEmbeddedSct: z.optional(Chain),
  signedCertificateDetachedSct: z.optional(Chain),
});

function chainOf2(bytes: Buffer): string | undefined {
  const parsed = Answer.safeParse(parseJson(bytes.toString('utf8')));
  if (!parsed.success) return undefined;
  const { signedCertificateEmbeddedSct, signedCertificateDetachedSct } = parsed.data;
  return (signedCertificateEmbeddedSct ?? signedCertificateDetachedSct)?.chain.certificates.join('\n');
}

function readChain(peer: Peer, pem: string): readonly [Certificate, ...Certificate[]] {
  try {
    const [leaf, ...issuers] = parseCertificates(pem);
    if (leaf) return [leaf, ...issuers];
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw unbelievable(peer, `its certificates cannot be read: ${cause.message}`, { cause });
  }
  throw unbelievable(peer, 'the answer holds no certificates');
}
