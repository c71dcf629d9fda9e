import type { Certificate } from '#crypto/certificate.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { rememberedCertificate } from '#crypto/remembered-certificate.ts';
import { AppError } from '#model/errors.ts';

export type ImportedCertificate =
  | { readonly ok: true; readonly certificate: Certificate }
  | { readonly ok: false; readonly problem: string };

export type Imported =
  | { readonly ok: true; readonly certificates: readonly Certificate[] }
  | { readonly ok: false; readonly problem: string };

/** Entries; one image has two or three distinct annotations, and images of one signer share them. */
const MAX_ENTRIES = 256;
/** Longer texts are parsed each time, so that hostile annotations cannot fill the memory. */
const MAX_CACHED_LENGTH = 64 * 1024;

const imported = new Map<string, Imported>();

/**
 * The certificates of a PEM text, remembered by content: importing keys costs more than checking a signature, and the
 * same leaf and chain stand on every layer. The result depends on the text alone, so no entry can become wrong.
 */
export function importCertificates(pem: string): Imported {
  const known = imported.get(pem);
  if (known) return known;
  const result = readable(() => ({ ok: true, certificates: parseCertificates(pem) }) as const);
  if (pem.length > MAX_CACHED_LENGTH) return result;
  const oldest = imported.keys().next().value;
  if (imported.size >= MAX_ENTRIES && oldest !== undefined) imported.delete(oldest);
  imported.set(pem, result);
  return result;
}

/** The certificate of a bundle, remembered in the same way. */
export function importCertificate(der: Buffer): ImportedCertificate {
  return readable(() => ({ ok: true, certificate: rememberedCertificate(der) }) as const);
}

function readable<Result>(parse: () => Result): Result | { readonly ok: false; readonly problem: string } {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AppError) return { ok: false, problem: error.message };
    throw error;
  }
}
