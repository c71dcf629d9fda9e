import * as z from 'zod';
import { type AwsService, callAws, openAwsService } from '#cloud/aws-call.ts';
import { awsDomain } from '#cloud/aws-credentials.ts';
import type { CloudContext } from '#cloud/context.ts';
import type { Pass } from '#cloud/held-token.ts';
import { protocolError } from '#cloud/service-error.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import type { Credential } from '#oci/credentials.ts';

/** Seconds since 1970, as AWS's JSON protocol writes times. */
const Authorization = z.object({ authorizationToken: z.base64().min(1), expiresAt: z.number().positive() });
const Private = z.object({ authorizationData: z.array(Authorization).min(1) });
const Public = z.object({ authorizationData: Authorization });

/** ECR Public has one region for logins. */
const PUBLIC_REGION = 'us-east-1';
const HOST = /^([0-9]{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]{1,40})\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/;

/**
 * A login at Amazon ECR (Amazon ECR API reference: GetAuthorizationToken): user AWS and a password of twelve hours.
 * @param host the registry's name, which tells its region.
 */
export function ecrLogin(context: CloudContext, host: string, kind: 'ecr' | 'ecr-public') {
  // Asked once and kept: the credentials behind the login are renewed by themselves.
  let service: Promise<AwsService> | undefined;
  return async (): Promise<Pass<Credential>> => {
    service ??= openEcr(context, host, kind);
    const target =
      kind === 'ecr'
        ? 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken'
        : 'SpencerFrontendService.GetAuthorizationToken';
    const opened = await service.catch((error: unknown) => {
      service = undefined;
      throw error;
    });
    return readLogin(await callAws(opened, target, {}, undefined), opened.what);
  };
}

/** The AWS account whose registry has this name; undefined where the name does not tell. */
export function ecrAccount(host: string): string | undefined {
  return HOST.exec(host)?.[1];
}

/** The API of ECR in the region of a registry. @throws AppError `config-invalid` where the region is not known. */
export async function openEcr(context: CloudContext, host: string, kind: 'ecr' | 'ecr-public'): Promise<AwsService> {
  const { settings } = context;
  if (kind === 'ecr-public') {
    const address = settings.text('AWS_ENDPOINT_URL_ECR_PUBLIC');
    const url = new URL(address ?? `https://api.ecr-public.${PUBLIC_REGION}.amazonaws.com/`);
    return openAwsService(context, { what: 'ECR Public', name: 'ecr-public', url, region: PUBLIC_REGION, json: '1.1' });
  }
  const [, , fips = '', named] = HOST.exec(host) ?? [];
  const region = named ?? settings.text('AWS_REGION') ?? settings.text('AWS_DEFAULT_REGION');
  if (region === undefined || !/^[a-z0-9-]{1,40}$/.test(region)) {
    throw new AppError('config-invalid', 'the region of ECR is not known', {
      field: 'registries.credentials.access.AWS_REGION',
      mend: 'name the registry ACCOUNT.dkr.ecr.REGION.amazonaws.com, or set AWS_REGION',
    });
  }
  const address = settings.text('AWS_ENDPOINT_URL_ECR');
  const api = fips === '' ? 'api.ecr' : 'ecr-fips';
  const url = new URL(address ?? `https://${api}.${region}.${awsDomain(region)}/`);
  return openAwsService(context, { what: `ECR (${region})`, name: 'ecr', url, region, json: '1.1' });
}

function readLogin(answer: unknown, what: string): Pass<Credential> {
  const given = z
    .union([
      Private.transform(({ authorizationData: [first] }) => first),
      Public.transform(({ authorizationData }) => authorizationData),
    ])
    .safeParse(answer);
  const [username, password] = Buffer.from(given.data?.authorizationToken ?? '', 'base64')
    .toString('utf8')
    .split(':', 2);
  if (!given.data || !username || !password) throw protocolError(what, 'the answer holds no authorization token');
  return {
    value: { kind: 'basic', username, password: new Secret(password, what) },
    until: new Date(given.data.expiresAt * 1000),
  };
}
