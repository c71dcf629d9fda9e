import assert from 'node:assert/strict';
import { createKeySettings } from '#compose/key-settings.ts';
import { RegistryOptions } from '#oci/options.ts';
import { createRegistries } from '#oci/registries.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import { login } from './registry-credentials.ts';
import { connect, secret } from './registry-target.ts';
import { roundTrip } from './round-trip.ts';
import { startTokenServer } from './token-server.ts';

/** A real registry behind a token server that knows this user; it holds team/app:v1. */
export async function protectedRegistry(username: string, password: string, identityToken?: string) {
  const tokens = await startTokenServer({
    username,
    password,
    expiresIn: 60,
    ...(identityToken === undefined ? {} : { identityToken }),
  });
  const { url, service, issuer, certificate } = tokens;
  const registry = await startRegistry({ token: { realm: url.href, service, issuer, certificate } });
  await using target = connect(registry.url, { credentials: login({ username, password }) });
  await roundTrip(target, 'team/app');
  return {
    registry,
    tokens,
    [Symbol.asyncDispose]: async () => {
      await registry.stop();
      await tokens.stop();
    },
  };
}

/** A configured registry of this name at that address, entered with these credentials in this environment. */
export function openNamed(
  now: () => Date,
  name: string,
  at: Pick<TestRegistry, 'host'>,
  credentials: object,
  env: Record<string, string>,
) {
  const options = RegistryOptions.parse({ name, address: at.host, credentials });
  const secrets = (reference: string) => secret(env[reference.replace(/^env:/, '')] ?? assert.fail(reference));
  const registries = createRegistries([options], {
    userAgent: 'attestry-test',
    now,
    secrets,
    unlisted: 'refuse',
    cloudSettings: (access) => createKeySettings(access, env, secrets),
    random: () => 0.5,
  });
  return {
    read: () => registries.target(name).manifest('team/app', 'v1'),
    [Symbol.asyncDispose]: () => registries.close(),
  };
}
