import { createPrivateKey, sign } from 'node:crypto';
import * as z from 'zod';
import type { CloudContext } from '#cloud/context.ts';
import { ExternalAccount, externalAccount } from '#cloud/google-workload-identity.ts';
import type { Pass } from '#cloud/held-token.ts';
import { failureOfStatus, protocolError, serviceError } from '#cloud/service-error.ts';
import { askService, FORM, formBody, type ServiceAnswer } from '#cloud/service-request.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';

/** What the token is to be good for: keys alone, or everything that the account may do. */
export type GoogleScope = `https://www.googleapis.com/auth/${'cloudkms' | 'cloud-platform'}`;
const LIFETIME_S = 3600;

const ServiceAccount = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url().default('https://oauth2.googleapis.com/token'),
});
const User = z.object({
  type: z.literal('authorized_user'),
  client_id: z.string(),
  client_secret: z.string(),
  refresh_token: z.string(),
});
const Credentials = z.discriminatedUnion('type', [ServiceAccount, User, ExternalAccount]);

/**
 * An access token by Application Default Credentials: the file of GOOGLE_APPLICATION_CREDENTIALS (service account,
 * workload identity federation, user), else the metadata service of the platform.
 * @throws AppError `config-invalid`, `key-unauthorized`, `key-unavailable`.
 */
export async function googleToken(
  context: CloudContext,
  scope: GoogleScope,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const file = context.settings.text('GOOGLE_APPLICATION_CREDENTIALS');
  if (file === undefined) return await fromMetadata(context, scope, signal);
  const credentials = await readCredentials(context, file);
  switch (credentials.type) {
    case 'service_account':
      return await fromServiceAccount(context, credentials, scope, caFile, signal);
    case 'authorized_user': {
      const { client_id, client_secret, refresh_token } = credentials;
      const fields = { grant_type: 'refresh_token', client_id, client_secret, refresh_token };
      return await exchange(context, new URL('https://oauth2.googleapis.com/token'), fields, caFile, signal);
    }
    case 'external_account':
      return await externalAccount(context, credentials, caFile, signal);
  }
}

async function readCredentials(context: CloudContext, file: string): Promise<z.output<typeof Credentials>> {
  const field = 'GOOGLE_APPLICATION_CREDENTIALS';
  let json: unknown;
  try {
    json = JSON.parse((await context.readFile(file)).toString('utf8'));
  } catch {
    // The message of the parser quotes the file, which holds a key.
    const mend = 'name a readable JSON file of credentials';
    throw new AppError('config-invalid', 'the file of Google credentials cannot be read or is no JSON', {
      field,
      mend,
    });
  }
  const read = Credentials.safeParse(json);
  if (read.success) return read.data;
  const mend = 'use a key of a service account, a workload identity configuration or the credentials of a user';
  throw new AppError('config-invalid', 'the file of Google credentials is of a form that is not used', { field, mend });
}

/** RFC 7523: a short JWT signed by the account's key. */
async function fromServiceAccount(
  context: CloudContext,
  account: z.output<typeof ServiceAccount>,
  scope: GoogleScope,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const url = new URL(account.token_uri);
  const issued = Math.floor(context.now().getTime() / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(account.private_key_id ? { kid: account.private_key_id } : {}) };
  const claims = {
    iss: account.client_email,
    scope,
    aud: account.token_uri,
    iat: issued,
    exp: issued + LIFETIME_S,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const assertion = `${signed}.${sign('sha256', Buffer.from(signed), accountKey(account.private_key)).toString('base64url')}`;
  const fields = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  return await exchange(context, url, fields, caFile, signal);
}

function accountKey(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new AppError('config-invalid', 'the private key of the Google service account is damaged', {
      field: 'GOOGLE_APPLICATION_CREDENTIALS',
      mend: 'create a new key of the service account',
    });
  }
}

async function exchange(
  context: CloudContext,
  url: URL,
  fields: Readonly<Record<string, string>>,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const request = { method: 'POST', url, headers: { 'content-type': FORM }, body: formBody(fields), signal } as const;
  return readAccessToken(
    'Google login',
    await askService(await context.http(url, caFile), request, context.now()),
    context.now(),
  );
}

async function fromMetadata(
  context: CloudContext,
  scope: GoogleScope,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const host = context.settings.text('GCE_METADATA_HOST') ?? 'metadata.google.internal';
  const url = new URL(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`);
  url.searchParams.set('scopes', scope);
  const request = { method: 'GET', url, headers: { 'metadata-flavor': 'Google' }, signal } as const;
  const answer = await askService(await context.http(url), request, context.now());
  return readAccessToken('Google metadata service', answer, context.now());
}

const Token = z.object({ access_token: z.string().min(1), expires_in: z.number().optional() });
const Refusal = z.object({ error: z.string() });

/** The answer of an OAuth 2.0 token endpoint (RFC 6749, 5). */
export function readAccessToken(source: string, answer: ServiceAnswer, now: Date): Pass<Secret> {
  if (answer.status !== 200) {
    const read = Refusal.safeParse(answer.json);
    const failure = failureOfStatus(answer.status === 400 ? 401 : answer.status);
    throw serviceError(source, failure, {
      name: read.success ? read.data.error : undefined,
      retryAfterMs: answer.retryAfterMs,
    });
  }
  const read = Token.safeParse(answer.json);
  if (!read.success) throw protocolError(source, 'the answer holds no access token');
  const { access_token, expires_in } = read.data;
  const until = expires_in === undefined ? {} : { until: new Date(now.getTime() + expires_in * 1000) };
  return { value: new Secret(access_token, source), ...until };
}
