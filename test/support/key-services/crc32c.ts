/** CRC-32C by polynomial division over the bits, as RFC 3720 12.1 defines it; another way than the product's. */
export function crc32(bytes: Uint8Array): string {
  const bits = [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, at) => (byte >> at) & 1));
  let rest = 0xffffffffn;
  for (const bit of bits) {
    const top = (rest >> 31n) & 1n;
    rest = ((rest << 1n) & 0xffffffffn) ^ ((top ^ BigInt(bit)) === 1n ? 0x1edc6f41n : 0n);
  }
  const reflected = rest.toString(2).padStart(32, '0').split('').reverse().join('');
  return String(BigInt(`0b${reflected}`) ^ 0xffffffffn);
}
