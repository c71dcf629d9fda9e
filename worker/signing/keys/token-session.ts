import type pkcs11js from 'pkcs11js';
import type { Handle, Mechanism, PKCS11 } from 'pkcs11js';
import type { TokenFailure, TokenKeyQuery, TokenPublicKey } from '#signing/keys/token-messages.ts';

type Binding = typeof pkcs11js;

/** A failure in the words of the messages. */
export class TokenError extends Error {
  readonly failure: TokenFailure;

  constructor(failure: TokenFailure, name: string) {
    super(name);
    this.name = 'TokenError';
    this.failure = failure;
  }
}

export interface TokenKey {
  readonly session: Handle;
  readonly key: Handle;
  readonly kind: 'ec' | 'rsa';
  /** The token wants the PIN for each signature (CKA_ALWAYS_AUTHENTICATE). */
  readonly pinEachTime?: string;
}

/** DigestInfo of SHA-256 up to the digest (RFC 8017, 9.2). */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const SIGNATURE_BYTES = 1024;

/** Finds the token and the key, and logs in. Several that match are refused: it is never guessed which one is meant. */
export function openTokenKey(
  binding: Binding,
  module: PKCS11,
  query: TokenKeyQuery,
  pin: string | undefined,
): { readonly opened: TokenKey; readonly publicKey: TokenPublicKey } {
  const slot = findSlot(module, query);
  const session = module.C_OpenSession(slot, binding.CKF_SERIAL_SESSION);
  try {
    logIn(binding, module, session, slot, pin);
    const key = findKey(binding, module, session, query);
    const kind = keyKind(binding, module, session, key);
    const publicKey = readPublicKey(binding, module, session, key, kind);
    const each = pin !== undefined && isTrue(attribute(module, session, key, binding.CKA_ALWAYS_AUTHENTICATE));
    return { opened: { session, key, kind, ...(each ? { pinEachTime: pin } : {}) }, publicKey };
  } catch (error) {
    module.C_CloseSession(session);
    throw error;
  }
}

/** Signs a SHA-256 digest: ECDSA as two numbers side by side, or RSA PKCS #1 v1.5. */
export function signWithToken(binding: Binding, module: PKCS11, opened: TokenKey, digest: Buffer): Buffer {
  const { session, key, kind, pinEachTime } = opened;
  const mechanism: Mechanism = { mechanism: kind === 'ec' ? binding.CKM_ECDSA : binding.CKM_RSA_PKCS };
  module.C_SignInit(session, mechanism, key);
  if (pinEachTime !== undefined) module.C_Login(session, binding.CKU_CONTEXT_SPECIFIC, pinEachTime);
  const data = kind === 'ec' ? digest : Buffer.concat([SHA256_INFO, digest]);
  return module.C_Sign(session, data, Buffer.alloc(SIGNATURE_BYTES));
}

function findSlot(module: PKCS11, query: TokenKeyQuery): Handle {
  const seen: string[] = [];
  const found = module.C_GetSlotList(true).filter((slot) => {
    const info = module.C_GetTokenInfo(slot);
    const label = info.label.trim();
    seen.push(label);
    return (
      matches(query.token, label) &&
      matches(query.serial, info.serialNumber) &&
      matches(query.manufacturer, info.manufacturerID) &&
      matches(query.model, info.model) &&
      (query.slotId === undefined || slotNumber(slot) === query.slotId)
    );
  });
  const [slot, second] = found;
  if (slot === undefined) throw new TokenError('no-token', seen.filter(Boolean).slice(0, 10).join(', ') || 'none');
  if (second !== undefined) throw new TokenError('several-tokens', String(found.length));
  return slot;
}

function matches(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === found.trim();
}

/** The binding hands slot numbers out as the bytes of a C integer, in this machine's order. */
function slotNumber(slot: Handle): number {
  return slot.length >= 8 ? Number(slot.readBigUInt64LE()) : slot.readUInt32LE();
}

