import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Pass } from '#cloud/held-token.ts';
import { failureOfStatus, protocolError, serviceError } from '#cloud/service-error.ts';
import { askService } from '#cloud/service-request.ts';
import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import type { KeyServiceContext } from '#signing/keys/key-service.ts';

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * A token of Vault: VAULT_TOKEN, a login by VAULT_AUTH_METHOD, or what `vault login` left in `~/.vault-token`.
 * @throws AppError `config-invalid`, `key-unauthorized`, `key-unavailable`.
 */
export async function vaultToken(
  context: KeyServiceContext,
  address: URL,
  http: HttpClient,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const { settings } = context;
  const method = settings.text('VAULT_AUTH_METHOD');
  const given = settings.secret('VAULT_TOKEN');
  if (given && (method === undefined || method === 'token')) return { value: given };
  switch (method) {
    case undefined:
    case 'token':
      return { value: await tokenOfFile(context) };
    case 'approle': {
      const [role_id, secret] = [settings.text('VAULT_ROLE_ID'), settings.secret('VAULT_SECRET_ID')];
      if (role_id === undefined) throw missing('VAULT_ROLE_ID');
      // A role may be bound to addresses alone, and then has no secret id.
      const input = { role_id, ...(secret ? { secret_id: secret.reveal() } : {}) };
      return await login(context, address, http, method, input, signal);
    }
    case 'kubernetes':
    case 'jwt': {
      const role = settings.text('VAULT_ROLE');
      if (role === undefined) throw missing('VAULT_ROLE');
      const jwt = (await context.readFile(settings.text('VAULT_JWT_FILE') ?? SERVICE_ACCOUNT_TOKEN)).toString('utf8');
      return await login(context, address, http, method, { role, jwt: jwt.trim() }, signal);
    }
    default:
      throw new AppError('config-invalid', `there is no way to log in to Vault called ${method.slice(0, 40)}`, {
        field: 'VAULT_AUTH_METHOD',
        mend: 'write token, approle, kubernetes or jwt',
      });
  }
}

async function tokenOfFile(context: KeyServiceContext): Promise<Secret> {
  try {
    const text = (await context.readFile(join(homedir(), '.vault-token'))).toString('utf8').trim();
    return new Secret(text, 'file:~/.vault-token');
  } catch (error) {
    throw new AppError('config-invalid', 'there is no token for Vault', {
      cause: error,
      field: 'VAULT_TOKEN',
      mend: 'set VAULT_TOKEN, or VAULT_AUTH_METHOD with its role, or run vault login',
    });
  }
}

function missing(name: string): AppError {
  return new AppError('config-invalid', `${name} is not set`, { field: name, mend: `set ${name}` });
}

const Login = z.object({ auth: z.object({ client_token: z.string().min(1), lease_duration: z.number() }) });

async function login(
  context: KeyServiceContext,
  address: URL,
  http: HttpClient,
  method: string,
  input: object,
  signal: AbortSignal | undefined,
): Promise<Pass<Secret>> {
  const mount = (context.settings.text('VAULT_AUTH_PATH') ?? method).replace(/^\/+|\/+$/g, '');
  const url = new URL(`/v1/auth/${mount}/login`, address);
  const namespace = context.settings.text('VAULT_NAMESPACE');
  const headers = {
    'content-type': 'application/json',
    ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
  };
  const answer = await askService(
    http,
    { method: 'POST', url, headers, body: JSON.stringify(input), signal },
    context.now(),
  );
  if (answer.status !== 200) {
    // Wrong role, secret or token is a 400 or 403.
    const failure = failureOfStatus(answer.status === 400 || answer.status === 403 ? 401 : answer.status);
    throw serviceError(`Vault login (${mount})`, failure, { retryAfterMs: answer.retryAfterMs });
  }
  const read = Login.safeParse(answer.json);
  if (!read.success) throw protocolError(`Vault login (${mount})`, 'the answer holds no token');
  const { client_token, lease_duration } = read.data.auth;
  const until = lease_duration > 0 ? { until: new Date(context.now().getTime() + lease_duration * 1000) } : {};
  return { value: new Secret(client_token, `Vault login ${mount}`), ...until };
}
