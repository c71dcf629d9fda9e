import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { googleToken } from '#cloud/google-credentials.ts';
import { holdToken } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import { failureOfStatus, protocolError, type ServiceFailure, serviceError } from '#cloud/service-error.ts';
import { askService, type ServiceAnswer } from '#cloud/service-request.ts';
import { revealed, withToken } from '#cloud/with-token.ts';
import { readPublicKey } from '#crypto/keys.ts';
import type { AppError } from '#model/errors.ts';
import type { GcpKmsReference } from '#model/key-reference.ts';
import { crc32c } from '#signing/keys/crc32c.ts';
import { digestAlgorithm } from '#signing/keys/key-kinds.ts';
import type { KeyServiceContext } from '#signing/keys/key-service.ts';
import { remoteKey } from '#signing/keys/remote-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

const PublicKey = z.object({ pem: z.string(), algorithm: z.string(), pemCrc32c: z.string().optional() });
const Versions = z.object({ cryptoKeyVersions: z.array(z.object({ name: z.string() })).default([]) });
const Signed = z.object({
  signature: z.base64(),
  signatureCrc32c: z.string(),
  verifiedDigestCrc32c: z.boolean().optional(),
});

/** A key of Google Cloud KMS (REST API v1: getPublicKey, asymmetricSign, with its integrity fields). */
export async function openGoogleKey(reference: GcpKmsReference, context: KeyServiceContext): Promise<SigningKey> {
  const what = `gcpkms (${reference.key.replace(/^projects\/[^/]+\/locations\/[^/]+\/keyRings\//, '')})`;
  const override = context.settings.text('CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS');
  const base = new URL(override ?? 'https://cloudkms.googleapis.com/');
  const caFile = context.settings.text('SSL_CERT_FILE');
  const http = await context.http(base, caFile);
  const token = holdToken(
    (signal) => googleToken(context, 'https://www.googleapis.com/auth/cloudkms', caFile, signal),
    context.now,
  );

  async function call<Result>(
    method: 'GET' | 'POST',
    path: string,
    read: (json: unknown) => Result,
    input?: object,
    signal?: AbortSignal,
  ): Promise<Result> {
    const url = new URL(`/v1/${path}`, base);
    return await retrying(context, signal, () =>
      withToken(token, revealed, signal, async (bearer) => {
        const headers = { authorization: `Bearer ${bearer.reveal()}`, 'content-type': 'application/json' };
        const body = input === undefined ? {} : { body: JSON.stringify(input) };
        const answer = await askService(http, { method, url, headers, signal, ...body }, context.now());
        // What was changed on its way is asked for again.
        if (answer.status === 200) return read(answer.json);
        throw failure(what, answer);
      }),
    );
  }

  async function newestVersion(): Promise<string> {
    const query = new URLSearchParams({ filter: 'state=ENABLED', pageSize: '1000' });
    const read = await call('GET', `${reference.key}/cryptoKeyVersions?${query}`, (json) => Versions.safeParse(json));
    if (!read.success) throw protocolError(what, 'the answer is not a list of versions');
    const numbers = read.data.cryptoKeyVersions
      .map(({ name }) => Number(name.split('/').at(-1)))
      .filter(Number.isInteger);
    if (numbers.length === 0) throw serviceError(what, 'disabled', { words: 'no version of the key is enabled' });
    return String(Math.max(...numbers));
  }

  // The newest version may change meanwhile; the certificate is about this one.
  const version = `${reference.key}/cryptoKeyVersions/${reference.version ?? (await newestVersion())}`;
  const publicKey = await call('GET', `${version}/publicKey`, (json) => readKey(json, what));
  return remoteKey({
    what,
    publicKey,
    signDigest: (digest, signal) => {
      const sha256 = Buffer.from(digest).toString('base64');
      const input = { digest: { sha256 }, digestCrc32c: crc32c(digest) };
      return call('POST', `${version}:asymmetricSign`, (json) => readSignature(json, what), input, signal);
    },
  });
}

function readKey(json: unknown, what: string): KeyObject {
  const read = PublicKey.safeParse(json);
  if (!read.success) throw protocolError(what, 'the answer to getPublicKey is not a public key');
  const { pem, pemCrc32c, algorithm } = read.data;
  if (pemCrc32c !== undefined && crc32c(Buffer.from(pem)) !== pemCrc32c) throw corrupted(what);
  if (!/^(?:EC_SIGN_P256_SHA256|RSA_SIGN_PKCS1_\d+_SHA256)$/.test(algorithm)) {
    const words = `the algorithm of the key is ${algorithm}; EC_SIGN_P256_SHA256 and RSA_SIGN_PKCS1_…_SHA256 are used`;
    throw serviceError(what, 'refused', { words });
  }
  const publicKey = readPublicKey(pem);
  digestAlgorithm(publicKey, `the key of ${what}`);
  return publicKey;
}

/** Both directions are checked, as Google's data integrity guidelines ask. */
function readSignature(json: unknown, what: string): Buffer {
  const read = Signed.safeParse(json);
  if (!read.success) throw protocolError(what, 'the answer to asymmetricSign is not a signature');
  const signature = Buffer.from(read.data.signature, 'base64');
  if (read.data.verifiedDigestCrc32c !== true || crc32c(signature) !== read.data.signatureCrc32c) throw corrupted(what);
  return signature;
}

function corrupted(what: string): AppError {
  return serviceError(what, 'unavailable', { words: 'bytes were changed on their way (CRC32C)' });
}

const Failure = z.object({ error: z.object({ status: z.string().optional(), message: z.string().optional() }) });

const FAILURES: Readonly<Record<string, ServiceFailure>> = {
  RESOURCE_EXHAUSTED: 'throttled',
  UNAVAILABLE: 'unavailable',
  INTERNAL: 'unavailable',
  DEADLINE_EXCEEDED: 'unavailable',
  UNAUTHENTICATED: 'unauthorized',
  PERMISSION_DENIED: 'forbidden',
  NOT_FOUND: 'missing',
  FAILED_PRECONDITION: 'disabled',
};

function failure(what: string, { status, json, retryAfterMs }: ServiceAnswer): AppError {
  const read = Failure.safeParse(json);
  const error = read.success ? read.data.error : {};
  return serviceError(what, FAILURES[error.status ?? ''] ?? failureOfStatus(status), {
    name: error.status,
    words: error.message,
    retryAfterMs,
  });
}
