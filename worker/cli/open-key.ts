import { readFileSync } from 'node:fs';
import type { CommandIo } from '#cli/command.ts';
import { readText } from '#cli/read-text.ts';
import { isRemoteKey } from '#model/key-reference.ts';
import { pemKey } from '#signing/keys/pem-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

/** A key for one run of a command. */
export interface CommandKey extends AsyncDisposable {
  readonly key: SigningKey;
}

/** How commands describe what `--key` takes. */
export const KEY_FORMS = 'PEM file, env:NAME, or awskms://, azurekms://, gcpkms://, hashivault://, pkcs11:';

/**
 * The key that a flag names: a PEM file or variable (its passphrase in COSIGN_PASSWORD), or one of a key service or token
 * by the variables of its own clients.
 * @throws AppError as the key ring.
 */
export async function openCommandKey(io: CommandIo, flag: string, value: string): Promise<CommandKey> {
  if (!isRemoteKey(value)) {
    const { COSIGN_PASSWORD: passphrase } = io.env;
    // Shells export it empty to say that there is none.
    const key = pemKey(await readText(io, flag, value), passphrase === '' ? undefined : passphrase);
    return { key, [Symbol.asyncDispose]: async () => {} };
  }
  const [{ createKeys }, { createKeySettings }, { createOutbound }, { createSecretResolver }] = await Promise.all([
    import('#compose/keys.ts'),
    import('#compose/key-settings.ts'),
    import('#compose/outbound.ts'),
    import('#config/secrets.ts'),
  ]);
  const secrets = createSecretResolver({ env: io.env, readFileSync: (path) => readFileSync(path) });
  const stack = new AsyncDisposableStack();
  try {
    const outbound = stack.use(createOutbound(io));
    const keys = stack.use(createKeys({ ...io, secrets, outbound }));
    const key = await keys.open({ reference: value, settings: createKeySettings({}, io.env, secrets) });
    return { key, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
