import * as z from 'zod';
import type { CloudContext } from '#cloud/context.ts';
import type { Pass } from '#cloud/held-token.ts';
import { failureOfStatus, protocolError, serviceError } from '#cloud/service-error.ts';
import { askService, FORM, formBody, type ServiceAnswer } from '#cloud/service-request.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';

const METADATA = 'http://169.254.169.254';

/**
 * An access token for `resource`, e.g. `https://vault.azure.net`: client secret, workload identity, else the managed
 * identity of the platform or machine.
 * @throws AppError `key-unauthorized`, `key-unavailable`, `network`, `timeout`.
 */
export async function azureToken(
  context: CloudContext,
  resource: string,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const { settings } = context;
  const [tenant, client] = [settings.text('AZURE_TENANT_ID'), settings.text('AZURE_CLIENT_ID')];
  const secret = settings.secret('AZURE_CLIENT_SECRET');
  const file = settings.text('AZURE_FEDERATED_TOKEN_FILE');
  if (secret ?? file) {
    if (tenant === undefined || client === undefined) {
      const mend = 'set AZURE_TENANT_ID and AZURE_CLIENT_ID';
      throw new AppError('config-invalid', 'an Azure identity lacks its tenant or client', { mend });
    }
    const proof =
      secret === undefined
        ? {
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: (await context.readFile(file ?? '')).toString('utf8').trim(),
          }
        : { client_secret: secret.reveal() };
    const fields = { client_id: client, scope: `${resource}/.default`, grant_type: 'client_credentials', ...proof };
    return await fromLogin(context, tenant, fields, caFile, signal);
  }
  return await fromManagedIdentity(context, resource, client, caFile, signal);
}

async function fromLogin(
  context: CloudContext,
  tenant: string,
  fields: Readonly<Record<string, string>>,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const authority = context.settings.text('AZURE_AUTHORITY_HOST') ?? 'https://login.microsoftonline.com/';
  const url = new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority.replace(/\/*$/, '/'));
  const request = { method: 'POST', url, headers: { 'content-type': FORM }, body: formBody(fields), signal } as const;
  return readToken(
    'Azure login',
    await askService(await context.http(url, caFile), request, context.now()),
    context.now(),
  );
}

async function fromManagedIdentity(
  context: CloudContext,
  resource: string,
  client: string | undefined,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const { settings } = context;
  const endpoint = settings.text('IDENTITY_ENDPOINT');
  const header = settings.secret('IDENTITY_HEADER')?.reveal();
  const platform = endpoint !== undefined && header !== undefined;
  const base = settings.text('AZURE_POD_IDENTITY_AUTHORITY_HOST') ?? METADATA;
  const url = platform ? new URL(endpoint) : new URL('/metadata/identity/oauth2/token', base);
  url.searchParams.set('api-version', platform ? '2019-08-01' : '2018-02-01');
  url.searchParams.set('resource', resource);
  if (client !== undefined) url.searchParams.set('client_id', client);
  const headers: Record<string, string> = platform ? { 'x-identity-header': header } : { metadata: 'true' };
  const request = { method: 'GET', url, headers, signal } as const;
  return readToken(
    'Azure managed identity',
    await askService(await context.http(url, caFile), request, context.now()),
    context.now(),
  );
}

const Token = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().optional(),
  expires_on: z.coerce.number().optional(),
});
const Refusal = z.object({ error: z.string(), error_codes: z.array(z.number()).optional() });

function readToken(source: string, answer: ServiceAnswer, now: Date): Pass<Secret> {
  if (answer.status !== 200) {
    const read = Refusal.safeParse(answer.json);
    // A wrong secret or assertion is a 400 or 401; the description may quote what was sent.
    const failure = failureOfStatus(answer.status === 400 ? 401 : answer.status);
    const code = read.success ? read.data.error_codes?.[0] : undefined;
    const name = read.success ? `${read.data.error}${code === undefined ? '' : ` AADSTS${code}`}` : undefined;
    throw serviceError(source, failure, { name, retryAfterMs: answer.retryAfterMs });
  }
  const read = Token.safeParse(answer.json);
  if (!read.success) throw protocolError(source, 'the answer holds no access token');
  const { access_token, expires_in, expires_on } = read.data;
  const until = expires_in === undefined ? (expires_on ?? 0) * 1000 : now.getTime() + expires_in * 1000;
  return { value: new Secret(access_token, source), ...(until > 0 ? { until: new Date(until) } : {}) };
}
