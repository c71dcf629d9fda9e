import { AppError } from '#model/errors.ts';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { matchesAny } from '#model/rule.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { Credential } from '#producer/intake/credential.ts';
import type { Binding } from '#producer/intake/decide.ts';
import { credentialOf } from '#producer/intake/mount-credential.ts';
import type { SourceOptions } from '#producer/intake/options.ts';
import type { SenderSettings, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ADAPTERS, adapterOf } from '#producer/webhooks/index.ts';

/** A configured registry as the intake knows it. */
export interface BoundRegistry {
  /** How sources name it. */
  readonly id: string;
  /** How jobs and references name it. */
  readonly name: string;
  /** Every host that means it: its name, its address and its aliases. */
  readonly hosts: readonly string[];
}

/** A sender that is mounted: who it is, how it proves itself, and what it may speak for. */
export interface Source {
  readonly id: string;
  readonly adapter: WebhookAdapter;
  readonly credential: Credential;
  readonly binding: Binding;
  /** What its adapter is told of the configuration; absent: nothing. */
  readonly settings?: SenderSettings;
  /** Jobs of one repository in an hour beyond which further ones are delayed. */
  readonly ratePerHour: number;
  readonly cause: 'push' | 'api';
}

/** Registries as configured, ready to be bound. */
export function boundRegistries(
  options: readonly {
    readonly id: string;
    readonly name: string;
    readonly address?: string | undefined;
    readonly aliases: readonly string[];
  }[],
): readonly BoundRegistry[] {
  return options.map(({ id, name, address, aliases }) => {
    return { id, name, hosts: [name, ...(address === undefined ? [] : [address]), ...aliases] };
  });
}

/**
 * Makes a source from its settings. Its secrets are read once here, so that a source whose credential is missing or
 * empty is not mounted at all, and again with each delivery.
 * @throws AppError `config-invalid` naming the key.
 */
export function mountSource(
  options: SourceOptions,
  registries: readonly BoundRegistry[],
  resolve: SecretResolver,
): Source {
  const bound = bindSource(options, registries);
  const credential = credentialOf(options.auth, `sources.${options.id}.auth`, bound.adapter, resolve);
  return { id: options.id, ...bound, credential, ratePerHour: options.ratePerHour, cause: 'push' };
}

/** The part of a source that needs no secret. @throws AppError `config-invalid` naming the key. */
export function bindSource(
  options: SourceOptions,
  registries: readonly BoundRegistry[],
): Pick<Source, 'adapter' | 'binding' | 'settings'> {
  const adapter = adapterOf(options.sender);
  const key = `sources.${options.id}`;
  if (adapter === undefined) {
    const known = ADAPTERS.map(({ id }) => id).join(', ');
    throw invalid(`${key}.sender`, `the sender ${options.sender} is not known`, `write one of ${known}`);
  }
  const bound = options.registries.map((id) => {
    const found = registries.find((registry) => registry.id === id || registry.name === id);
    if (found) return found;
    throw invalid(`${key}.registries`, `the registry ${id} is not configured`, 'name a registry of `registries`');
  });
  const [first, ...others] = bound;
  if (first === undefined || (adapter.registries === 'one' && others.length > 0)) {
    throw invalid(`${key}.registries`, `a ${adapter.id} source speaks for one registry`, 'name exactly one');
  }
  const hosts = bindRegistries(bound);
  const binding = {
    ...hosts,
    // Where events name no host there must be just one that can be meant.
    ...(adapter.firstHand && others.length === 0 ? { registry: first.name } : {}),
    ...(options.sender === 'alibaba' && options.repositories ? { repositories: options.repositories } : {}),
    digestOnly: options.digestOnly,
    isAttestationTag: evidenceTagTest({ suffixes: options.attestationTagSuffixes }),
    isIgnoredActor: (actor: string) => matchesAny(options.ignoreActors, actor),
  };
  return { adapter, binding, settings: settingsOf(options, hosts.registryOf) };
}

/** Finds a registry by a claimed host. Exact but for the case of letters: no suffix, no default port is guessed. */
export function bindRegistries(registries: readonly BoundRegistry[]): Pick<Binding, 'registryOf'> {
  const names = new Map<string, string>();
  for (const { name, hosts } of registries) for (const host of hosts) names.set(host.toLowerCase(), name);
  // What one registry is called wins over where another one is dialled: both may stand for one machine.
  for (const { name } of registries) names.set(name.toLowerCase(), name);
  return { registryOf: (host) => names.get(host.toLowerCase()) };
}

/** What the adapter is told of its source. @throws AppError `config-invalid` when a host is not the source's. */
function settingsOf(options: SourceOptions, registryOf: Binding['registryOf']): SenderSettings {
  switch (options.sender) {
    case 'acr-eventgrid': {
      const { topic, allowedOrigins } = options;
      return { topic, ...(allowedOrigins === undefined ? {} : { allowedOrigins }) };
    }
    case 'artifactory':
      return options.repoKeyMap === undefined ? {} : { repoKeyMap: options.repoKeyMap };
    case 'nexus': {
      const { id, repositories } = options;
      if (repositories === undefined) return {};
      for (const [name, place] of Object.entries(repositories)) {
        if (registryOf(place.split('/', 1)[0] ?? '') !== undefined) continue;
        throw invalid(
          `sources.${id}.repositories.${name}`,
          'its host is none of the registries of the source',
          'write host[:port] or host[:port]/path of one of `registries`',
        );
      }
      return { repositories };
    }
    default:
      return {};
  }
}

function invalid(field: string, message: string, mend: string): AppError {
  return new AppError('config-invalid', `${field}: ${message}`, { field, mend });
}
