import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { HttpClient } from '#http/client.ts';
import type { EnvironmentProxy } from '#http/environment-proxy.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { AppError } from '#model/errors.ts';
import { isRegistryHost } from '#model/image-ref.ts';
import type { KeySettings } from '#model/key-settings.ts';
import type { SecretResolver } from '#model/secret.ts';
import { type CloudClients, createCloudClients } from '#oci/access/cloud-clients.ts';
import type { CallEnd } from '#oci/call-end.ts';
import type { CapabilityMemo } from '#oci/capability-memo.ts';
import { acrLists } from '#oci/catalog/acr.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';
import { openLists } from '#oci/catalog/open-lists.ts';
import type { HelperEnvironment } from '#oci/credential-helper.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import type { RegistryOptions } from '#oci/options.ts';
import { registryCredentials } from '#oci/registry-credentials.ts';
import { createRegistryTarget } from '#oci/registry-target.ts';
import { canonicalHost, registryUrl } from '#oci/registry-url.ts';
import type { Registries, Target } from '#oci/target.ts';

export interface RegistriesDependencies {
  readonly userAgent: string;
  readonly now: () => Date;
  readonly secrets: SecretResolver;
  /** Docker's own `config.json`, for registries that are given no credentials; absent: those are anonymous. */
  readonly dockerConfigPath?: string;
  /** The environment of credential helpers; the one of this process when absent. */
  readonly helperEnvironment?: HelperEnvironment;
  /** What to do with a host that is not configured: refuse it, or take it by its own name. */
  readonly unlisted: 'refuse' | 'allow';
  /** What is known of registries from before; their own when absent. */
  readonly memo?: CapabilityMemo;
  /** Proxies for registries that are given none. */
  readonly environmentProxy?: EnvironmentProxy;
  /** Settings of clouds: what a registry's configuration says, else the environment. Absent: no cloud is asked. */
  readonly cloudSettings?: (access: Readonly<Record<string, string>>) => KeySettings;
  /** From 0 to 1, anew at each call: spreads renewals. */
  readonly random?: () => number;
  /**
   * Waited for before each call to a registry, by its configured name: keeps to a budget.
   * @param host of its provider's API, where that is another than its own.
   */
  readonly turn?: (registry: string, signal?: AbortSignal, host?: string) => Promise<void>;
  /** Told how each call to a registry, or to such a host, ended. */
  readonly told?: (registryOrHost: string, end: CallEnd) => Promise<void>;
}

/**
 * The registries of an installation. CA files are read at once, so that a missing one is refused at the start.
 * @throws AppError `config-invalid` when a CA file cannot be read, or two registries answer to one name.
 */
export function createRegistries(
  configured: readonly RegistryOptions[],
  dependencies: RegistriesDependencies,
): CataloguedRegistries {
  const byHost = indexByHost(configured);
  const authorities = new Map(
    configured.flatMap(({ name, ca }) => (ca === undefined ? [] : [[name, readCa(name, ca)]])),
  );
  const open = new Map<string, OpenRegistry>();
  const clouds = createCloudClients(dependencies);

  function find(host: string): RegistryOptions {
    const canonical = canonicalHost(host);
    const options = byHost.get(canonical);
    if (options) return options;
    if (dependencies.unlisted === 'refuse') throw unknownRegistry(host, configured);
    if (!isRegistryHost(host)) {
      throw new AppError('reference-invalid', `${JSON.stringify(host.slice(0, 120))} is not a registry host`);
    }
    return { id: canonical, name: canonical, aliases: [] };
  }

  function opened(host: string): OpenRegistry {
    const options = find(host);
    const known = open.get(options.name);
    if (known) return known;
    const made = openRegistry(options, authorities.get(options.name), dependencies, clouds);
    open.set(options.name, made);
    return made;
  }

  async function close(): Promise<void> {
    const closing = [...open.values()];
    open.clear();
    await Promise.all([clouds.close(), ...closing.flatMap(({ clients }) => clients).map((client) => client.close())]);
  }

  return {
    nameOf: (host) => find(host).name,
    target: (host) => opened(host).target,
    catalog: (host) => opened(host).catalog,
    close,
  };
}

