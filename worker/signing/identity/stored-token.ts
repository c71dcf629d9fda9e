import { AppError } from '#model/errors.ts';
import { Secret, type SecretResolver } from '#model/secret.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';

/**
 * A token that something else puts into a file (a projected token of Kubernetes, a JWT-SVID of SPIFFE) or into a
 * variable (GitLab), read at each use.
 */
export function storedTokenProvider(reference: string, secrets: SecretResolver, subjectPrefix = ''): IdentityProvider {
  const source = reference.startsWith('file:')
    ? `the file ${reference.slice(5)}`
    : `the variable ${reference.slice(4)}`;
  return {
    source,
    subjectPrefix,
    async token() {
      const text = read(source, reference, secrets).reveal().trim();
      if (text === '') throw unavailable(source, 'is empty');
      return new Secret(text, reference);
    },
  };
}

function read(source: string, reference: string, secrets: SecretResolver): Secret {
  try {
    return secrets(reference);
  } catch (error) {
    // What is mounted or rotated may be there at the next try, so this is no fault of the configuration.
    if (error instanceof AppError && error.code === 'config-invalid')
      throw unavailable(source, 'cannot be read', error);
    throw error;
  }
}

function unavailable(source: string, why: string, cause?: unknown): AppError {
  return new AppError('identity-token-unavailable', `identity token: ${source} ${why}`, {
    cause,
    mend: 'mount the token, or have its writer started before this process',
  });
}
