import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { type KeyReference, readKeyReference } from '#model/key-reference.ts';
import type { KeySettings } from '#model/key-settings.ts';
import type { Pkcs11Reference } from '#model/pkcs11-uri.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { KeyServiceContext } from '#signing/keys/key-service.ts';
import { pemKey } from '#signing/keys/pem-key.ts';
import type { RefusedPins } from '#signing/keys/pkcs11-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';
import type { TokenClient } from '#signing/keys/token-client.ts';

export interface KeyRequest {
  /** `file:`, `env:`, `awskms:`, `azurekms:`, `gcpkms:`, `hashivault:`, `pkcs11:`. */
  readonly reference: string;
  /** Secret reference of the passphrase of a key, or of the PIN of a token. */
  readonly passphrase?: string;
  readonly settings: KeySettings;
}

/** Opens keys wherever they lie; holds what they need (clients, processes of tokens) until it is disposed of. */
export interface KeyRing extends AsyncDisposable {
  /**
   * @throws AppError `config-invalid`, `key-unreadable`, `key-refused`, `key-unauthorized`, `key-unavailable`,
   * `key-throttled`, `key-protocol`, `network`, `timeout`.
   */
  open(request: KeyRequest): Promise<SigningKey>;
}

export type KeyRingSurroundings = Omit<KeyServiceContext, 'settings'> & { readonly secrets: SecretResolver };

export function createKeyRing(surroundings: KeyRingSurroundings): KeyRing {
  const tokens = new Map<string, TokenClient>();
  const refusedPins = createRefusedPins();

  async function open({ reference: text, passphrase, settings }: KeyRequest): Promise<SigningKey> {
    const read = readKeyReference(text);
    if (!read.ok) throw new AppError('config-invalid', read.message, { mend: read.mend, field: 'key' });
    const { reference } = read;
    const context: KeyServiceContext = { ...surroundings, settings };
    // Each kind is loaded when it is used: a verify pays for none.
    switch (reference.kind) {
      case 'secret': {
        const { secrets } = surroundings;
        return pemKey(secrets(reference.reference), passphrase === undefined ? undefined : secrets(passphrase));
      }
      case 'awskms':
        return (await import('#signing/keys/aws-kms.ts')).openAwsKey(reference, context);
      case 'azurekms':
        return (await import('#signing/keys/azure-key-vault.ts')).openAzureKey(reference, context);
      case 'gcpkms':
        return (await import('#signing/keys/google-kms.ts')).openGoogleKey(reference, context);
      case 'hashivault':
        return (await import('#signing/keys/vault-transit.ts')).openVaultKey(reference, context);
      case 'pkcs11':
        return await openToken(reference, passphrase, settings);
    }
  }

  async function openToken(
    reference: Pkcs11Reference,
    passphrase: string | undefined,
    settings: KeySettings,
  ): Promise<SigningKey> {
    const modulePath = reference.modulePath ?? settings.text('COSIGN_PKCS11_MODULE_PATH');
    if (modulePath === undefined) {
      throw new AppError('config-invalid', 'pkcs11: no module is named', {
        field: 'key',
        mend: 'add ?module-path=/path/of/module.so to the reference, or set COSIGN_PKCS11_MODULE_PATH',
      });
    }
    const [{ openPkcs11Key }, { createTokenClient }] = await Promise.all([
      import('#signing/keys/pkcs11-key.ts'),
      import('#signing/keys/token-client.ts'),
    ]);
    const client = tokens.get(modulePath) ?? createTokenClient(modulePath);
    tokens.set(modulePath, client);
    const source = passphrase ?? reference.pinSource;
    const pin = () =>
      source === undefined ? settings.secret('COSIGN_PKCS11_PIN')?.reveal() : surroundings.secrets(source).reveal();
    return await openPkcs11Key(reference, { client, modulePath, pin, refusedPins });
  }

  return {
    open,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...tokens.values()].map((client) => client[Symbol.asyncDispose]()));
    },
  };
}

function createRefusedPins(): RefusedPins {
  const refused = new Set<string>();
  const digest = (token: string, pin: string) => sha256Hex(`${token}\0${pin}`);
  return {
    has: (token, pin) => refused.has(digest(token, pin)),
    add: (token, pin) => void refused.add(digest(token, pin)),
  };
}

/** The kinds of keys, for tables and tests. */
export type KeyKindName = KeyReference['kind'];
