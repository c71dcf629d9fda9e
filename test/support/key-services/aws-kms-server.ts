import { createPublicKey, type KeyObject } from 'node:crypto';
import { derOfRawSignature } from '#signing/keys/ec-signature.ts';
import { type HttpServer, json, serveHttp } from '../http-server.ts';
import { signDigest } from '../prehashed.ts';
import { refuseAwsRequest } from './aws-requests.ts';

export interface AwsKmsOptions {
  /** By key id or alias. */
  readonly keys: Readonly<Record<string, KeyObject>>;
  readonly region: string;
  /** Secrets by access key id; each with the session token that must come along. */
  readonly credentials: Readonly<Record<string, { readonly secret: string; readonly token?: string }>>;
  now(): Date;
}

/** AWS KMS as far as signing needs it: it checks Signature Version 4 by its own reading, and signs with true keys. */
export async function startAwsKms(options: AwsKmsOptions): Promise<HttpServer> {
  return serveHttp((request) => {
    const refusal = refuseAwsRequest(request, { ...options, service: 'kms' });
    if (refusal !== undefined) return failure(refusal === 'AccessDeniedException' ? 403 : 400, refusal);
    const input = JSON.parse(request.body.toString('utf8')) as Record<string, string>;
    const id = (input.KeyId ?? '').replace(/^arn:.*:key\//, '');
    const key = options.keys[id];
    if (key === undefined) return failure(400, 'NotFoundException');
    const arn = `arn:aws:kms:${options.region}:111122223333:key/${id}`;
    const algorithm = key.asymmetricKeyType === 'rsa' ? 'RSASSA_PKCS1_V1_5_SHA_256' : 'ECDSA_SHA_256';
    switch (request.headers['x-amz-target']) {
      case 'TrentService.GetPublicKey': {
        const PublicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
        return json(200, { KeyId: arn, PublicKey, KeyUsage: 'SIGN_VERIFY', SigningAlgorithms: [algorithm] });
      }
      case 'TrentService.Sign': {
        const digest = Buffer.from(input.Message ?? '', 'base64');
        if (input.MessageType !== 'DIGEST' || digest.length !== 32 || input.SigningAlgorithm !== algorithm) {
          return failure(400, 'ValidationException');
        }
        const raw = signDigest(key, digest);
        const signature = key.asymmetricKeyType === 'rsa' ? raw : derOfRawSignature(raw);
        return json(200, { KeyId: arn, Signature: signature?.toString('base64'), SigningAlgorithm: algorithm });
      }
      default:
        return failure(400, 'UnknownOperationException');
    }
  });
}

export function failure(status: number, name: string, message = `told by the service: ${name}`) {
  return json(status, { __type: `com.amazonaws.kms#${name}`, message });
}
