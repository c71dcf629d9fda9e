import type { Descriptor } from '#model/descriptor.ts';
import { AppError } from '#model/errors.ts';
import type { Fetcher } from '#oci/target.ts';

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
