import type { CloudContext } from '#cloud/context.ts';
import type { SecretResolver } from '#model/secret.ts';
import { heldCredential } from '#oci/access/held-credential.ts';
import type { CredentialSource } from '#oci/credentials.ts';
import type { RegistryOptions } from '#oci/options.ts';
import { registryUrl } from '#oci/registry-url.ts';

export interface LoginSurroundings {
  /** What a cloud is asked with, by the settings that the registry's configuration holds. */
  readonly cloud: (access: Readonly<Record<string, string>>) => CloudContext;
  readonly secrets: SecretResolver;
  readonly now: () => Date;
  /** From 0 to 1, anew at each call. */
  readonly random: () => number;
}

type Issued = Extract<NonNullable<RegistryOptions['credentials']>, { provider: unknown } | { githubApp: unknown }>;

/** The credentials of a registry whose cloud issues them; nothing is loaded or asked before the first login. */
export function providerLogin(
  options: RegistryOptions,
  credentials: Issued,
  surroundings: LoginSurroundings,
): CredentialSource {
  const { name } = options;
  const { now, random } = surroundings;
  let source: Promise<CredentialSource> | undefined;
  async function open(): Promise<CredentialSource> {
    const fetch = await loginOf(options, credentials, surroundings);
    return heldCredential({ registry: name, fetch, now, spread: random });
  }
  return {
    async get(registryAddress, signal) {
      source ??= open();
      return await (await source).get(registryAddress, signal);
    },
    invalidate(registryAddress) {
      source?.then(
        (opened) => opened.invalidate?.(registryAddress),
        () => {},
      );
    },
  };
}

/** Loaded by who uses it alone: most installations live in one cloud or none. */
async function loginOf(
  { name, address = name, plainHttp, ca }: RegistryOptions,
  credentials: Issued,
  { cloud, secrets }: LoginSurroundings,
) {
  if ('githubApp' in credentials) {
    const { githubAppLogin } = await import('#oci/access/github-app.ts');
    return githubAppLogin(cloud({}), credentials.githubApp, secrets);
  }
  const context = cloud(credentials.access);
  switch (credentials.provider) {
    case 'ecr':
    case 'ecr-public':
      return (await import('#oci/access/ecr.ts')).ecrLogin(context, name, credentials.provider);
    case 'acr': {
      const { acrLogin } = await import('#oci/access/acr.ts');
      return acrLogin(context, registryUrl(address, plainHttp), name.replace(/:[0-9]+$/, ''), ca);
    }
    case 'gar':
      return (await import('#oci/access/gar.ts')).garLogin(context);
  }
}
