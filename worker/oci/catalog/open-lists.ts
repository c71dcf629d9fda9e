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
  if (api.type === 'ecr') {
    const context = () =>
      surroundings.cloud(credentials !== undefined && 'access' in credentials ? credentials.access : {});
    return {
      lists: lazily(async () => (await import('#oci/catalog/ecr.ts')).ecrLists({ name, context: context(), ...meter })),
    };
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
    ...(turn ? { turn: (signal?: AbortSignal) => turn(name, signal, isOwn ? undefined : url.host) } : {}),
    ...(told ? { told: (end: CallEnd) => told(isOwn ? name : url.host, end) } : {}),
  });
  return isOwn ? { lists } : { lists, client };
}

/** Loaded by who uses them alone: most installations live in one cloud or none. */
function lazily(open: () => Promise<OwnLists>): OwnLists {
  let opened: Promise<OwnLists> | undefined;
  const lists = () => {
    opened ??= open();
    return opened;
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
