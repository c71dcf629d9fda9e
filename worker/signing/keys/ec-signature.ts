import { derSequence, derUnsigned } from '#crypto/der-writer.ts';

/** An ECDSA signature of two numbers side by side (IEEE P1363) as DER; undefined when it cannot be one. */
export function derOfRawSignature(raw: Uint8Array): Buffer | undefined {
  if (raw.length === 0 || raw.length % 2 !== 0 || raw.length > 132) return undefined;
  const half = raw.length / 2;
  return derSequence(derUnsigned(raw.subarray(0, half)), derUnsigned(raw.subarray(half)));
}
