import { parseCertificate } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import type { OcspQuestion } from '#trust/ocsp-answers.ts';

const PREFIX = 'ocsp ';

/**
 * Responder and issuer as one text, by which they are remembered beside lists: whoever asks again in another process
 * needs the issuer's certificate to verify the answer.
 */
export function ocspSource({ responder, issuer }: Omit<OcspQuestion, 'serialNumber'>): string {
  return `${PREFIX}${Buffer.from(issuer.raw).toString('base64url')} ${responder}`;
}

/** The same read back; undefined for the source of a list, and for what cannot be read. */
export function readOcspSource(source: string): Omit<OcspQuestion, 'serialNumber'> | undefined {
  if (!isOcspSource(source)) return undefined;
  const [, issuer = '', responder = ''] = source.split(' ');
  try {
    return { responder, issuer: parseCertificate(Buffer.from(issuer, 'base64url')) };
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

export function isOcspSource(source: string): boolean {
  return source.startsWith(PREFIX);
}
