import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { derOfRawSignature } from '#signing/keys/ec-signature.ts';
import { type HttpServer, json, type ServedAnswer, type ServedRequest, serveHttp } from '../http-server.ts';
import { signDigest } from '../prehashed.ts';
import { crc32 } from './crc32c.ts';

export interface GoogleKms extends HttpServer {
  /** A credentials file of the account. */
  readonly serviceAccount: string;
  /** A workload identity configuration that takes its token from `file`. */
  workloadIdentity(file: string, impersonate?: boolean): string;
  readonly tokens: readonly string[];
}

export interface GoogleOptions {
  /** By the resource name of the version. */
  readonly versions: Readonly<
    Record<string, { readonly key: KeyObject; readonly algorithm: string; readonly state?: string }>
  >;
  /** The token of the platform that it changes for its own. */
  readonly subjectToken?: string;
  now(): Date;
}

const EMAIL = 'signer@project.iam.gserviceaccount.com';

/** Google Cloud KMS with its token endpoints and metadata service, at one address. */
export async function startGoogle(options: GoogleOptions): Promise<GoogleKms> {
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tokens: string[] = [];
  const give = (): string => {
    tokens.push(`google-token-${tokens.length + 1}`);
    return tokens.at(-1) ?? '';
  };
  const server = await serveHttp((request) => {
    const form = new URLSearchParams(request.body.toString('utf8'));
    switch (new URL(request.path, server.url).pathname) {
      case '/token':
        if (!isAssertion(form.get('assertion') ?? '', account.publicKey, `${server.url}/token`, options.now())) {
          return json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
        }
        return json(200, { access_token: give(), expires_in: 3599, token_type: 'Bearer' });
      case '/sts':
        if (form.get('subject_token') !== options.subjectToken) return json(400, { error: 'invalid_grant' });
        return json(200, { access_token: give(), expires_in: 3599, token_type: 'Bearer' });
      case '/impersonate': {
        if (request.headers.authorization !== `Bearer ${tokens.at(-1)}`) return problem(401, 'UNAUTHENTICATED');
        return json(200, {
          accessToken: give(),
          expireTime: new Date(options.now().getTime() + 3_600_000).toISOString(),
        });
      }
      case '/computeMetadata/v1/instance/service-accounts/default/token':
        if (request.headers['metadata-flavor'] !== 'Google') return json(403, {});
        return json(200, { access_token: give(), expires_in: 3599, token_type: 'Bearer' });
      default:
        if (request.headers.authorization !== `Bearer ${tokens.at(-1)}`) return problem(401, 'UNAUTHENTICATED');
        return answer(request, options);
    }
  });
  const serviceAccount = JSON.stringify({
    type: 'service_account',
    client_email: EMAIL,
    private_key_id: 'k1',
    private_key: account.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `${server.url}/token`,
  });
  const workloadIdentity = (file: string, impersonate = false) =>
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/o',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${server.url}/sts`,
      credential_source: { file },
      ...(impersonate ? { service_account_impersonation_url: `${server.url}/impersonate` } : {}),
    });
  return { ...server, serviceAccount, workloadIdentity, tokens };
}

function isAssertion(jwt: string, key: KeyObject, audience: string, now: Date): boolean {
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const told = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8') || '{}') as Record<string, unknown>;
  const fresh = Number(told.exp) * 1000 > now.getTime() && told.aud === audience && told.iss === EMAIL;
  return fresh && verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'));
}

function answer(request: ServedRequest, { versions }: GoogleOptions): ServedAnswer {
  const url = new URL(request.path, 'http://kms');
  const path = url.pathname.replace(/^\/v1\//, '');
  if (path.endsWith('/cryptoKeyVersions')) {
    if (url.searchParams.get('filter') !== 'state=ENABLED') return problem(400, 'INVALID_ARGUMENT');
    const listed = Object.entries(versions).filter(([, { state = 'ENABLED' }]) => state === 'ENABLED');
    return json(200, { cryptoKeyVersions: listed.map(([name]) => ({ name, state: 'ENABLED' })) });
  }
  const name = path.replace(/\/publicKey$|:asymmetricSign$/, '');
  const version = versions[name];
  if (version === undefined) return problem(404, 'NOT_FOUND');
  const { key, algorithm, state = 'ENABLED' } = version;
  if (state !== 'ENABLED')
    return problem(400, 'FAILED_PRECONDITION', `${name} is not enabled, current state is: ${state}.`);
  if (path.endsWith('/publicKey')) {
    const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
    return json(200, { pem, algorithm, pemCrc32c: crc32(Buffer.from(pem)), name });
  }
  const input = JSON.parse(request.body.toString('utf8')) as { digest: { sha256: string }; digestCrc32c: string };
  const digest = Buffer.from(input.digest.sha256, 'base64');
  if (digest.length !== 32) return problem(400, 'INVALID_ARGUMENT');
  const raw = signDigest(key, digest);
  const signature = key.asymmetricKeyType === 'rsa' ? raw : (derOfRawSignature(raw) ?? raw);
  return json(200, {
    name,
    signature: signature.toString('base64'),
    signatureCrc32c: crc32(signature),
    verifiedDigestCrc32c: input.digestCrc32c === crc32(digest),
  });
}

export function problem(code: number, status: string, message = `told by the service: ${status}`): ServedAnswer {
  return json(code, { error: { code, status, message } });
}
