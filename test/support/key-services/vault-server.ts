import { createPublicKey, type KeyObject } from 'node:crypto';
import { derOfRawSignature } from '#signing/keys/ec-signature.ts';
import { type HttpServer, json, type ServedAnswer, type ServedRequest, serveHttp } from '../http-server.ts';
import { signDigest } from '../prehashed.ts';

export interface VaultServer extends HttpServer {
  /** Tokens that logins gave out; each is good until the next. */
  readonly tokens: readonly string[];
}

export interface VaultOptions {
  /** Versions of each key, oldest first. */
  readonly keys: Readonly<Record<string, readonly KeyObject[]>>;
  /** A token that is good for ever. */
  readonly token?: string;
  readonly roleId?: string;
  readonly secretId?: string;
  /** Service account tokens by role. */
  readonly jwts?: Readonly<Record<string, string>>;
  readonly namespace?: string;
  readonly mount?: string;
}

/** Vault's transit engine and the logins that lead to it, in the answers that Vault 1.21 was seen to give. */
export async function startVault(options: VaultOptions): Promise<VaultServer> {
  const tokens: string[] = [];
  const server = await serveHttp((request) => {
    if (request.headers['x-vault-namespace'] !== options.namespace) return errors(403, 'permission denied');
    const path = request.path.replace(/^\/v1\//, '');
    const input = request.body.length > 0 ? (JSON.parse(request.body.toString('utf8')) as Record<string, unknown>) : {};
    if (path.startsWith('auth/')) {
      if (!mayLogIn(path, input, options)) return errors(400, 'invalid role or secret ID');
      tokens.push(`hvs.login-${tokens.length + 1}`);
      return json(200, { auth: { client_token: tokens.at(-1), lease_duration: 3600, renewable: true } });
    }
    const held = request.headers['x-vault-token'];
    if (held !== (tokens.at(-1) ?? options.token))
      return errors(403, '2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n');
    return answer(request, path, input, options);
  });
  return { ...server, tokens };
}

function mayLogIn(path: string, input: Record<string, unknown>, options: VaultOptions): boolean {
  if (path === 'auth/approle/login') return input.role_id === options.roleId && input.secret_id === options.secretId;
  return path === 'auth/kubernetes/login' && input.jwt === options.jwts?.[String(input.role)];
}

function answer(
  request: ServedRequest,
  path: string,
  input: Record<string, unknown>,
  { keys, mount = 'transit' }: VaultOptions,
): ServedAnswer {
  const [, action, name = ''] = new RegExp(`^${mount}/(keys|sign)/([^/]+)(?:/sha2-256)?$`).exec(path) ?? [];
  if (action === undefined) return json(404, { errors: [`no handler for route "${path}". route entry not found.`] });
  const versions = keys[name];
  if (versions === undefined)
    return action === 'keys' ? json(404, { errors: [] }) : errors(400, 'signing key not found');
  if (action === 'keys' && request.method === 'GET') {
    const listed = versions.map((key, at) => {
      return [
        String(at + 1),
        { name: 'P-256', public_key: createPublicKey(key).export({ type: 'spki', format: 'pem' }) },
      ];
    });
    const type = versions.at(-1)?.asymmetricKeyType === 'rsa' ? 'rsa-2048' : 'ecdsa-p256';
    return json(200, { data: { name, type, latest_version: versions.length, keys: Object.fromEntries(listed) } });
  }
  const version = Number(input.key_version);
  const key = versions[version - 1];
  const digest = Buffer.from(String(input.input), 'base64');
  if (!key || input.prehashed !== true || digest.length !== 32) return errors(400, 'invalid request');
  const raw = signDigest(key, digest);
  const signature = key.asymmetricKeyType === 'rsa' ? raw : (derOfRawSignature(raw) ?? raw);
  return json(200, { data: { key_version: version, signature: `vault:v${version}:${signature.toString('base64')}` } });
}

export function errors(status: number, ...words: readonly string[]): ServedAnswer {
  return json(status, { errors: words.map((text) => `1 error occurred:\n\t* ${text}\n\n`) });
}
