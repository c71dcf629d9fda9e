import type { KeySettings } from '#model/key-settings.ts';
import { SECRET_REFERENCE, Secret, type SecretResolver } from '#model/secret.ts';

/** Settings of key services: what the signer's `access` says, else the environment. */
export function createKeySettings(
  access: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
  secrets: SecretResolver,
): KeySettings {
  return {
    text: (name) => {
      const own = access[name];
      if (own === undefined) return env[name] || undefined;
      return SECRET_REFERENCE.test(own) ? secrets(own).reveal() : own || undefined;
    },
    secret: (name) => {
      const own = access[name];
      if (own !== undefined) return secrets(own);
      const value = env[name];
      return value ? new Secret(value, `env:${name}`) : undefined;
    },
  };
}
