import type { CloudContext } from '#cloud/context.ts';
import type { HttpClient } from '#http/client.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { CallEnd } from '#oci/call-end.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { listApiUrl, providerLists } from '#oci/catalog/provider-lists.ts';
import type { RegistryOptions } from '#oci/options.ts';

export interface ListSurroundings {
  /** Where the registry is dialled, and with what. */
  readonly baseUrl: URL;
  readonly client: HttpClient;
  /** A client for the host of an API, by the route of the registry. */
  openClient(host: string): HttpClient;
  /** What a cloud is asked with, by the settings that the registry's configuration holds. */
  cloud(access: Readonly<Record<string, string>>): CloudContext;
  readonly secrets: SecretResolver;
  now(): Date;
  /** As of the registry; `host` is where the API is, when that is elsewhere. */
  readonly turn?: (registry: string, signal?: AbortSignal, host?: string) => Promise<void>;
  readonly told?: (registryOrHost: string, end: CallEnd) => Promise<void>;
}

export interface OpenedLists {
  readonly lists?: OwnLists;
  /** A client that was opened for them. */
  readonly client?: HttpClient;
}

const GAR_API = 'https://artifactregistry.googleapis.com/v1/';

/** The lists of a provider's API that the configuration of a registry names; none where the registry itself is asked. */
export function openLists(options: RegistryOptions, surroundings: ListSurroundings): OpenedLists {
  const { name, sweep, credentials } = options;
  const { baseUrl, now, secrets, turn, told } = surroundings;
  const api = sweep?.api;
  if (api === undefined || api.type === 'acr') return {};
  const meter = {
    ...(turn ? { turn: (host: string, signal?: AbortSignal) => turn(name, signal, host) } : {}),
    ...(told ? { told } : {}),
  };
  const access = credentials !== undefined && 'access' in credentials ? credentials.access : {};
  if (api.type === 'ecr') {
    const open = async () => {
      const { ecrLists } = await import('#oci/catalog/ecr.ts');
      return ecrLists({ name, context: surroundings.cloud(access), ...meter });
    };
    return { lists: lazily(open) };
  }
  if (api.type === 'gar') {
    const { owner: project = '', url: at = GAR_API } = api;
    const open = async () => {
      const { garLists } = await import('#oci/catalog/gar.ts');
      const context = surroundings.cloud(access);
      const url = new URL(at.endsWith('/') ? at : `${at}/`);
      const client = await context.http(url, context.settings.text('SSL_CERT_FILE'));
      return garLists({ name, project, url, client, context, now, ...doorMeter(url.host, surroundings, name) });
    };
    return { lists: lazily(open) };
  }
  const given = { ...api, type: api.type };
  const url = listApiUrl(given, baseUrl);
  const isOwn = url.host === baseUrl.host;
  const client = isOwn ? surroundings.client : surroundings.openClient(url.host);
  const lists = providerLists(given, {
    name,
    url,
    client,
    secrets,
    now,
    ...doorMeter(isOwn ? undefined : url.host, surroundings, name),
  });
  return isOwn ? { lists } : { lists, client };
}

/** What keeps to the budget: of the registry, and of the host of the API where that is another. */
function doorMeter(host: string | undefined, { turn, told }: ListSurroundings, name: string) {
  return {
    ...(turn ? { turn: (signal?: AbortSignal) => turn(name, signal, host) } : {}),
    ...(told ? { told: (end: CallEnd) => told(host ?? name, end) } : {}),
  };
}

/** Loaded by who uses them alone: most installations live in one cloud or none. */
function lazily(open: () => Promise<OwnLists>): OwnLists {
  let opened: Promise<OwnLists> | undefined;
  const lists = async () => {
    opened ??= open();
    try {
      return await opened;
    } catch (error) {
      // A CA file that could not be read may be there next time.
      opened = undefined;
      throw error;
    }
  };
  return {
    async *repositories(signal) {
      yield* (await lists()).repositories(signal);
    },
    async *tags(repository, signal) {
      yield* (await lists()).tags(repository, signal);
    },
  };
}