/** Registries that can also be looked through. */
export interface CataloguedRegistries extends Registries {
  /** What a registry lists of itself; undefined of a folder. @throws AppError `unknown-registry`. */
  catalog(host: string): Catalog | undefined;
}

interface OpenRegistry {
  readonly target: Target;
  readonly catalog?: Catalog | undefined;
  /** None where nothing is dialled. */
  readonly clients: readonly HttpClient[];
}

function openRegistry(
  options: RegistryOptions,
  ca: string | undefined,
  dependencies: RegistriesDependencies,
  clouds: CloudClients,
): OpenRegistry {
  const { name, address = name, plainHttp, directory } = options;
  if (directory !== undefined) return { target: createLayoutTarget(directory), clients: [] };
  const proxy = proxyUrl(options, dependencies.secrets);
  const baseUrl = registryUrl(address, plainHttp);
  const route = {
    userAgent: dependencies.userAgent,
    ...(ca === undefined ? {} : { ca }),
    ...(proxy === undefined ? {} : { proxy: { url: proxy } }),
    ...(dependencies.environmentProxy ? { environmentProxy: dependencies.environmentProxy } : {}),
  };
  const client = createHttpClient({ ...route, allowedHosts: [baseUrl.host] });
  const { now, memo, turn, told, cloudSettings } = dependencies;
  const { immutableTags } = options;
  const cloud = (access: Readonly<Record<string, string>>) => clouds.context(cloudSettings?.(access) ?? NO_SETTINGS);
  const target = createRegistryTarget({
    name,
    baseUrl,
    client,
    now,
    ...(immutableTags === undefined ? {} : { immutableTags }),
    ...(memo ? { memo } : {}),
    ...(turn ? { turn: (signal?: AbortSignal) => turn(name, signal) } : {}),
    ...(told ? { told: (end: CallEnd) => told(name, end) } : {}),
    ...(options.sweep?.api?.type === 'acr' ? { ownLists: acrLists } : {}),
    ...registryCredentials(options, {
      ...dependencies,
      random: dependencies.random ?? (() => 0),
      cloud,
    }),
  });
  const opened = openLists(options, {
    ...dependencies,
    baseUrl,
    client,
    cloud,
    openClient: (host) => createHttpClient({ ...route, allowedHosts: [host] }),
  });
  const clients = opened.client ? [client, opened.client] : [client];
  return { target, clients, catalog: { ...target.catalog, ...opened.lists } };
}

const NO_SETTINGS: KeySettings = { text: () => undefined, secret: () => undefined };

function proxyUrl({ proxy, proxyCredentials }: RegistryOptions, secrets: SecretResolver): URL | undefined {
  if (proxy === undefined) return undefined;
  const url = new URL(proxy);
  if (proxyCredentials) {
    url.username = encodeURIComponent(proxyCredentials.username);
    url.password = encodeURIComponent(secrets(proxyCredentials.password).reveal());
  }
  return url;
}

function indexByHost(configured: readonly RegistryOptions[]): ReadonlyMap<string, RegistryOptions> {
  const byHost = new Map<string, RegistryOptions>();
  for (const [at, options] of configured.entries()) {
    for (const host of [options.name, ...options.aliases].map(canonicalHost)) {
      const other = byHost.get(host);
      if (other && other !== options) {
        throw new AppError('config-invalid', `two registries answer to ${host}: ${other.name} and ${options.name}`, {
          field: `registries[${at}]`,
          mend: 'give each name and alias to one registry',
        });
      }
      byHost.set(host, options);
    }
  }
  return byHost;
}

function readCa(name: string, path: string): string {
  const problem = (why: string) =>
    new AppError('config-invalid', `registry ${name}: CA file ${path} ${why}`, {
      field: 'ca',
      mend: 'give a file with one or more certificates in PEM',
    });
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    throw problem(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  if (!blocks) throw problem('holds no certificate');
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    throw problem('holds a certificate that cannot be read');
  }
  return pem;
}

function unknownRegistry(host: string, configured: readonly RegistryOptions[]): AppError {
  const names = configured.map(({ name }) => name).join(', ') || 'none';
  return new AppError(
    'unknown-registry',
    `registry ${JSON.stringify(host.slice(0, 120))} is not configured; these are: ${names}`,
    {
      field: 'registries',
      mend: 'add it under `registries`, or give one of them this host as an alias',
    },
  );
}
