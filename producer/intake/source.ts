import { AppError } from '#model/errors.ts';
import { matchesAny } from '#model/rule.ts';
import type { Secret, SecretResolver } from '#model/secret.ts';
import { attestationTagTest } from '#producer/intake/attestation-tag.ts';
import type { Credential, Secrets } from '#producer/intake/authenticate.ts';
import type { Binding } from '#producer/intake/decide.ts';
import type { SourceAuth, SourceOptions } from '#producer/intake/options.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
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
): Pick<Source, 'adapter' | 'binding'> {
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
  const binding = {
    ...bindRegistries(bound),
    ...(adapter.registries === 'one' ? { registry: first.name } : {}),
    digestOnly: options.digestOnly,
    isAttestationTag: attestationTagTest({ suffixes: options.attestationTagSuffixes }),
    isIgnoredActor: (actor: string) => matchesAny(options.ignoreActors, actor),
  };
  return { adapter, binding };
}

/** Finds a registry by a claimed host. Exact but for the case of letters: no suffix, no default port is guessed. */
export function bindRegistries(registries: readonly BoundRegistry[]): Pick<Binding, 'registryOf'> {
  const names = new Map<string, string>();
  for (const { name, hosts } of registries) for (const host of hosts) names.set(host.toLowerCase(), name);
  // What one registry is called wins over where another one is dialled: both may stand for one machine.
  for (const { name } of registries) names.set(name.toLowerCase(), name);
  return { registryOf: (host) => names.get(host.toLowerCase()) };
}

function credentialOf(auth: SourceAuth, key: string, adapter: WebhookAdapter, resolve: SecretResolver): Credential {
  if (!adapter.auth.includes(auth.kind)) {
    const mend = `use one of ${adapter.auth.join(', ')}`;
    throw invalid(key, `a ${adapter.id} source cannot be authenticated by ${auth.kind}`, mend);
  }
  switch (auth.kind) {
    case 'none':
      return { kind: 'none' };
    case 'bearer':
      return { kind: 'bearer', bearers: [{ tokens: secretsOf(auth.secrets, key, resolve) }] };
    case 'basic':
      return { kind: 'basic', username: auth.username, passwords: secretsOf(auth.passwords, key, resolve) };
    case 'static-header':
      return { kind: 'static-header', header: auth.header, values: secretsOf(auth.secrets, key, resolve) };
  }
}

/**
 * The secrets behind references, read anew at each call.
 * @throws AppError `config-invalid` now, when there is none, or one is missing or empty.
 */
export function secretsOf(references: readonly string[], key: string, resolve: SecretResolver): Secrets {
  const read = (): readonly Secret[] => references.map((reference) => resolve(reference));
  if (references.length === 0) throw invalid(key, 'no secret is named', 'name one, or write `auth: none`');
  const empty = read().find((secret) => secret.reveal() === '');
  if (empty) throw invalid(key, `the secret ${empty.reference} is empty`, 'give it a long random value');
  return read;
}

function invalid(field: string, message: string, mend: string): AppError {
  return new AppError('config-invalid', `${field}: ${message}`, { field, mend });
}
