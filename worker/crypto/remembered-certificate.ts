import type { Certificate } from '#crypto/certificate.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';

/** Entries; evidence of one signer, and timestamps of one authority, bring the same certificates again and again. */
const MAX_ENTRIES = 256;
/** Longer ones are parsed each time, so that hostile evidence cannot fill the memory. */
const MAX_LENGTH = 64 * 1024;

const remembered = new Map<string, Certificate>();

/**
 * Parses a certificate once: importing its key costs more than checking a signature. What it says depends on its bytes
 * alone, so no entry can become wrong.
 * @throws AppError `certificate-unreadable`.
 */
export function rememberedCertificate(der: Buffer): Certificate {
  if (der.length > MAX_LENGTH) return parseCertificate(der);
  const key = der.toString('latin1');
  const known = remembered.get(key);
  if (known) return known;
  const certificate = parseCertificate(der);
  const oldest = remembered.keys().next().value;
  if (remembered.size >= MAX_ENTRIES && oldest !== undefined) remembered.delete(oldest);
  remembered.set(key, certificate);
  return certificate;
}
