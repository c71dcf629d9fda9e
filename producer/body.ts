import type { Readable } from 'node:stream';
import { AppError } from '#model/errors.ts';
import { DISCARD_BYTES } from '#producer/limits.ts';

/**
 * Reads a body exactly as sent, which is what signatures cover. What is over the limit is read on for a while and
 * thrown away, then given up, so that memory stays bounded and most senders still see the answer.
 * @throws AppError `network` when the sender goes away in between.
 */
export async function readBody(stream: Readable, maxBytes: number): Promise<Buffer | 'too-large'> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
      if (size > maxBytes + DISCARD_BYTES) break;
    }
  } catch (error) {
    throw new AppError('network', 'the request broke off before its end', { cause: error });
  }
  return size > maxBytes ? 'too-large' : Buffer.concat(chunks);
}
