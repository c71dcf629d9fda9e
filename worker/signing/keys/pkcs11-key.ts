import type { KeyObject } from 'node:crypto';
import { protocolError } from '#cloud/service-error.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import type { Pkcs11Reference } from '#model/pkcs11-uri.ts';
import { derOfRawSignature } from '#signing/keys/ec-signature.ts';
import { digestAlgorithm } from '#signing/keys/key-kinds.ts';
import { remoteKey } from '#signing/keys/remote-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';
import { type OpenedToken, type TokenClient, TokenRefusal } from '#signing/keys/token-client.ts';
import type { TokenFailure, TokenPublicKey } from '#signing/keys/token-messages.ts';
import { readTokenPublicKey } from '#signing/keys/token-public-key.ts';

export interface Pkcs11Options {
  readonly client: TokenClient;
  readonly modulePath: string;
  /** Read anew at each login. Undefined: the token is used without one. */
  pin(): string | undefined;
  /** Digests of PINs that tokens refused: they are not tried again, since a token locks itself after some tries. */
  readonly refusedPins: RefusedPins;
}

export interface RefusedPins {
  has(token: string, pin: string): boolean;
  add(token: string, pin: string): void;
}

/** A key in a PKCS #11 token. A session that was lost is opened again, once for each signature. */
export async function openPkcs11Key(reference: Pkcs11Reference, options: Pkcs11Options): Promise<SigningKey> {
  const { kind: _kind, modulePath: _path, pinSource: _source, ...query } = reference;
  const token = reference.token ?? reference.serial ?? `slot ${reference.slotId}`;
  const what = `pkcs11 (${token}, ${reference.object ?? `id ${reference.id}`})`;

  async function open(): Promise<OpenedToken> {
    const pin = options.pin();
    if (pin !== undefined && options.refusedPins.has(token, pin)) {
      throw tokenError('pin-wrong', 'it was refused before, and is not tried again', what, options.modulePath);
    }
    try {
      return await options.client.open(query, pin);
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      if (error.failure === 'pin-wrong' && pin !== undefined) options.refusedPins.add(token, pin);
      throw tokenError(error.failure, error.message, what, options.modulePath);
    }
  }

  let opened = await open();
  const publicKey = readKey(opened.publicKey, what);
  const algorithm = digestAlgorithm(publicKey, `the key of ${what}`, ['P-256', 'P-384']);

  async function sign(digest: Uint8Array, signal: AbortSignal | undefined): Promise<Buffer> {
    try {
      return await opened.sign(digest, signal);
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      if (error.failure !== 'lost') throw tokenError(error.failure, error.message, what, options.modulePath);
    }
    opened = await open();
    try {
      return await opened.sign(digest, signal);
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      throw tokenError(error.failure, error.message, what, options.modulePath);
    }
  }

  return remoteKey({
    what,
    publicKey,
    signDigest: async (digest, signal) => {
      const raw = await sign(digest, signal);
      const signature = algorithm === 'ecdsa' ? derOfRawSignature(raw) : raw;
      if (!signature) throw protocolError(what, 'what it calls a signature is none');
      return signature;
    },
  });
}

function readKey(key: TokenPublicKey, what: string): KeyObject {
  try {
    return readTokenPublicKey(key);
  } catch {
    throw protocolError(what, 'what it calls a public key is none');
  }
}

const FAILURES: Readonly<Record<TokenFailure, { code: ErrorCode; words: string; mend: string }>> = {
  binding: {
    code: 'config-invalid',
    words: 'the PKCS #11 binding is not installed, or not built',
    mend: 'run npm run token-binding in the clone, or npm rebuild pkcs11js --ignore-scripts=false where the package is installed; both need a C++ compiler, make and Python 3',
  },
  module: {
    code: 'config-invalid',
    words: 'the PKCS #11 module cannot be loaded',
    mend: 'install the module of the token, and name its file by module-path or COSIGN_PKCS11_MODULE_PATH',
  },
  'no-token': {
    code: 'key-refused',
    words: 'no token matches; there are',
    mend: 'plug it in, or correct token, serial or slot-id; pkcs11-tool -T lists what the module sees',
  },
  'several-tokens': {
    code: 'key-refused',
    words: 'several tokens match',
    mend: 'add serial or slot-id to the reference',
  },
  'no-key': {
    code: 'key-refused',
    words: 'the token has no private key like that',
    mend: 'correct object or id; pkcs11-tool --login -O lists the objects',
  },
  'several-keys': { code: 'key-refused', words: 'several private keys match', mend: 'name the key by its id' },
  'no-public-key': {
    code: 'key-refused',
    words: 'the token tells no public key for it',
    mend: 'store the public key or its certificate in the token, with the same id',
  },
  'pin-missing': {
    code: 'key-unauthorized',
    words: 'the token wants a PIN',
    mend: 'give it by `passphrase`, pin-source or COSIGN_PKCS11_PIN',
  },
  'pin-wrong': {
    code: 'key-unauthorized',
    words: 'the PIN is wrong',
    mend: 'correct the PIN before the token locks itself; a PIN that was refused is not tried again',
  },
  'pin-locked': {
    code: 'key-unauthorized',
    words: 'the PIN of the token is locked or was never set',
    mend: 'unlock it with the PIN of the security officer',
  },
  refused: {
    code: 'key-refused',
    words: 'the token refuses',
    mend: 'check that the key may sign, and that the token knows ECDSA or RSA PKCS #1 v1.5',
  },
  lost: {
    code: 'key-unavailable',
    words: 'the token is away or lost its session',
    mend: 'nothing: it is tried again later; look at the device if it lasts',
  },
};

function tokenError(failure: TokenFailure, name: string, what: string, modulePath: string): AppError {
  const { code, words, mend } = FAILURES[failure];
  const detail = failure === 'module' ? modulePath : name;
  return new AppError(code, `${what}: ${words} (${detail.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, 200)})`, { mend });
}
