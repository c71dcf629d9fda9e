import type { KeyObject } from 'node:crypto';
import type { SignatureHash } from '#crypto/dsse.ts';
import { keyKind } from '#crypto/key-kind.ts';
import type { Attestor } from '#verification/attestor.ts';

const RSA_LENGTHS: readonly number[] = [2048, 3072, 4096];

/**
 * The hashes with which a key may have signed the content of a bundle, the likely one first (interop specification F.6).
 * sigstore-go takes the hash of a certificate's curve, or SHA-256 as older clients did; of a plain key SHA-256 alone; of
 * certificates with RSA keys the three usual lengths.
 * The strict reading takes any that is sound.
 */
export function signatureHashes(key: KeyObject, { kind, profile }: Attestor): readonly SignatureHash[] {
  const which = keyKind(key);
  switch (which.type) {
    case 'ecdsa':
      if (profile === 'compat' && kind === 'public-key') return ['sha256'];
      if (which.curve === 'P-384') return ['sha384', 'sha256'];
      return which.curve === 'P-521' ? ['sha512', 'sha256'] : ['sha256'];
    case 'rsa':
      if (profile === 'strict') return ['sha256', 'sha384', 'sha512'];
      return kind === 'public-key' || RSA_LENGTHS.includes(which.bits) ? ['sha256'] : [];
    case 'ed25519':
    case 'other':
      return ['sha256'];
  }
}
