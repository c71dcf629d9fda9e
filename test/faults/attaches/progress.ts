import type { ManifestChange } from '../../support/recording-proxy.ts';

interface Written {
  readonly layers?: readonly { readonly digest: string }[];
}

/** Which part of the work is done: the pieces that were ever listed, against those that are wanted. */
export function progressOf(changes: readonly ManifestChange[], wanted: number): () => number {
  const pieces = new Set<string>();
  let read = 0;
  return () => {
    for (; read < changes.length; read++) {
      const change = changes[read];
      if (change?.method !== 'PUT') continue;
      const { layers = [] } = JSON.parse(change.body.toString()) as Written;
      for (const { digest } of layers) pieces.add(digest);
    }
    return pieces.size / wanted;
  };
}
