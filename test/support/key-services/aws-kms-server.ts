import { createHash, createHmac, createPublicKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { derOfRawSignature } from '#signing/keys/ec-signature.ts';
import { type HttpServer, json, type ServedRequest, serveHttp } from '../http-server.ts';
import { signDigest } from '../prehashed.ts';

export interface AwsKmsOptions {
  /** By key id or alias. */
  readonly keys: Readonly<Record<string, KeyObject>>;
  readonly region: string;
  /** Secrets by access key id; each with the session token that must come along. */
  readonly credentials: Readonly<Record<string, { readonly secret: string; readonly token?: string }>>;
  now(): Date;
}

/** Requests older than this are refused, as AWS does. */
const LIFETIME_MS = 5 * 60_000;

/** AWS KMS as far as signing needs it: it checks Signature Version 4 by its own reading, and signs with true keys. */
export async function startAwsKms(options: AwsKmsOptions): Promise<HttpServer> {
  return serveHttp((request) => {
    const refusal = refuse(request, options);
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

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;

function refuse(request: ServedRequest, options: AwsKmsOptions): string | undefined {
  const { headers, body, path } = request;
  const [, id = '', day, region, signed = '', signature = ''] = AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  const known = options.credentials[id];
  if (known === undefined) return 'UnrecognizedClientException';
  const time = String(headers['x-amz-date']);
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(options.now().getTime() - at) < LIFETIME_MS)) return 'RequestExpired';
  if (region !== options.region || day !== time.slice(0, 8)) return 'InvalidSignatureException';
  const names = signed.split(';');
  if (!['host', 'x-amz-date', 'x-amz-target'].every((name) => names.includes(name))) return 'IncompleteSignature';
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const lines = names.map((name) => `${name}:${headers[name]}`);
  const canonical = ['POST', path, '', ...lines, '', signed, sha256(body)].join('\n');
  const text = `AWS4-HMAC-SHA256\n${time}\n${day}/${region}/kms/aws4_request\n${sha256(canonical)}`;
  let key = Buffer.from(`AWS4${known.secret}`);
  for (const part of [day, region, 'kms', 'aws4_request'])
    key = createHmac('sha256', key).update(String(part)).digest();
  const wanted = createHmac('sha256', key).update(text).digest();
  if (!timingSafeEqual(wanted, Buffer.from(signature, 'hex'))) return 'InvalidSignatureException';
  if (known.token !== undefined && headers['x-amz-security-token'] !== known.token) return 'ExpiredTokenException';
  return undefined;
}
