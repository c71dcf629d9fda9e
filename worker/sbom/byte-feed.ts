/** Bytes in order, with a way to look ahead and to put back: what decoders of concatenated streams need. */
export interface ByteFeed {
  /** The next bytes, undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Puts bytes back in front. */
  unread(bytes: Uint8Array): void;
  /** The next `count` bytes without taking them; fewer only at the end. */
  peek(count: number): Promise<Uint8Array>;
  /** Bytes that came from the source. */
  received(): number;
}

export function createByteFeed(source: AsyncIterable<Uint8Array>): ByteFeed {
  const iterator = source[Symbol.asyncIterator]();
  let front: Uint8Array | undefined;
  let count = 0;

  async function pull(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return undefined;
      count += value.length;
      if (value.length > 0) return value;
    }
  }

  async function next(): Promise<Uint8Array | undefined> {
    if (!front) return pull();
    const bytes = front;
    front = undefined;
    return bytes;
  }

  function unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    front = front ? Buffer.concat([bytes, front]) : bytes;
  }

  async function peek(wanted: number): Promise<Uint8Array> {
    while ((front?.length ?? 0) < wanted) {
      const more = await pull();
      if (!more) break;
      front = front ? Buffer.concat([front, more]) : more;
    }
    return (front ?? new Uint8Array()).subarray(0, wanted);
  }

  return { next, unread, peek, received: () => count };
}
