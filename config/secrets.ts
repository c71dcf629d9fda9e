import { AppError } from '#model/errors.ts';
import { SECRET_REFERENCE, Secret, type SecretResolver } from '#model/secret.ts';

/** No key, token or password is longer; a larger file is the wrong file. */
const MAX_SECRET_BYTES = 256 * 1024;

export interface SecretPlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  readFileSync(path: string): Uint8Array | string;
}

/**
 * Reads secrets from the environment and from files, anew at each call. One line end at the end of a file is no part
 * of the secret, because editors add it.
 */
export function createSecretResolver({ env, readFileSync }: SecretPlaces): SecretResolver {
  return (reference) => {
    if (!SECRET_REFERENCE.test(reference)) {
      throw new AppError('config-invalid', 'a secret must be a reference', { mend: 'write env:NAME or file:/path' });
    }
    const value = reference.startsWith('env:')
      ? readVariable(env, reference.slice('env:'.length))
      : readSecretFile(readFileSync, reference.slice('file:'.length));
    if (value === '') {
      throw new AppError('config-invalid', `the secret ${reference} is empty`, { mend: 'give it a value' });
    }
    return new Secret(value, reference);
  };
}

/** The value of a setting that may be a secret reference or the value itself, such as a URL. */
export function settingValue(setting: string, secrets: SecretResolver): string {
  return SECRET_REFERENCE.test(setting) ? secrets(setting).reveal() : setting;
}

function readVariable(env: SecretPlaces['env'], name: string): string {
  const value = env[name];
  if (value !== undefined) return value;
  throw new AppError('config-invalid', `the environment variable ${name} is not set`, {
    mend: `set ${name}, or name the secret by file:/path`,
  });
}

function readSecretFile(readFileSync: SecretPlaces['readFileSync'], path: string): string {
  let content: Uint8Array | string;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw new AppError('config-invalid', `the secret file ${path} cannot be read (${reasonOf(error)})`, {
      cause: error,
      mend: 'check the path and its permissions',
    });
  }
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  if (text.length > MAX_SECRET_BYTES) {
    throw new AppError('config-invalid', `the secret file ${path} is larger than 256 KiB`, { mend: 'check the path' });
  }
  return text.replace(/\r?\n$/, '');
}

/** Why a file could not be read, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return code ?? (error instanceof Error ? error.message : String(error));
}
