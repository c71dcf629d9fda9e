import { type LoginSurroundings, providerLogin } from '#oci/access/provider-login.ts';
import type { HelperEnvironment } from '#oci/credential-helper.ts';
import { ANONYMOUS, type Credential, type CredentialSource, configuredCredential } from '#oci/credentials.ts';
import type { RegistryOptions } from '#oci/options.ts';
import { credentialKey } from '#oci/registry-url.ts';

export interface CredentialSettings extends LoginSurroundings {
  readonly dockerConfigPath?: string;
  readonly helperEnvironment?: HelperEnvironment;
}

/** Where the credentials of a registry come from, and what the source calls the registry. */
export function registryCredentials(
  options: RegistryOptions,
  settings: CredentialSettings,
): { credentials: CredentialSource; credentialKey: string } {
  const { name, address, credentials } = options;
  const key = credentialKey(name);
  if (credentials !== undefined && 'token' in credentials) {
    const { token } = credentials;
    const read = (): Credential => ({ kind: 'registry-token', token: settings.secrets(token) });
    return { credentials: configuredCredential(read), credentialKey: key };
  }
  if (credentials !== undefined && 'username' in credentials) {
    const { username, password } = credentials;
    const read = (): Credential => ({ kind: 'basic', username, password: settings.secrets(password) });
    return { credentials: configuredCredential(read), credentialKey: key };
  }
  if (credentials !== undefined && !('dockerConfig' in credentials)) {
    return { credentials: providerLogin(options, credentials, settings), credentialKey: key };
  }
  const path = credentials?.dockerConfig ?? settings.dockerConfigPath;
  if (path === undefined) return { credentials: ANONYMOUS, credentialKey: key };
  const missing = credentials === undefined ? 'anonymous' : 'refuse';
  const keys = [...new Set([key, credentialKey(address ?? name)])];
  return { credentials: lazyDockerCredentials(path, missing, keys, settings), credentialKey: key };
}

/** People log in by the registry's name or by the address that is dialled. */
function lazyDockerCredentials(
  path: string,
  missing: 'anonymous' | 'refuse',
  keys: readonly string[],
  { now, helperEnvironment }: CredentialSettings,
): CredentialSource {
  let source: CredentialSource | undefined;
  async function load(): Promise<CredentialSource> {
    // Public images need neither file nor helpers.
    const { createDockerCredentials } = await import('#oci/docker-config.ts');
    source ??= createDockerCredentials({ path, missing, now, ...(helperEnvironment ? { helperEnvironment } : {}) });
    return source;
  }
  return {
    async get(_registryAddress, signal) {
      const docker = await load();
      for (const key of keys) {
        const credential = await docker.get(key, signal);
        if (credential) return credential;
      }
      return undefined;
    },
    invalidate() {
      for (const key of keys) source?.invalidate?.(key);
    },
  };
}
