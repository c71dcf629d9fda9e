import { evidenceTagTest } from '#model/evidence-tag.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { Bearer } from '#producer/intake/credential.ts';
import { DEFAULT_RATE_PER_HOUR } from '#producer/intake/limits.ts';
import { secretsOf } from '#producer/intake/mount-credential.ts';
import { type BoundRegistry, bindRegistries, type Source } from '#producer/intake/source.ts';
import { generic } from '#producer/webhooks/adapters/generic.ts';

/** A bearer as configured: a name and references to its secrets. */
export interface BearerOptions {
  readonly name: string;
  readonly secrets: readonly string[];
}

/**
 * The source behind `POST /v1/images`: CI asks for an image of any configured registry, and its name is the actor.
 * @throws AppError `config-invalid` when a token is missing or empty.
 */
export function apiSource(bearers: readonly Bearer[], registries: readonly BoundRegistry[]): Source {
  return {
    id: 'api',
    adapter: generic,
    credential: { kind: 'bearer', bearers },
    binding: {
      ...bindRegistries(registries),
      digestOnly: 'enqueue',
      isAttestationTag: evidenceTagTest(),
      isIgnoredActor: () => false,
    },
    ratePerHour: DEFAULT_RATE_PER_HOUR,
    cause: 'api',
  };
}

/** @throws AppError `config-invalid` when a token is missing or empty. */
export function bearersOf(options: readonly BearerOptions[], key: string, resolve: SecretResolver): readonly Bearer[] {
  return options.map(({ name, secrets }) => ({ name, tokens: secretsOf(secrets, `${key}.${name}`, resolve) }));
}
