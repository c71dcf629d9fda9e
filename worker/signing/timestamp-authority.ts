import { checkSigner } from '#crypto/cms-signature.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';
import { parseTimestampResponse, readTimestampStatus, type TimestampResponse } from '#crypto/timestamp-response.ts';
import { verifyTimestamp } from '#crypto/verify-timestamp.ts';
import { AppError } from '#model/errors.ts';
import { askPeer, type Peer, unbelievable } from '#signing/peer.ts';
import { type TimestampRequest, timestampRequest } from '#signing/timestamp-request.ts';
import type { MadeSignature, Witness } from '#signing/witness.ts';
import { refuseStrangeTime } from '#signing/witnessed-time.ts';

export interface TimestampWitnessOptions {
  readonly id: string;
  /** Where requests are posted, e.g. `https://tsa.example/api/v1/timestamp`. */
  readonly url: URL;
  readonly peer: Peer;
  /** Whose timestamps are believed; absent: any that is signed by the certificate that it brings along. */
  readonly authority?: TimestampAuthority;
  /** Fresh random bytes for a nonce. */
  nonce(): Uint8Array;
}

const MAX_RESPONSE_BYTES = 256 * 1024;
const SHA256 = '2.16.840.1.101.3.4.2.1';
/** PKIFailureInfo of what another try may mend: no time source, system failure. */
const PASSING_FAILURES: readonly number[] = [14, 25];

/**
 * A timestamp authority (RFC 3161). A bundle wants its stamp over the signature, a legacy attestation over the whole
 * envelope (interop A.1.5): for both layouts two are asked for.
 */
export function createTimestampWitness(options: TimestampWitnessOptions): Witness {
  async function testify(made: MadeSignature, signal?: AbortSignal) {
    const overSignature = made.layouts.has('bundle') || made.what === 'image-signature';
    const overEnvelope = made.layouts.has('cosign-tag') && made.what === 'statement';
    const [signatureTimestamps, envelopeTimestamps] = await Promise.all([
      overSignature ? stampOne(made.signature) : [],
      overEnvelope ? stampOne(made.stored) : [],
    ]);
    return { signatureTimestamps, envelopeTimestamps };

    async function stampOne(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
      const { response, time } = await stamp(options, bytes, signal);
      refuseStrangeTime(options.peer.name, time, made, options.peer.now());
      return [response];
    }
  }

  const { id, authority } = options;
  const known = authority ? { authority } : {};
  return { id, type: 'timestamp-authority', ...known, serves: () => true, refusal: () => undefined, testify };
}

async function stamp(
  { url, peer, authority, nonce }: TimestampWitnessOptions,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<{ readonly response: Buffer; readonly time: Date }> {
  const request = timestampRequest(bytes, nonce());
  const { bytes: response } = await askPeer(peer, {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: request.der,
    // Sigstore's authority answers 201.
    expect: [200, 201],
    maxBytes: MAX_RESPONSE_BYTES,
    signal,
  });
  const timestamp = readResponse(peer, response);
  const problem = answerProblem(timestamp, request) ?? signatureProblem(timestamp);
  if (problem !== undefined) throw unbelievable(peer, problem);
  if (authority) {
    // As strictly as our own reader will: what it would refuse later is of no use.
    const check = verifyTimestamp(response, bytes, authority, peer.now(), 'strict');
    if (!check.ok) throw unbelievable(peer, `its timestamp does not hold: ${check.problem}`);
  }
  return { response, time: timestamp.time };
}

function readResponse(peer: Peer, bytes: Buffer): TimestampResponse {
  try {
    const { status, text, failures } = readTimestampStatus(bytes);
    if (status !== 0) {
      const passing = failures.some((bit) => PASSING_FAILURES.includes(bit));
      const said = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, 300);
      const bits = failures.length > 0 ? ` (failure ${failures.join(', ')})` : '';
      const message = `${peer.name} answered with status ${status}${bits}${said === '' ? '' : `: ${said}`}`;
      throw new AppError(passing ? peer.codes.unavailable : peer.codes.refused, message);
    }
    return parseTimestampResponse(bytes);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'certificate-unreadable') throw error;
    throw unbelievable(peer, `no timestamp: ${error.message}`, { cause: error });
  }
}

/** Whether it is the answer to this very request. */
function answerProblem({ imprint, nonce }: TimestampResponse, request: TimestampRequest): string | undefined {
  if (nonce === undefined) return 'its timestamp lacks the nonce of the request';
  if (!nonce.equals(request.nonce)) return 'its timestamp has another nonce than the request';
  if (imprint.algorithm !== SHA256 || !imprint.digest.equals(request.imprint))
    return 'its timestamp is over other bytes';
  return undefined;
}

/** Whether the certificates that it brings made it; whether they are trusted is the authority's question. */
function signatureProblem({ message }: TimestampResponse): string | undefined {
  try {
    const certificates = message.certificates.map((der) => parseCertificate(der));
    if (certificates.length === 0) return 'its timestamp lacks the certificate that was asked for';
    if (message.signers.length === 0) return 'its timestamp is signed by nobody';
    for (const signer of message.signers) {
      const check = checkSigner(message, signer, certificates);
      if (!check.ok) return `its timestamp does not hold: ${check.problem}`;
    }
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return `its certificate cannot be read: ${error.message}`;
    throw error;
  }
}
