import type { CloudContext } from '#cloud/context.ts';
import { askService } from '#cloud/service-request.ts';

const ADDRESS = 'http://169.254.169.254';
const ROLES = '/latest/meta-data/iam/security-credentials/';
/** On a machine that is not in EC2 nobody answers at all. */
const TIMEOUT_MS = 1500;

/**
 * Credentials of the machine's role by the instance metadata service, version 2; undefined where there is no such
 * service or no role.
 */
export async function askMetadata(context: CloudContext, signal: AbortSignal | undefined): Promise<unknown> {
  const base = new URL(context.settings.text('AWS_EC2_METADATA_SERVICE_ENDPOINT') ?? ADDRESS);
  const http = await context.http(base);
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  const ask = async (method: 'GET' | 'PUT', path: string, headers: Record<string, string>) => {
    const url = new URL(path, base);
    return await askService(http, { method, url, headers, signal: either }, context.now());
  };
  try {
    const token = await ask('PUT', '/latest/api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': '300' });
    if (token.status !== 200) return undefined;
    const headers = { 'x-aws-ec2-metadata-token': token.text };
    const roles = await ask('GET', ROLES, headers);
    const [role] = roles.text.split('\n');
    if (roles.status !== 200 || !role || !/^[\w+=,.@-]{1,64}$/.test(role)) return undefined;
    const answer = await ask('GET', `${ROLES}${role}`, headers);
    return answer.status === 200 ? answer.json : undefined;
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined;
  }
}
