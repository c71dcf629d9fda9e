import { readFile } from 'node:fs/promises';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import { askCredentialHelper, type HelperEnvironment } from '#oci/credential-helper.ts';
import type { Credential, CredentialSource } from '#oci/credentials.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import { canonicalHost } from '#oci/registry-url.ts';

export interface DockerConfigOptions {
  /** Docker's `config.json`. */
  readonly path: string;
  /** What a missing file means: nobody logged in, or a mistake. */
  readonly missing: 'anonymous' | 'refuse';
  readonly helperEnvironment?: HelperEnvironment;
  readonly now: () => Date;
}

type DockerConfig = Readonly<Record<string, unknown>>;

// Tokens of helpers live for an hour and more; asking once in five minutes costs nothing and follows a new login.
const MAX_AGE_MS = 5 * 60 * 1000;
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Credentials as `docker login` left them: a helper for the registry, else the credential store, else the file itself.
 * The file is read for each login, so that a new login counts at once; what a helper answered is kept for five minutes,
 * or until the registry refuses it.
 */
export function createDockerCredentials(options: DockerConfigOptions): CredentialSource {
  const answers = new Map<string, { at: number; answer: Promise<Credential | undefined> }>();

  async function get(registryAddress: string): Promise<Credential | undefined> {
    const config = await readConfig(options);
    if (config === undefined) return undefined;
    const helper = findEntry(asObject(config.credHelpers), registryAddress);
    if (typeof helper === 'string' && helper !== '') return await fromHelper(helper, registryAddress);
    if (typeof config.credsStore === 'string' && config.credsStore !== '') {
      const stored = await fromHelper(config.credsStore, registryAddress);
      if (stored) return stored;
    }
    return readEntry(asObject(findEntry(asObject(config.auths), registryAddress)), registryAddress, options.path);
  }

  async function fromHelper(name: string, server: string): Promise<Credential | undefined> {
    const key = `${name} ${server}`;
    const now = options.now().getTime();
    const known = answers.get(key);
    if (known && now - known.at < MAX_AGE_MS) return await known.answer;
    // Others may join this answer, so that no caller's signal may end it; the helper's time is bounded.
    const answer = askCredentialHelper(name, server, options.helperEnvironment);
    answers.set(key, { at: now, answer });
    try {
      return await answer;
    } catch (error) {
      answers.delete(key);
      throw error;
    }
  }

  function invalidate(registryAddress: string): void {
    for (const key of answers.keys()) if (key.endsWith(` ${registryAddress}`)) answers.delete(key);
  }

  return { get, invalidate };
}

async function readConfig({ path, missing }: DockerConfigOptions): Promise<DockerConfig | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (missing === 'anonymous' && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    throw invalid(path, `cannot be read (${code})`);
  }
  if (bytes.byteLength > MAX_FILE_BYTES) throw invalid(path, `is larger than ${MAX_FILE_BYTES} bytes`);
  try {
    const config = asObject(parseBoundedJson(bytes));
    if (config) return config;
  } catch {
    // The parser's words would be about a manifest.
  }
  throw invalid(path, 'is not a JSON object');
}

/** Keys are a host, or a URL as older Dockers wrote them; exactly as asked for wins. */
function findEntry(entries: Readonly<Record<string, unknown>> | undefined, registryAddress: string): unknown {
  if (entries === undefined) return undefined;
  if (Object.hasOwn(entries, registryAddress)) return entries[registryAddress];
  const wanted = hostOf(registryAddress);
  const key = Object.keys(entries).find((candidate) => hostOf(candidate) === wanted);
  return key === undefined ? undefined : entries[key];
}

function hostOf(key: string): string {
  return canonicalHost(key.replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
}

/** One member of `auths`. An empty one only says that a store holds the credential. */
function readEntry(
  entry: Readonly<Record<string, unknown>> | undefined,
  server: string,
  path: string,
): Credential | undefined {
  if (entry === undefined) return undefined;
  const box = (value: string) => new Secret(value, `docker-config:${server}`);
  const { identitytoken, registrytoken, auth, username, password } = entry;
  if (isText(identitytoken)) return { kind: 'identity-token', token: box(identitytoken) };
  if (isText(registrytoken)) return { kind: 'registry-token', token: box(registrytoken) };
  if (isText(auth)) {
    const text = Buffer.from(auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon <= 0) throw invalid(path, `holds an \`auth\` for ${server} that is not base64 of user:password`);
    // Some Dockers padded the password with zero bytes.
    return { kind: 'basic', username: text.slice(0, colon), password: box(text.slice(colon + 1).replace(/\0+$/, '')) };
  }
  if (isText(username) && isText(password)) return { kind: 'basic', username, password: box(password) };
  return undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function invalid(path: string, why: string): AppError {
  return new AppError('config-invalid', `Docker's configuration ${path} ${why}`, {
    field: 'credentials.dockerConfig',
    mend: 'give the path of the config.json that `docker login` writes',
  });
}
