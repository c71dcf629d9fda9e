import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import { Secret, type SecretResolver } from '#model/secret.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';
import { askTokenServer } from '#signing/identity/token-server.ts';

export interface GithubOptions {
  readonly audience: string;
  readonly http: HttpClient;
  readonly secrets: SecretResolver;
  readonly timeoutMs: number;
  now(): Date;
}

const URL_VARIABLE = 'env:ACTIONS_ID_TOKEN_REQUEST_URL';
const TOKEN_VARIABLE = 'env:ACTIONS_ID_TOKEN_REQUEST_TOKEN';

/** The identity of a job of GitHub Actions with the permission `id-token: write`. */
export function githubProvider(options: GithubOptions): IdentityProvider {
  const { audience, secrets } = options;
  const source = 'GitHub Actions';
  return {
    source,
    async token(signal) {
      const url = new URL(variable(URL_VARIABLE, secrets).reveal());
      const requestToken = variable(TOKEN_VARIABLE, secrets).reveal();
      url.searchParams.set('audience', audience);
      const answer = await askTokenServer(
        { ...options, name: source },
        { method: 'GET', url, headers: { authorization: `Bearer ${requestToken}` }, secrets: [requestToken], signal },
      );
      const { value } = answer;
      if (typeof value === 'string') return new Secret(value, source);
      throw new AppError('identity-token-unavailable', `${source} answered without a token`);
    },
  };
}

function variable(reference: string, secrets: SecretResolver): Secret {
  try {
    return secrets(reference);
  } catch (cause) {
    throw new AppError('identity-token-unavailable', `GitHub Actions: ${reference.slice(4)} is not set`, {
      cause,
      mend: 'run inside GitHub Actions, in a job with the permission id-token: write',
    });
  }
}
