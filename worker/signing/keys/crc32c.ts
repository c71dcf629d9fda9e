/** Polynomial of Castagnoli, reflected (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/** CRC-32C as Google Cloud's integrity fields write it: a 64-bit integer in text. */
export function crc32c(bytes: Uint8Array): string {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return String((crc ^ 0xffffffff) >>> 0);
}
