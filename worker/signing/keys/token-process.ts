// Runs as a process of its own: a module of a vendor may wait for its hardware without end, or crash, and takes
// nobody along. Its one argument is the path of the module.
import type { PKCS11 } from 'pkcs11js';
import type { TokenAnswer, TokenFailure, TokenRequest } from '#signing/keys/token-messages.ts';
import { openTokenKey, signWithToken, TokenError, type TokenKey } from '#signing/keys/token-session.ts';

const opened = new Map<number, TokenKey>();
let loaded: Promise<{ binding: typeof import('pkcs11js'); module: PKCS11 }> | undefined;

process.on('message', (request: TokenRequest) => {
  void answer(request).then((given) => process.send?.(given));
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit(0));

async function answer(request: TokenRequest): Promise<TokenAnswer> {
  const { id } = request;
  try {
    loaded ??= load(process.argv[2] ?? '');
    const { binding, module } = await loaded;
    switch (request.ask) {
      case 'open': {
        const { opened: key, publicKey } = openTokenKey(binding, module, request.key, request.pin);
        opened.set(opened.size, key);
        return { id, ok: true, opened: { handle: opened.size - 1, key: publicKey } };
      }
      case 'sign': {
        const key = opened.get(request.handle);
        if (!key) throw new TokenError('lost', 'no such handle');
        const signature = signWithToken(binding, module, key, Buffer.from(request.digest, 'base64'));
        return { id, ok: true, signature: signature.toString('base64') };
      }
    }
  } catch (error) {
    const name = error instanceof Error ? error.message : String(error);
    return { id, ok: false, failure: failureOf(error, name), name };
  }
}

async function load(path: string): Promise<{ binding: typeof import('pkcs11js'); module: PKCS11 }> {
  const binding = await import('pkcs11js').then(
    (library) => library.default,
    () => {
      throw new TokenError('binding', 'pkcs11js');
    },
  );
  const module = new binding.PKCS11();
  try {
    module.load(path);
  } catch (error) {
    throw new TokenError('module', error instanceof Error ? error.message : 'dlopen');
  }
  module.C_Initialize({ flags: binding.CKF_OS_LOCKING_OK });
  return { binding, module };
}

const FAILURES: Readonly<Record<string, TokenFailure>> = {
  CKR_PIN_INCORRECT: 'pin-wrong',
  CKR_PIN_INVALID: 'pin-wrong',
  CKR_PIN_LEN_RANGE: 'pin-wrong',
  CKR_PIN_LOCKED: 'pin-locked',
  CKR_USER_PIN_NOT_INITIALIZED: 'pin-locked',
  CKR_USER_NOT_LOGGED_IN: 'lost',
  CKR_SESSION_CLOSED: 'lost',
  CKR_SESSION_HANDLE_INVALID: 'lost',
  CKR_OBJECT_HANDLE_INVALID: 'lost',
  CKR_KEY_HANDLE_INVALID: 'lost',
  CKR_DEVICE_REMOVED: 'lost',
  CKR_DEVICE_ERROR: 'lost',
  CKR_DEVICE_MEMORY: 'lost',
  CKR_HOST_MEMORY: 'lost',
  CKR_GENERAL_ERROR: 'lost',
  CKR_TOKEN_NOT_PRESENT: 'lost',
  CKR_SESSION_COUNT: 'lost',
};

function failureOf(error: unknown, name: string): TokenFailure {
  return error instanceof TokenError ? error.failure : (FAILURES[name] ?? 'refused');
}
