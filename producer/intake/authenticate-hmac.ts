import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HmacCredential } from '#producer/intake/credential.ts';
import type { Delivery } from '#producer/webhooks/adapter.ts';

const HEX_DIGITS = { sha256: 64, sha1: 40 } as const;

/**
 * Whether the signature of a delivery is one of the secrets' over the bytes that the sender signs. A signature that is
 * there and empty is none: some senders write it so when no secret is set on their side.
 * @throws AppError `config-invalid` when a secret cannot be read.
 */
export function hasHmac({ rule, secrets }: HmacCredential, delivery: Delivery): boolean {
  const { header, algorithm, prefix, signed } = rule;
  const presented = delivery.headers[header];
  if (presented === undefined || !presented.startsWith(prefix)) return false;
  const hex = presented.slice(prefix.length).toLowerCase();
  if (hex.length !== HEX_DIGITS[algorithm] || !/^[0-9a-f]+$/.test(hex)) return false;
  const signature = Buffer.from(hex, 'hex');
  const candidates = signed?.(delivery) ?? [delivery.body];
  let found = false;
  for (const secret of secrets()) {
    const key = secret.reveal();
    for (const bytes of candidates) {
      const equal = timingSafeEqual(signature, createHmac(algorithm, key).update(bytes).digest());
      // An empty key makes a signature that anyone can make.
      found = (equal && key !== '') || found;
    }
  }
  return found;
}
