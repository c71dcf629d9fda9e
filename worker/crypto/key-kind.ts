import type { KeyObject } from 'node:crypto';

/** Curves by the names that people know, from the names that OpenSSL gives them. */
const CURVES: Readonly<Record<string, string>> = {
  secp224r1: 'P-224',
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/** What a key is, as far as verifiers tell keys apart. */
export type KeyKind =
  | { readonly type: 'ecdsa'; readonly curve: string }
  | { readonly type: 'rsa'; readonly bits: number; readonly exponent: bigint }
  | { readonly type: 'ed25519' }
  | { readonly type: 'other'; readonly name: string };

export function keyKind(key: KeyObject): KeyKind {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const curve = CURVES[details?.namedCurve ?? ''];
      return curve === undefined
        ? { type: 'other', name: `elliptic curve ${details?.namedCurve ?? 'without a name'}` }
        : { type: 'ecdsa', curve };
    }
    case 'rsa':
      return { type: 'rsa', bits: details?.modulusLength ?? 0, exponent: details?.publicExponent ?? 0n };
    case 'ed25519':
      return { type: 'ed25519' };
    default:
      return { type: 'other', name: key.asymmetricKeyType ?? key.type };
  }
}

/** The kind in words, e.g. `ECDSA P-256` or `RSA 2048`. */
export function describeKey(kind: KeyKind): string {
  switch (kind.type) {
    case 'ecdsa':
      return `ECDSA ${kind.curve}`;
    case 'rsa':
      return `RSA ${kind.bits}`;
    case 'ed25519':
      return 'Ed25519';
    case 'other':
      return kind.name;
  }
}
