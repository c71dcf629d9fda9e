import { createHash } from 'node:crypto';
import { AppError } from '#model/errors.ts';

/** A content digest, `algorithm:hex` (OCI image-spec, descriptor, Digests). */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** @throws AppError `reference-invalid` when the text is not a sha256 or sha512 digest in lower-case hex. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new AppError('reference-invalid', `not a digest: ${JSON.stringify(text.slice(0, 80))}`, {
    mend: 'write sha256: followed by 64 lower-case hex digits',
  });
}

export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The hex part of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The tag that cosign derives from a digest: `sha256-<hex>`, plus a suffix such as `.att`. */
export function digestTag(digest: Digest, suffix = ''): string {
  return `${digest.replace(':', '-')}${suffix}`;
}
