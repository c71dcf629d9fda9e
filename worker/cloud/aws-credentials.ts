import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { askMetadata } from '#cloud/aws-metadata.ts';
import type { AwsCredentials } from '#cloud/aws-signature.ts';
import type { CloudContext } from '#cloud/context.ts';
import type { Pass } from '#cloud/held-token.ts';
import { failureOfStatus, serviceError } from '#cloud/service-error.ts';
import { askService, FORM, formBody } from '#cloud/service-request.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';

/**
 * Credentials in the order of AWS's own clients: variables, web identity, shared file, container, machine. Sections of
 * the shared file that name a role or single sign-on are not followed.
 * @throws AppError `config-invalid` where there are none; `key-unauthorized`, `key-unavailable`.
 */
export async function awsCredentials(
  context: CloudContext,
  region: string,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<AwsCredentials>> {
  const found =
    fromVariables(context) ??
    (await fromWebIdentity(context, region, caFile, signal)) ??
    (await fromSharedFile(context)) ??
    (await fromContainer(context, caFile, signal)) ??
    (await fromMachine(context, signal));
  if (found) return found;
  throw new AppError('config-invalid', 'there are no AWS credentials', {
    mend: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or let the platform give an identity (see the guide on keys)',
  });
}

function fromVariables({ settings }: CloudContext): Pass<AwsCredentials> | undefined {
  const accessKeyId = settings.text('AWS_ACCESS_KEY_ID');
  const secretAccessKey = settings.secret('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = settings.secret('AWS_SESSION_TOKEN');
  return { value: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } };
}

async function fromWebIdentity(
  context: CloudContext,
  region: string,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<AwsCredentials> | undefined> {
  const { settings } = context;
  const [file, role] = [settings.text('AWS_WEB_IDENTITY_TOKEN_FILE'), settings.text('AWS_ROLE_ARN')];
  if (file === undefined || role === undefined) return undefined;
  const url = new URL(settings.text('AWS_ENDPOINT_URL_STS') ?? `https://sts.${region}.${awsDomain(region)}/`);
  const body = formBody({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: settings.text('AWS_ROLE_SESSION_NAME') ?? 'attestry',
    WebIdentityToken: (await context.readFile(file)).toString('utf8').trim(),
  });
  const request = { method: 'POST', url, body, headers: { 'content-type': FORM }, signal } as const;
  const answer = await askService(await context.http(url, caFile), request, context.now());
  if (answer.status !== 200) {
    // Its message may quote the token; the code alone is told.
    const name = element(answer.text, 'Code');
    const failure =
      name === 'ExpiredTokenException' ? 'expired' : failureOfStatus(answer.status === 400 ? 401 : answer.status);
    throw serviceError(`AWS STS (${role})`, failure, { name, retryAfterMs: answer.retryAfterMs });
  }
  return readPass(
    {
      AccessKeyId: element(answer.text, 'AccessKeyId'),
      SecretAccessKey: element(answer.text, 'SecretAccessKey'),
      Token: element(answer.text, 'SessionToken'),
      Expiration: element(answer.text, 'Expiration'),
    },
    'AWS STS',
  );
}

/** STS answers XML of a fixed shape whose values hold no markup. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<&]*)</${name}>`).exec(xml)?.[1];
}

async function fromSharedFile(context: CloudContext): Promise<Pass<AwsCredentials> | undefined> {
  const named = context.settings.text('AWS_SHARED_CREDENTIALS_FILE');
  const profile = context.settings.text('AWS_PROFILE');
  let text: string;
  try {
    text = (await context.readFile(named ?? join(homedir(), '.aws', 'credentials'))).toString('utf8');
  } catch (error) {
    if (named === undefined && profile === undefined) return undefined;
    const mend = 'name a readable file with AWS_SHARED_CREDENTIALS_FILE';
    throw new AppError('config-invalid', 'the shared credentials file of AWS cannot be read', { cause: error, mend });
  }
  const section = readSection(text, profile ?? 'default');
  const [id, secret, token] = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'].map((key) =>
    section.get(key),
  );
  if (!id || !secret) return undefined;
  const reference = `profile ${profile ?? 'default'}`;
  const sessionToken = token ? { sessionToken: new Secret(token, reference) } : {};
  return { value: { accessKeyId: id, secretAccessKey: new Secret(secret, reference), ...sessionToken } };
}

function readSection(text: string, wanted: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let section: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) section = header.trim();
    const [, key, value] = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === wanted && key !== undefined && value !== undefined) found.set(key, value);
  }
  return found;
}

async function fromContainer(
  context: CloudContext,
  caFile: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pass<AwsCredentials> | undefined> {
  const { settings } = context;
  const relative = settings.text('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  const full = settings.text('AWS_CONTAINER_CREDENTIALS_FULL_URI');
  if (relative === undefined && full === undefined) return undefined;
  const url = new URL(full ?? '', `http://169.254.170.2${relative ?? ''}`);
  const file = settings.text('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  const token =
    file === undefined
      ? settings.secret('AWS_CONTAINER_AUTHORIZATION_TOKEN')?.reveal()
      : (await context.readFile(file)).toString('utf8').trim();
  const headers = token === undefined ? {} : { authorization: token };
  const answer = await askService(
    await context.http(url, caFile),
    { method: 'GET', url, headers, signal },
    context.now(),
  );
  if (answer.status !== 200) throw serviceError('AWS container credentials', failureOfStatus(answer.status));
  return readPass(answer.json, 'AWS container credentials');
}

async function fromMachine(
  context: CloudContext,
  signal: AbortSignal | undefined,
): Promise<Pass<AwsCredentials> | undefined> {
  if (context.settings.text('AWS_EC2_METADATA_DISABLED')?.toLowerCase() === 'true') return undefined;
  const json = await askMetadata(context, signal);
  return json === undefined ? undefined : readPass(json, 'AWS machine metadata');
}

const Answer = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  Token: z.string().optional(),
  Expiration: z.iso.datetime({ offset: true }).optional(),
});

function readPass(json: unknown, source: string): Pass<AwsCredentials> {
  const read = Answer.safeParse(json);
  if (!read.success) throw serviceError(source, 'unavailable', { words: 'its answer holds no credentials' });
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = read.data;
  return {
    value: {
      accessKeyId: AccessKeyId,
      secretAccessKey: new Secret(SecretAccessKey, source),
      ...(Token === undefined ? {} : { sessionToken: new Secret(Token, source) }),
    },
    ...(Expiration === undefined ? {} : { until: new Date(Expiration) }),
  };
}

/** The domain of the services of a region. */
export function awsDomain(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
