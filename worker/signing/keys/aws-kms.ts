import { createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { callAws, openAwsService } from '#cloud/aws-call.ts';
import { awsDomain } from '#cloud/aws-credentials.ts';
import { protocolError, serviceError } from '#cloud/service-error.ts';
import { AppError } from '#model/errors.ts';
import type { AwsKmsReference } from '#model/key-reference.ts';
import { digestAlgorithm } from '#signing/keys/key-kinds.ts';
import type { KeyServiceContext } from '#signing/keys/key-service.ts';
import { remoteKey } from '#signing/keys/remote-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

const ALGORITHMS = { ecdsa: 'ECDSA_SHA_256', 'rsa-pkcs1v15': 'RSASSA_PKCS1_V1_5_SHA_256' } as const;

const PublicKey = z.object({
  KeyId: z.string(),
  PublicKey: z.base64(),
  KeyUsage: z.string(),
  SigningAlgorithms: z.array(z.string()).default([]),
});
const Signed = z.object({ Signature: z.base64() });

/** A key of AWS KMS (AWS KMS API reference: GetPublicKey, Sign). */
export async function openAwsKey(reference: AwsKmsReference, context: KeyServiceContext): Promise<SigningKey> {
  const { settings } = context;
  const what = `awskms (${reference.keyId})`;
  const region = regionOf(reference, context, what);
  const url = new URL(address(reference, region, settings.text('AWS_ENDPOINT_URL_KMS')));
  const service = await openAwsService(context, { what, name: 'kms', url, region, json: '1.1' });

  const call = (action: string, input: object, signal: AbortSignal | undefined) =>
    callAws(service, `TrentService.${action}`, input, signal);

  const read = PublicKey.safeParse(await call('GetPublicKey', { KeyId: reference.keyId }, undefined));
  if (!read.success) throw protocolError(what, 'the answer to GetPublicKey is not a public key');
  const publicKey = readSpki(read.data.PublicKey, what);
  const algorithm = ALGORITHMS[digestAlgorithm(publicKey, `the key of ${what}`)];
  if (read.data.KeyUsage !== 'SIGN_VERIFY' || !read.data.SigningAlgorithms.includes(algorithm)) {
    throw serviceError(what, 'refused', { words: `the key is not for signing by ${algorithm}` });
  }
  // An alias may be led to another key meanwhile; what the certificate is about is this one.
  const { KeyId } = read.data;
  return remoteKey({
    what,
    publicKey,
    signDigest: async (digest, signal) => {
      const Message = Buffer.from(digest).toString('base64');
      const input = { KeyId, Message, MessageType: 'DIGEST', SigningAlgorithm: algorithm };
      const signed = Signed.safeParse(await call('Sign', input, signal));
      if (!signed.success) throw protocolError(what, 'the answer to Sign is not a signature');
      return Buffer.from(signed.data.Signature, 'base64');
    },
  });
}

function regionOf({ region }: AwsKmsReference, { settings }: KeyServiceContext, what: string): string {
  const found = region ?? settings.text('AWS_REGION') ?? settings.text('AWS_DEFAULT_REGION');
  if (found !== undefined && /^[a-z0-9-]{1,40}$/.test(found)) return found;
  const why = found === undefined ? 'the region is not known' : 'the region is no name of one';
  throw new AppError('config-invalid', `${what}: ${why}`, {
    field: 'AWS_REGION',
    mend: 'set AWS_REGION, or name the key by its ARN',
  });
}

function address({ endpoint }: AwsKmsReference, region: string, override: string | undefined): string {
  if (endpoint !== undefined) return `https://${endpoint}/`;
  return override ?? `https://kms.${region}.${awsDomain(region)}/`;
}

function readSpki(base64: string, what: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
  } catch {
    throw protocolError(what, 'what it calls a public key is none');
  }
}
