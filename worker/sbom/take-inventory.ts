import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Fetcher } from '#oci/target.ts';
import type { Cataloger } from '#sbom/cataloger.ts';
import { CATALOGERS } from '#sbom/catalogers/index.ts';
import { createFactCollector } from '#sbom/fact-collector.ts';
import { createImageTree } from '#sbom/image-tree.ts';
import type { Inventory } from '#sbom/inventory.ts';
import { factsVersion, type LayerFacts } from '#sbom/layer-facts.ts';
import type { LayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { layerKind } from '#sbom/layer-media-types.ts';
import { walkLayer } from '#sbom/layer-walk.ts';
import { DEFAULT_WALK_LIMITS, type WalkLimits } from '#sbom/limits.ts';
import { listPackages } from '#sbom/package-list.ts';

export interface InventoryRequest {
  readonly source: Pick<Fetcher, 'blob'>;
  /** Path in the registry. */
  readonly repository: string;
  /** The manifest's layers, the lowest first. */
  readonly layers: readonly Descriptor[];
  readonly cache?: LayerFactsCache;
  readonly limits?: WalkLimits;
  readonly catalogers?: readonly Cataloger[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LayerProgress) => void;
}

/** One layer is done. */
export interface LayerProgress {
  readonly digest: Digest;
  /** From 1. */
  readonly layer: number;
  readonly layers: number;
  /** Compressed bytes. */
  readonly size: number;
  readonly how: 'read' | 'remembered' | 'not-readable';
}

/**
 * Lists what is installed in one platform image. Layers are read one after the other in flat memory; a known layer is
 * not fetched. A layer that is not distributed or no archive is a gap, not a failure.
 * @throws AppError `layer-corrupt`, `layer-bomb`, `canceled` and the errors of the source.
 */
export async function takeInventory(request: InventoryRequest): Promise<Inventory> {
  const { layers, limits = DEFAULT_WALK_LIMITS, catalogers = CATALOGERS } = request;
  const tree = createImageTree(limits.filesPerImage);
  const gaps: string[] = [];
  const seen = new Map<Digest, LayerFacts>();
  let unpackedLeft = limits.unpackedBytesPerImage;
  for (const [place, layer] of layers.entries()) {
    const report = (how: LayerProgress['how']) =>
      request.onProgress?.({ digest: layer.digest, layer: place + 1, layers: layers.length, size: layer.size, how });
    const unreadable = whyNotReadable(layer);
    if (unreadable) {
      gaps.push(unreadable);
      report('not-readable');
      continue;
    }
    const known = seen.get(layer.digest) ?? (await remembered(request.cache, layer.digest, factsVersion(catalogers)));
    const unpackedBytesPerLayer = Math.min(limits.unpackedBytesPerLayer, unpackedLeft);
    const facts = known ?? (await readLayer(request, layer, catalogers, { ...limits, unpackedBytesPerLayer }));
    unpackedLeft -= facts.unpackedBytes;
    if (unpackedLeft < 0) throw imageBomb(limits);
    if (!known) await request.cache?.set(layer.digest, facts);
    seen.set(layer.digest, facts);
    tree.apply(place, facts);
    gaps.push(...facts.gaps);
    report(known ? 'remembered' : 'read');
  }
  return listPackages(
    tree.facts(),
    layers.map(({ digest }) => digest),
    gaps,
  );
}

function whyNotReadable({ digest, mediaType }: Descriptor): string | undefined {
  switch (layerKind(mediaType)) {
    case 'tar':
      return undefined;
    case 'foreign':
      return `layer ${digest} is not distributed by the registry (${mediaType})`;
    case 'other':
      return `layer ${digest} is no file system layer (${mediaType.slice(0, 200)})`;
  }
}

async function remembered(
  cache: LayerFactsCache | undefined,
  digest: Digest,
  version: string,
): Promise<LayerFacts | undefined> {
  const facts = await cache?.get(digest);
  return facts?.version === version ? facts : undefined;
}

async function readLayer(
  request: InventoryRequest,
  layer: Descriptor,
  catalogers: readonly Cataloger[],
  limits: WalkLimits,
): Promise<LayerFacts> {
  const open = () => request.source.blob(request.repository, layer, request.signal);
  const collector = createFactCollector(catalogers, limits);
  try {
    const walked = await walkLayer(await open(), layer.mediaType, collector.visitor, limits, request.signal);
    const links = collector.linkVisitor();
    if (links) await walkLayer(await open(), layer.mediaType, links, limits, request.signal);
    return collector.facts(factsVersion(catalogers), walked.unpackedBytes);
  } catch (error) {
    throw naming(layer.digest, error);
  }
}

/** The walk knows bytes, not names: the reader of the message wants to know which of the layers is meant. */
function naming(digest: Digest, error: unknown): unknown {
  if (!(error instanceof AppError) || !['layer-corrupt', 'layer-bomb'].includes(error.code)) return error;
  if (error.message.includes(digest)) return error;
  const { code, message, mend } = error;
  return new AppError(code, `layer ${digest}: ${message}`, { cause: error, ...(mend === undefined ? {} : { mend }) });
}

function imageBomb(limits: WalkLimits): AppError {
  return new AppError('layer-bomb', `the image holds more than ${limits.unpackedBytesPerImage} bytes when unpacked`, {
    mend: 'raise the limits of the layer walk if this image is meant to be so',
  });
}
