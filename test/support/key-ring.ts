import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createKeySettings } from '#compose/key-settings.ts';
import { createSecretResolver } from '#config/secrets.ts';
import type { HttpClient } from '#http/client.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { createKeyRing, type KeyRing } from '#signing/keys/key-ring.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

export interface TestKeys extends AsyncDisposable {
  readonly ring: KeyRing;
  /** Milliseconds of each wait between tries, in their order; none is waited for. */
  readonly waits: number[];
  /** Hosts that clients were made for. */
  readonly hosts: string[];
  open(reference: string, passphrase?: string): Promise<SigningKey>;
}

export interface TestKeyOptions {
  /** The environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The signer's `access`. */
  readonly access?: Readonly<Record<string, string>>;
  now?(): Date;
}

/** A key ring over the environment of a test, which waits for nothing. */
export function testKeys({ env = {}, access = {}, now = () => new Date() }: TestKeyOptions): TestKeys {
  const waits: number[] = [];
  const hosts: string[] = [];
  const clients: HttpClient[] = [];
  const secrets = createSecretResolver({ env, readFileSync: (path) => readFileSync(path) });
  const ring = createKeyRing({
    secrets,
    readFile,
    now,
    http: async (url, caFile) => {
      hosts.push(url.host);
      const ca = caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') };
      const client = createHttpClient({ allowedHosts: [url.host], userAgent: 'attestry-test', ...ca });
      clients.push(client);
      return client;
    },
    wait: async (ms) => void waits.push(ms),
  });
  const settings = createKeySettings(access, env, secrets);
  return {
    ring,
    waits,
    hosts,
    open: (reference, passphrase) =>
      ring.open({ reference, settings, ...(passphrase === undefined ? {} : { passphrase }) }),
    [Symbol.asyncDispose]: async () => {
      await ring[Symbol.asyncDispose]();
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
