import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ServedRequest } from '../http-server.ts';

export interface AwsGate {
  readonly region: string;
  /** As the signature names it. */
  readonly service: string;
  /** Secrets by access key id; each with the session token that must come along. */
  readonly credentials: Readonly<Record<string, { readonly secret: string; readonly token?: string }>>;
  now(): Date;
}

/** Requests that are older or newer than this are refused, as AWS does. */
const LIFETIME_MS = 5 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;

/** AWS's name for why a request is refused, by its own reading of Signature Version 4; undefined: let in. */
export function refuseAwsRequest({ headers, body, path }: ServedRequest, gate: AwsGate): string | undefined {
  const found = AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  const [, id = '', day, region, service, signed = '', signature = ''] = found;
  const known = gate.credentials[id];
  if (known === undefined) return 'UnrecognizedClientException';
  const time = String(headers['x-amz-date']);
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(gate.now().getTime() - at) < LIFETIME_MS)) return 'RequestExpired';
  if (region !== gate.region || service !== gate.service || day !== time.slice(0, 8)) {
    return 'InvalidSignatureException';
  }
  const names = signed.split(';');
  if (!['host', 'x-amz-date', 'x-amz-target'].every((name) => names.includes(name))) return 'IncompleteSignature';
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const lines = names.map((name) => `${name}:${headers[name]}`);
  const canonical = ['POST', path, '', ...lines, '', signed, sha256(body)].join('\n');
  const text = `AWS4-HMAC-SHA256\n${time}\n${day}/${region}/${service}/aws4_request\n${sha256(canonical)}`;
  let key = Buffer.from(`AWS4${known.secret}`);
  for (const part of [day, region, service, 'aws4_request']) {
    key = createHmac('sha256', key).update(String(part)).digest();
  }
  const wanted = createHmac('sha256', key).update(text).digest();
  if (!timingSafeEqual(wanted, Buffer.from(signature, 'hex'))) return 'InvalidSignatureException';
  if (known.token !== undefined && headers['x-amz-security-token'] !== known.token) return 'ExpiredTokenException';
  return undefined;
}
