import { type KeyObject, verify } from 'node:crypto';
import { type HttpServer, json, serveHttp } from '../http-server.ts';
import { type AwsGate, refuseAwsRequest } from './aws-requests.ts';

export function refusedByAws(name: string, status = 400) {
  return json(status, { __type: name, message: `told by the service: ${name}` });
}

/** ECR's GetAuthorizationToken, private or public: twelve hours for user AWS. */
export function startEcr(
  gate: Omit<AwsGate, 'service'>,
  password: () => string,
  isPublic = false,
): Promise<HttpServer> {
  const service = isPublic ? 'ecr-public' : 'ecr';
  const api = isPublic ? 'SpencerFrontendService' : 'AmazonEC2ContainerRegistry_V20150921';
  return serveHttp((request) => {
    const refusal = refuseAwsRequest(request, { ...gate, service });
    if (refusal !== undefined) return refusedByAws(refusal);
    if (request.headers['x-amz-target'] !== `${api}.GetAuthorizationToken`) {
      return refusedByAws('UnknownOperationException');
    }
    const authorizationToken = Buffer.from(`AWS:${password()}`).toString('base64');
    const data = { authorizationToken, expiresAt: gate.now().getTime() / 1000 + 12 * 3600 };
    return json(200, {
      authorizationData: isPublic ? data : [{ ...data, proxyEndpoint: 'https://elsewhere.example' }],
    });
  });
}

/** STS's AssumeRoleWithWebIdentity: a session for the one token, as the query protocol answers. */
export function startSts(
  wanted: { readonly role: string; readonly token: string },
  session: { readonly id: string; readonly secret: string; readonly token: string },
  now: () => Date,
): Promise<HttpServer> {
  return serveHttp((request) => {
    const form = new URLSearchParams(request.body.toString('utf8'));
    const right =
      form.get('Action') === 'AssumeRoleWithWebIdentity' &&
      form.get('Version') === '2011-06-15' &&
      form.get('RoleArn') === wanted.role &&
      form.get('WebIdentityToken') === wanted.token;
    if (!right)
      return { status: 400, body: '<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>' };
    const until = new Date(now().getTime() + 3_600_000).toISOString();
    const body = `<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>${session.id}</AccessKeyId><SecretAccessKey>${session.secret}</SecretAccessKey><SessionToken>${session.token}</SessionToken><Expiration>${until}</Expiration></Credentials></AssumeRoleWithWebIdentityResponse>`;
    return { status: 200, body };
  });
}

/** Microsoft Entra's token endpoint: client secret, or the federated token of a workload. */
export function startEntra(options: {
  readonly tenant: string;
  readonly client: string;
  readonly secret: string;
  readonly assertion: string;
  readonly issue: (audience: string) => string;
}): Promise<HttpServer> {
  return serveHttp((request) => {
    const form = new URLSearchParams(request.body.toString('utf8'));
    const proven = form.has('client_secret')
      ? form.get('client_secret') === options.secret
      : form.get('client_assertion') === options.assertion &&
        form.get('client_assertion_type') === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const [, audience] = /^(https:.*)\/\.default$/.exec(form.get('scope') ?? '') ?? [];
    const right = request.path === `/${options.tenant}/oauth2/v2.0/token` && form.get('client_id') === options.client;
    if (!right || !proven || audience === undefined) {
      return json(401, { error: 'invalid_client', error_codes: [7000215], error_description: request.body.toString() });
    }
    return json(200, { token_type: 'Bearer', expires_in: 3599, access_token: options.issue(audience) });
  });
}

/** GitHub's access tokens of installations; it checks the assertion as GitHub says that it does. */
export function startGithub(options: {
  readonly issuer: string;
  readonly installation: number;
  readonly publicKey: KeyObject;
  readonly token: () => string;
  readonly now: () => Date;
}): Promise<HttpServer> {
  return serveHttp((request) => {
    const jwt = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const claims = openJwt(jwt, options.publicKey);
    const seconds = options.now().getTime() / 1000;
    const { iat = Number.NaN, exp = Number.NaN } = (claims ?? {}) as { iat?: number; exp?: number };
    const fresh = iat <= seconds && exp > seconds && exp - seconds <= 600;
    if (!fresh || claims?.iss !== options.issuer)
      return json(401, { message: 'A JSON web token could not be decoded' });
    const path = `/app/installations/${options.installation}/access_tokens`;
    if (request.method !== 'POST' || request.path !== path) return json(404, { message: 'Not Found' });
    return json(201, {
      token: options.token(),
      expires_at: new Date(options.now().getTime() + 3_600_000).toISOString(),
    });
  });
}

/** The claims of a token that this key signed (RS256). */
export function openJwt(jwt: string, key: KeyObject): Readonly<Record<string, unknown>> | undefined {
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const good = verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'));
  return good ? (JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<string, unknown>) : undefined;
}
