import { type ExecFileException, execFile } from 'node:child_process';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import type { Credential } from '#oci/credentials.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';

/** The environment of a helper process; the one of this process when absent. */
export type HelperEnvironment = Readonly<Record<string, string | undefined>>;

// A helper may ask a cloud; it must not hold a job for ever, nor fill the memory.
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** How docker-credential-helpers say that they hold nothing for this server. */
const NOT_FOUND = /credentials not found/i;
/** The user name that marks the secret as an identity token. */
const IDENTITY_TOKEN_USER = '<token>';

/**
 * Asks `docker-credential-<name>` (the credential helper protocol of Docker). Its output is never quoted: it may hold
 * the secret.
 * @returns undefined when the helper holds nothing for the server.
 * @throws AppError `config-invalid` when there is no such helper, `credentials-unavailable` when it fails.
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  environment?: HelperEnvironment,
): Promise<Credential | undefined> {
  if (!NAME.test(name)) {
    throw new AppError(
      'config-invalid',
      `${JSON.stringify(name.slice(0, 80))} is not the name of a credential helper`,
      {
        mend: 'write the part behind "docker-credential-": lower-case letters, digits, dots and dashes',
      },
    );
  }
  const output = await run(name, server, environment);
  return output === undefined ? undefined : readAnswer(output, name, server);
}

function run(name: string, server: string, environment: HelperEnvironment | undefined): Promise<string | undefined> {
  const program = `docker-credential-${name}`;
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const child = execFile(
    program,
    ['get'],
    {
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
      ...(environment === undefined ? {} : { env: { ...environment } }),
    },
    (error, stdout) => {
      if (!error) resolve(stdout);
      else if (NOT_FOUND.test(stdout)) resolve(undefined);
      else reject(helperError(program, server, error));
    },
  );
  // A helper may end without reading; its exit code tells what there is to tell.
  child.stdin?.on('error', () => {}).end(server);
  return promise;
}

function helperError(program: string, server: string, error: ExecFileException): AppError {
  if (error.code === 'ENOENT') {
    return new AppError('config-invalid', `credential helper ${program} is not installed`, {
      mend: `put ${program} on the PATH, or take it out of Docker's configuration`,
    });
  }
  const why = error.killed ? `gave no answer within ${TIMEOUT_MS / 1000} s` : `failed (${error.code})`;
  return new AppError('credentials-unavailable', `credential helper ${program} ${why} for ${server}`, {
    mend: `see what \`echo ${server} | ${program} get\` says`,
  });
}

function readAnswer(output: string, name: string, server: string): Credential {
  const { Username: username, Secret: secret } = parseAnswer(output, name);
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') {
    throw new AppError(
      'credentials-unavailable',
      `docker-credential-${name} gave no Username and Secret for ${server}`,
    );
  }
  const boxed = new Secret(secret, `docker-credential-${name}`);
  if (username === IDENTITY_TOKEN_USER) return { kind: 'identity-token', token: boxed };
  return { kind: 'basic', username, password: boxed };
}

function parseAnswer(output: string, name: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(parseBoundedJson(Buffer.from(output))) ?? {};
  } catch {
    throw new AppError('credentials-unavailable', `docker-credential-${name} did not answer JSON`);
  }
}
