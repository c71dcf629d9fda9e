import type { Descriptor } from '#model/descriptor.ts';
import { AppError } from '#model/errors.ts';
import type { Fetcher } from '#oci/target.ts';

/** cosign's default for `COSIGN_MAX_ATTACHMENT_SIZE`, bytes of one piece of evidence. */
export const MAX_PIECE_BYTES = 128 * 1024 * 1024;
/** All pieces of one location together: what a reader holds in memory at once. */
export const MAX_TOTAL_BYTES = 256 * 1024 * 1024;

/**
 * A whole blob in memory.
 * @throws AppError `too-large` beyond `maxBytes`, and what the target throws.
 */
export async function readBlob(
  source: Fetcher,
  repository: string,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (descriptor.size > maxBytes) {
    throw new AppError('too-large', `blob ${descriptor.digest} has ${descriptor.size} bytes, the limit is ${maxBytes}`);
  }
  const stream = await source.blob(repository, descriptor, signal);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** As `readBlob`; undefined for a blob that the registry does not hold. */
export async function blobIfThere(...call: Parameters<typeof readBlob>): Promise<Uint8Array | undefined> {
  try {
    return await readBlob(...call);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}
