import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import * as z from 'zod';
import type { CloudContext } from '#cloud/context.ts';
import type { Pass } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import { failureOfStatus, protocolError, serviceError } from '#cloud/service-error.ts';
import { askService } from '#cloud/service-request.ts';
import { AppError } from '#model/errors.ts';
import { Secret, type SecretResolver } from '#model/secret.ts';
import type { Credential } from '#oci/credentials.ts';
import type { GithubApp } from '#oci/options.ts';

const Answer = z.object({ token: z.string().min(1).max(4096), expires_at: z.iso.datetime({ offset: true }) });
const WHAT = 'GitHub';
/** Seconds: GitHub takes ten minutes at most, and advises to date the token back for clocks that differ. */
const LIFETIME_S = 540;
const BACKDATED_S = 60;

/**
 * A login at GitHub's container registry by a token of an installation (GitHub REST API, "Create an installation access
 * token for an app"); it lives an hour.
 */
export function githubAppLogin(context: CloudContext, app: GithubApp, secrets: SecretResolver) {
  return async (): Promise<Pass<Credential>> =>
    await retrying(context, undefined, async () => {
      const base = app.api.replace(/\/*$/, '/');
      const url = new URL(`app/installations/${app.installationId}/access_tokens`, base);
      const headers = {
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
        authorization: `Bearer ${assertion(app, secrets, context.now())}`,
      };
      const http = await context.http(url, context.settings.text('SSL_CERT_FILE'));
      const answer = await askService(http, { method: 'POST', url, headers }, context.now());
      if (answer.status !== 201) throw refusal(answer.status, answer.headers, answer.retryAfterMs);
      const read = Answer.safeParse(answer.json);
      if (!read.success) throw protocolError(WHAT, 'the answer holds no installation token');
      return {
        value: { kind: 'basic', username: 'x-access-token', password: new Secret(read.data.token, WHAT) },
        until: new Date(read.data.expires_at),
      };
    });
}

/** RS256, as GitHub asks ("Generating a JSON Web Token (JWT) for a GitHub App"). */
function assertion(app: GithubApp, secrets: SecretResolver, now: Date): string {
  const at = Math.floor(now.getTime() / 1000);
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iat: at - BACKDATED_S, exp: at + LIFETIME_S, iss: app.clientId },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey(secrets(app.privateKey))).toString('base64url')}`;
}

function privateKey(secret: Secret): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(secret.reveal());
  } catch {
    // OpenSSL's message says nothing that helps, and the value must not be shown.
  }
  if (key?.asymmetricKeyType === 'rsa') return key;
  throw new AppError('config-invalid', `the private key of the GitHub App (${secret.reference}) is no RSA key in PEM`, {
    field: 'registries.credentials.githubApp.privateKey',
    mend: 'create a private key in the settings of the app and give the file as it was downloaded',
  });
}

/** GitHub answers 403 to who asks too often, with the time to wait or with nothing left of the quota. */
function refusal(
  status: number,
  headers: Readonly<Record<string, string>>,
  retryAfterMs: number | undefined,
): AppError {
  const limited = status === 403 && (retryAfterMs !== undefined || headers['x-ratelimit-remaining'] === '0');
  return serviceError(WHAT, limited ? 'throttled' : failureOfStatus(status), { retryAfterMs });
}
