import { constants, type KeyObject, privateEncrypt, publicDecrypt, randomBytes } from 'node:crypto';
import { derReader, TAG } from '#crypto/der.ts';

/** DigestInfo of SHA-256 before the digest (RFC 8017, 9.2). */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** Whether a signature is over a message of which only the SHA-256 is known, as a log sees it. */
export function verifiesDigest(key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  if (key.asymmetricKeyType === 'rsa') {
    const padded = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return padded.equals(Buffer.concat([SHA256_INFO, digest]));
  }
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && verifiesP256(key, digest, signature);
}

/** Signs a SHA-256 digest as a key service does: ECDSA over P-256 as r and s side by side, or RSA PKCS #1 v1.5. */
export function signDigest(key: KeyObject, digest: Buffer): Buffer {
  if (key.asymmetricKeyType === 'rsa') {
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([SHA256_INFO, digest]));
  }
  const d = numberOf(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  const k = mod(numberOf(randomBytes(40)), N - 1n) + 1n;
  const r = mod(times(k, G)?.x ?? 0n, N);
  const s = mod(inverse(k, N) * (numberOf(digest) + r * d), N);
  return Buffer.from([r, s].map((part) => part.toString(16).padStart(64, '0')).join(''), 'hex');
}

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const G: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
};

type Point = { readonly x: bigint; readonly y: bigint };

/** ECDSA over P-256 (FIPS 186-5, 6.4.2), slow and plain. */
function verifiesP256(key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const parts = derReader(signature, 'signature').enter(TAG.sequence);
  const r = numberOf(parts.element(TAG.integer).content);
  const s = numberOf(parts.element(TAG.integer).content);
  if (r <= 0n || r >= N || s <= 0n || s >= N) return false;
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const q = { x: numberOf(Buffer.from(x, 'base64url')), y: numberOf(Buffer.from(y, 'base64url')) };
  const w = inverse(s, N);
  const sum = add(times(mod(numberOf(digest) * w, N), G), times(mod(r * w, N), q));
  return sum !== undefined && mod(sum.x, N) === r;
}

function times(count: bigint, point: Point): Point | undefined {
  let result: Point | undefined;
  let power: Point | undefined = point;
  for (let left = count; left > 0n; left >>= 1n) {
    if (left & 1n) result = add(result, power);
    power = add(power, power);
  }
  return result;
}

function add(one: Point | undefined, other: Point | undefined): Point | undefined {
  if (!one) return other;
  if (!other) return one;
  if (one.x === other.x && mod(one.y + other.y, P) === 0n) return undefined;
  const slope =
    one.x === other.x
      ? mod(3n * (one.x * one.x - 1n) * inverse(2n * one.y, P), P)
      : mod((other.y - one.y) * inverse(mod(other.x - one.x, P), P), P);
  const x = mod(slope * slope - one.x - other.x, P);
  return { x, y: mod(slope * (one.x - x) - one.y, P) };
}

/** By Euclid's algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [r, next, s, following] = [modulus, mod(value, modulus), 0n, 1n];
  while (next !== 0n) {
    const quotient = r / next;
    [r, next] = [next, r - quotient * next];
    [s, following] = [following, s - quotient * following];
  }
  return mod(s, modulus);
}

function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}
