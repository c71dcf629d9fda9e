import type { Digest } from '#model/digest.ts';
import type { LayerFacts } from '#sbom/layer-facts.ts';

/**
 * Remembers the facts of layers by the digest of their blobs, so that a push on a known base reads only what is new.
 * A cache that cannot answer answers undefined; facts of another version are ignored by the reader.
 */
export interface LayerFactsCache {
  get(digest: Digest): Promise<LayerFacts | undefined>;
  set(digest: Digest, facts: LayerFacts): Promise<void>;
}

/** Least recently used first out; `maxChars` bounds the sum of the JSON texts held (a character is a byte or two). */
export function createMemoryLayerFactsCache(maxChars: number): LayerFactsCache {
  // Text and not objects: its size is known, and nobody can change what is remembered.
  const held = new Map<Digest, string>();
  let chars = 0;

  async function get(digest: Digest): Promise<LayerFacts | undefined> {
    const text = held.get(digest);
    if (text === undefined) return undefined;
    held.delete(digest);
    held.set(digest, text);
    return JSON.parse(text);
  }

  async function set(digest: Digest, facts: LayerFacts): Promise<void> {
    const text = JSON.stringify(facts);
    drop(digest);
    if (text.length > maxChars) return;
    held.set(digest, text);
    chars += text.length;
    for (const oldest of held.keys()) {
      if (chars <= maxChars) break;
      drop(oldest);
    }
  }

  function drop(digest: Digest): void {
    chars -= held.get(digest)?.length ?? 0;
    held.delete(digest);
  }

  return { get, set };
}
