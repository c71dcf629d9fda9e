import * as z from 'zod';
import type { CloudContext } from '#cloud/context.ts';
import type { Pass } from '#cloud/held-token.ts';
import { failureOfStatus, protocolError, serviceError } from '#cloud/service-error.ts';
import { askService, FORM, formBody } from '#cloud/service-request.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';

const Format = z.object({
  type: z.enum(['text', 'json']).default('text'),
  subject_token_field_name: z.string().optional(),
});

/** Workload identity federation with a token of a file or URL (AIP-4117). */
export const ExternalAccount = z.object({
  type: z.literal('external_account'),
  audience: z.string().min(1),
  subject_token_type: z.string().min(1),
  token_url: z.url(),
  service_account_impersonation_url: z.url().optional(),
  credential_source: z.object({
    file: z.string().optional(),
    url: z.url().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    format: Format.optional(),
  }),
});
type ExternalAccount = z.output<typeof ExternalAccount>;

const CLOUD = 'https://www.googleapis.com/auth/cloud-platform';
const SOURCE = 'Google workload identity';

/** Changes the platform's token for Google's own (RFC 8693), and that for one of the service account where it names one. */
export async function externalAccount(
  context: CloudContext,
  account: ExternalAccount,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const url = new URL(account.token_url);
  const fields = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: account.audience,
    scope: CLOUD,
    subject_token_type: account.subject_token_type,
    subject_token: await subjectToken(context, account, caFile, signal),
  };
  const request = { method: 'POST', url, headers: { 'content-type': FORM }, body: formBody(fields), signal } as const;
  const answer = await askService(await context.http(url, caFile), request, context.now());
  if (answer.status !== 200) {
    const failure = failureOfStatus(answer.status === 400 ? 401 : answer.status);
    throw serviceError(SOURCE, failure, { retryAfterMs: answer.retryAfterMs });
  }
  const Token = z.object({ access_token: z.string().min(1), expires_in: z.number().optional() });
  const read = Token.safeParse(answer.json);
  if (!read.success) throw protocolError(SOURCE, 'the answer holds no access token');
  const { access_token, expires_in = 3600 } = read.data;
  if (account.service_account_impersonation_url === undefined) {
    const until = new Date(context.now().getTime() + expires_in * 1000);
    return { value: new Secret(access_token, SOURCE), until };
  }
  return await impersonate(context, new URL(account.service_account_impersonation_url), access_token, caFile, signal);
}

async function subjectToken(
  context: CloudContext,
  { credential_source: source }: ExternalAccount,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const text = await sourceText(context, source, caFile, signal);
  if (source.format?.type !== 'json') return text.trim();
  const field = source.format.subject_token_field_name ?? '';
  const read = z.record(z.string(), z.unknown()).safeParse(parse(text));
  const token = read.success ? read.data[field] : undefined;
  if (typeof token === 'string') return token;
  throw serviceError(SOURCE, 'unavailable', { words: `the source of its token has no member ${field}` });
}

async function sourceText(
  context: CloudContext,
  { file, url: address, headers = {} }: ExternalAccount['credential_source'],
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (file !== undefined) return (await context.readFile(file)).toString('utf8');
  if (address === undefined) {
    throw new AppError('config-invalid', 'the Google workload identity takes its token from neither file nor url', {
      field: 'GOOGLE_APPLICATION_CREDENTIALS',
      mend: 'write the configuration with a credential_source of file or url',
    });
  }
  const url = new URL(address);
  const answer = await askService(
    await context.http(url, caFile),
    { method: 'GET', url, headers, signal },
    context.now(),
  );
  if (answer.status !== 200) throw serviceError(SOURCE, failureOfStatus(answer.status));
  return answer.text;
}

async function impersonate(
  context: CloudContext,
  url: URL,
  token: string,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ scope: [CLOUD] });
  const answer = await askService(
    await context.http(url, caFile),
    { method: 'POST', url, headers, body, signal },
    context.now(),
  );
  if (answer.status !== 200) throw serviceError(`${SOURCE}, impersonation`, failureOfStatus(answer.status));
  const read = z
    .object({ accessToken: z.string().min(1), expireTime: z.iso.datetime({ offset: true }) })
    .safeParse(answer.json);
  if (!read.success) throw protocolError(SOURCE, 'the answer to the impersonation holds no access token');
  return { value: new Secret(read.data.accessToken, SOURCE), until: new Date(read.data.expireTime) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