function logIn(binding: Binding, module: PKCS11, session: Handle, slot: Handle, pin: string | undefined): void {
  const { flags } = module.C_GetTokenInfo(slot);
  if ((flags & binding.CKF_USER_PIN_LOCKED) !== 0) throw new TokenError('pin-locked', 'CKF_USER_PIN_LOCKED');
  if (pin === undefined) {
    const needed =
      (flags & binding.CKF_LOGIN_REQUIRED) !== 0 && (flags & binding.CKF_PROTECTED_AUTHENTICATION_PATH) === 0;
    if (needed) throw new TokenError('pin-missing', 'CKF_LOGIN_REQUIRED');
    return;
  }
  try {
    module.C_Login(session, binding.CKU_USER, pin);
  } catch (error) {
    // Another key of the same token has logged this process in.
    if (!(error instanceof Error) || error.message !== 'CKR_USER_ALREADY_LOGGED_IN') throw error;
  }
}

function findKey(binding: Binding, module: PKCS11, session: Handle, { object, id }: TokenKeyQuery): Handle {
  const [key, second] = find(module, session, [
    { type: binding.CKA_CLASS, value: binding.CKO_PRIVATE_KEY },
    ...(object === undefined ? [] : [{ type: binding.CKA_LABEL, value: object }]),
    ...(id === undefined ? [] : [{ type: binding.CKA_ID, value: Buffer.from(id, 'hex') }]),
  ]);
  if (key === undefined) throw new TokenError('no-key', object ?? `id ${id}`);
  if (second !== undefined) throw new TokenError('several-keys', object ?? `id ${id}`);
  return key;
}

function keyKind(binding: Binding, module: PKCS11, session: Handle, key: Handle): 'ec' | 'rsa' {
  const type = attribute(module, session, key, binding.CKA_KEY_TYPE);
  const number = type === undefined ? -1 : type.readUInt32LE();
  if (number === binding.CKK_EC) return 'ec';
  if (number === binding.CKK_RSA) return 'rsa';
  throw new TokenError('refused', `key type ${number}; EC and RSA are used`);
}

/** From the public key object of the same id, the private key itself where it tells, or the certificate of the same id. */
function readPublicKey(
  binding: Binding,
  module: PKCS11,
  session: Handle,
  key: Handle,
  kind: 'ec' | 'rsa',
): TokenPublicKey {
  const id = attribute(module, session, key, binding.CKA_ID);
  const same = (type: number): readonly Handle[] =>
    id === undefined || id.length === 0
      ? []
      : find(module, session, [
          { type: binding.CKA_CLASS, value: type },
          { type: binding.CKA_ID, value: id },
        ]);
  for (const object of [...same(binding.CKO_PUBLIC_KEY), key]) {
    const read = (type: number) => attribute(module, session, object, type)?.toString('base64');
    const [first, second] =
      kind === 'ec'
        ? [read(binding.CKA_EC_PARAMS), read(binding.CKA_EC_POINT)]
        : [read(binding.CKA_MODULUS), read(binding.CKA_PUBLIC_EXPONENT)];
    if (!first || !second) continue;
    return kind === 'ec' ? { kind, parameters: first, point: second } : { kind, modulus: first, exponent: second };
  }
  const [certificate] = same(binding.CKO_CERTIFICATE);
  const der = certificate && attribute(module, session, certificate, binding.CKA_VALUE)?.toString('base64');
  if (der) return { kind: 'certificate', der };
  throw new TokenError('no-public-key', id?.toString('hex') ?? 'no id');
}

function find(
  module: PKCS11,
  session: Handle,
  template: Parameters<PKCS11['C_FindObjectsInit']>[1],
): readonly Handle[] {
  module.C_FindObjectsInit(session, template);
  try {
    return module.C_FindObjects(session, 2);
  } finally {
    module.C_FindObjectsFinal(session);
  }
}

/** Undefined where the object does not have it, or does not tell. */
function attribute(module: PKCS11, session: Handle, object: Handle, type: number): Buffer | undefined {
  try {
    const [read] = module.C_GetAttributeValue(session, object, [{ type }]);
    return Buffer.isBuffer(read?.value) && read.value.length > 0 ? read.value : undefined;
  } catch {
    return undefined;
  }
}

function isTrue(value: Buffer | undefined): boolean {
  return value?.[0] === 1;
}
