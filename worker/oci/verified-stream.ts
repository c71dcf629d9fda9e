import { createHash, type Hash } from 'node:crypto';
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestHex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';

/**
 * The bytes of `source`, ending in an error unless they are exactly those of the descriptor: `too-large` as soon as
 * there is one byte more, `layer-corrupt` when they end early, `digest-mismatch` when they are others. A consumer has
 * seen the bytes by then: what it made of them counts only once the stream has ended well.
 */
export function verifiedStream(source: Readable, descriptor: Pick<Descriptor, 'digest' | 'size'>): Readable {
  const verifier = new VerifyingTransform(descriptor);
  // The callback is required, and has nothing to do: the error arrives at the reader of the verifier.
  return pipeline(source, verifier, () => {});
}

class VerifyingTransform extends Transform {
  readonly #hash: Hash;
  readonly #digest: Digest;
  readonly #size: number;
  #seen = 0;

  constructor({ digest, size }: Pick<Descriptor, 'digest' | 'size'>) {
    super();
    this.#hash = hashFor(digest);
    this.#digest = digest;
    this.#size = size;
    // Who has not begun to read meets the error when it does; until then it must not end the process.
    this.on('error', () => {});
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#seen += chunk.byteLength;
    if (this.#seen > this.#size) {
      done(new AppError('too-large', `blob ${this.#digest} is longer than its ${this.#size} bytes`));
      return;
    }
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.#seen < this.#size) {
      done(new AppError('layer-corrupt', `blob ${this.#digest} ends after ${this.#seen} of ${this.#size} bytes`));
    } else if (this.#hash.digest('hex') !== digestHex(this.#digest)) {
      done(new AppError('digest-mismatch', `the bytes of blob ${this.#digest} hash to another digest`));
    } else done();
  }
}

/** The digest of bytes by the algorithm of another digest. */
export function digestLike(model: Digest, bytes: Uint8Array): Digest {
  const algorithm = model.startsWith('sha512:') ? 'sha512' : 'sha256';
  return `${algorithm}:${hashFor(model).update(bytes).digest('hex')}`;
}

function hashFor(digest: Digest): Hash {
  return createHash(digest.startsWith('sha512:') ? 'sha512' : 'sha256');
}
