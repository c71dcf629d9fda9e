import { Readable } from 'node:stream';
import { AppError } from '#model/errors.ts';

/** The same bytes as `source`, with its failures turned into ours. Destroying it destroys the source at once. */
export function bodyStream(source: Readable, asAppError: (error: unknown) => AppError): Readable {
  const body = new Readable({
    read() {
      source.resume();
    },
    destroy(error, callback) {
      source.destroy();
      callback(error);
    },
  });
  source.on('data', (chunk: Uint8Array) => {
    if (!body.push(chunk)) source.pause();
  });
  source.on('end', () => body.push(null));
  source.on('error', (error) => body.destroy(asAppError(error)));
  source.on('close', () => {
    if (!source.readableEnded && !body.destroyed) body.destroy(asAppError(new Error('the connection broke')));
  });
  // A connection may break before the caller gets to reading. Whoever reads then meets the error; without a listener it
  // would end the process first.
  body.on('error', () => {});
  return body;
}

/** Reads a stream into memory. @throws AppError `too-large` beyond `maxBytes`. */
export async function readBounded(body: Readable, maxBytes: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    // Leaving the loop by an error destroys the stream.
    if (size > maxBytes) throw new AppError('too-large', `${what} is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
