import { createHash, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { caDefaults, selfSigned } from './pki.ts';

export interface TokenServerSettings {
  readonly service?: string;
  /** Who may have what; anonymous callers get `pull` alone. */
  readonly username?: string;
  readonly password?: string;
  /** The refresh token that stands for the user. */
  readonly identityToken?: string;
  /** Seconds, as told in `expires_in`. */
  readonly expiresIn?: number;
}

/** One request for a token, as the server saw it. */
export interface TokenCall {
  readonly method: string;
  readonly scopes: readonly string[];
  readonly account: string | undefined;
  readonly service: string | undefined;
}

/** A token server that the real registry trusts (Distribution token specification, RS256). */
export interface TokenServer {
  readonly url: URL;
  readonly service: string;
  readonly issuer: string;
  /** PEM, for the registry's `rootcertbundle`. */
  readonly certificate: string;
  readonly calls: readonly TokenCall[];
  /** Tokens issued from now on were already no longer valid this many seconds ago. */
  expireTokens(secondsAgo: number | undefined): void;
  /** Requests are answered with this status from now on. */
  failWith(status: number | undefined, headers?: Readonly<Record<string, string>>): void;
  changePassword(password: string): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ISSUER = 'attestry-test-issuer';

export async function startTokenServer(settings: TokenServerSettings = {}): Promise<TokenServer> {
  const { service = 'attestry-test-registry', username = 'robot', identityToken, expiresIn = 300 } = settings;
  const authority = selfSigned({ subject: 'Token Signer', keyKind: 'rsa2048', ...caDefaults() });
  const calls: TokenCall[] = [];
  let password = settings.password ?? 'robot-pass';
  let expiredSeconds: number | undefined;
  let failure: { status: number; headers: Readonly<Record<string, string>> } | undefined;

  const server = createServer((request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readRequest(request);
    const { scopes, account } = asked;
    calls.push({ method: request.method ?? '', scopes, account, service: asked.service });
    // A careless server: what it was sent comes back in its errors.
    const echo = JSON.stringify({ error: 'denied', sent: request.headers.authorization ?? asked.refreshToken ?? '' });
    if (failure) return void response.writeHead(failure.status, failure.headers).end(echo);
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const given = request.headers.authorization;
    const refreshed = asked.refreshToken !== undefined && asked.refreshToken === identityToken;
    const known = given === basic || refreshed;
    if ((given !== undefined || asked.refreshToken !== undefined) && !known) {
      return void response.writeHead(401, { 'content-type': 'application/json' }).end(echo);
    }
    const token = issue(
      authority.key,
      authority.publicKey,
      service,
      known ? username : '',
      asked.scopes,
      expiredSeconds,
    );
    const body = asked.refreshToken === undefined ? { token } : { access_token: token };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...body, expires_in: expiresIn }));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  async function stop(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return {
    url: new URL(`http://localhost:${port}/token`),
    service,
    issuer: ISSUER,
    certificate: authority.pem,
    calls,
    expireTokens: (seconds) => {
      expiredSeconds = seconds;
    },
    failWith: (status, headers = {}) => {
      failure = status === undefined ? undefined : { status, headers };
    },
    changePassword: (next) => {
      password = next;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function readRequest(request: IncomingMessage) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const form = request.method === 'POST' ? new URLSearchParams(Buffer.concat(chunks).toString()) : searchParams;
  return {
    scopes: form.getAll('scope').flatMap((scope) => scope.split(' ')),
    account: form.get('account') ?? undefined,
    service: form.get('service') ?? undefined,
    refreshToken: form.get('refresh_token') ?? undefined,
  };
}

function issue(
  key: KeyObject,
  publicKey: KeyObject,
  audience: string,
  subject: string,
  scopes: readonly string[],
  expiredSeconds: number | undefined,
): string {
  const now = Math.floor(Date.now() / 1000);
  const expiry = expiredSeconds === undefined ? now + 300 : now - expiredSeconds;
  const claims = {
    iss: ISSUER,
    sub: subject,
    aud: audience,
    iat: expiry - 300,
    nbf: expiry - 300,
    exp: expiry,
    jti: randomUUID(),
    access: scopes.map((scope) => accessOf(scope, subject !== '')),
  };
  const header = { typ: 'JWT', alg: 'RS256', kid: trustKeyId(publicKey) };
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

function accessOf(scope: string, known: boolean) {
  const [type = '', ...rest] = scope.split(':');
  const actions = (rest.pop() ?? '').split(',').filter((action) => known || action === 'pull');
  return { type, name: rest.join(':'), actions };
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** libtrust's key id: base32 of the first 240 bits of the SPKI's SHA-256, in groups of four. */
function trustKeyId(publicKey: KeyObject): string {
  const digest = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest();
  const bits = [...digest.subarray(0, 30)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const text = (bits.match(/.{5}/g) ?? []).map((group) => BASE32[Number.parseInt(group, 2)]).join('');
  return (text.match(/.{4}/g) ?? []).join(':');
}
