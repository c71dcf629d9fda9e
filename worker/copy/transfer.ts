import { Readable } from 'node:stream';
import type { Pace } from '#copy/pace.ts';
import type { Persist } from '#copy/persist.ts';
import { type Pair, placeName } from '#copy/place.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';

/** What was moved, over all images of a run. */
export interface Moved {
  blobs: number;
  bytes: number;
  /** Blobs that the destination took over from another of its repositories. */
  mounted: number;
  /** Blobs that were there already. */
  present: number;
}

export interface BlobCarrier {
  readonly moved: Readonly<Moved>;
  /** Brings a blob to the destination unless it is there; the same blob is brought once, however often it is asked for. */
  bring(pair: Pair, blob: Descriptor, signal?: AbortSignal): Promise<void>;
}

export interface CarrierOptions {
  readonly pace: Pick<Pace, 'bytes'>;
  readonly persist: Persist;
  /** Blobs under way at once. */
  readonly concurrency: number;
}

/** Layers that their makers do not let be distributed: no registry holds them, and each takes a manifest without. */
const NOT_DISTRIBUTED = /nondistributable|rootfs\.foreign/;

export function createBlobCarrier({ pace, persist, concurrency }: CarrierOptions): BlobCarrier {
  const moved: Moved = { blobs: 0, bytes: 0, mounted: 0, present: 0 };
  const underWay = new Map<string, Promise<void>>();
  /** Where this run saw a blob at a destination: it is mounted from there. */
  const standing = new Map<string, string>();
  const inLane = createLanes(concurrency);

  async function carry(pair: Pair, blob: Descriptor, signal: AbortSignal | undefined): Promise<void> {
    const { from, to } = pair;
    const { digest } = blob;
    if (await to.target.hasBlob(to.repository, digest, signal)) moved.present += 1;
    else if (await mounted(pair, digest, signal)) moved.mounted += 1;
    else {
      const registries = [from, to].filter(({ isFolder }) => !isFolder).map(({ registry }) => registry);
      const open = async () =>
        paced(await from.target.blob(from.repository, blob, signal), (count) => pace.bytes(registries, count, signal));
      await to.target.takeBlob(to.repository, blob, open, signal);
      moved.blobs += 1;
      moved.bytes += blob.size;
    }
    standing.set(`${to.registry} ${digest}`, to.repository);
  }

  async function mounted({ from, to }: Pair, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    const candidates = [
      from.target === to.target ? from.repository : undefined,
      standing.get(`${to.registry} ${digest}`),
    ];
    for (const repository of candidates) {
      if (repository === undefined || repository === to.repository) continue;
      if (await to.target.mountBlob(to.repository, digest, repository, signal)) return true;
    }
    return false;
  }

  async function bring(pair: Pair, blob: Descriptor, signal?: AbortSignal): Promise<void> {
    if (NOT_DISTRIBUTED.test(blob.mediaType)) return;
    const key = `${placeName(pair.to)} ${blob.digest}`;
    const known = underWay.get(key);
    if (known) return await known;
    const work = inLane(() => persist(pair.to.registry, () => carry(pair, blob, signal), signal));
    underWay.set(key, work);
    try {
      await work;
    } catch (error) {
      underWay.delete(key);
      throw error;
    }
  }

  return { moved, bring };
}

/** The same bytes, no faster than the pace allows. */
function paced(source: Readable, wait: (bytes: number) => Promise<void>): Readable {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      await wait(chunk.byteLength);
      yield chunk;
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}

/** At most so many pieces of work at once; the others wait in their order. */
export function createLanes(width: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy -= 1;
    }
  };
}
