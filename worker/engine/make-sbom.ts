import { type Digest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { PlatformImage, Subject } from '#model/subject.ts';
import type { Fetcher } from '#oci/target.ts';
import type { BomInput } from '#sbom/cyclonedx.ts';
import { MAX_OCCURRENCES } from '#sbom/cyclonedx-component.ts';
import { type Inventory, refuseSilentZero } from '#sbom/inventory.ts';
import type { LayerFactsCache } from '#sbom/layer-facts-cache.ts';
import type { WalkLimits } from '#sbom/limits.ts';
import { type LayerProgress, takeInventory } from '#sbom/take-inventory.ts';

export interface InventoryTaker {
  /** The inventory of one platform image; taken once. */
  take(platform: PlatformImage): Promise<Inventory>;
}

export interface InventoryParts {
  readonly source: Pick<Fetcher, 'blob'>;
  readonly repository: string;
  readonly cache: LayerFactsCache;
  readonly limits: WalkLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LayerProgress) => void) | undefined;
  readonly onTaken?: ((platform: Digest, packages: number, gaps: readonly string[]) => void) | undefined;
}

/** Takes inventories of platform images, each once however many statements need it. */
export function createInventoryTaker(parts: InventoryParts): InventoryTaker {
  const taken = new Map<Digest, Promise<Inventory>>();
  let size = 0;

  async function take(platform: PlatformImage): Promise<Inventory> {
    const { source, repository, cache, limits, signal, onProgress, onTaken } = parts;
    const inventory = await takeInventory({
      source,
      repository,
      layers: platform.layers,
      cache,
      limits,
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress } : {}),
    });
    refuseSilentZero(inventory);
    // All inventories are held until the statement about the index is made of them.
    size += statedSize(inventory);
    if (size > MAX_STATED_BYTES) throw tooMuch();
    onTaken?.(platform.descriptor.digest, inventory.packages.length, inventory.gaps);
    return inventory;
  }

  return {
    take: (platform) => {
      const { digest } = platform.descriptor;
      const known = taken.get(digest);
      if (known) return known;
      const made = take(platform);
      taken.set(digest, made);
      return made;
    },
  };
}

/**
 * About what an SBOM may take before no reader takes its envelope (128 MiB, in which it stands in base64). Far more than
 * any image holds, and little to send: a layer of a few hundred KiB can name half a million packages.
 */
const MAX_STATED_BYTES = 80 * 1024 * 1024;
/** What a package takes in an SBOM beside its own texts. */
const PACKAGE_BYTES = 400;

function statedSize({ packages }: Inventory): number {
  return packages.reduce((sum, { purl, paths, licenses }) => {
    const places = paths.slice(0, MAX_OCCURRENCES);
    return sum + PACKAGE_BYTES + 3 * purl.length + [...places, ...licenses].reduce((all, text) => all + text.length, 0);
  }, 0);
}

function tooMuch(): AppError {
  const message = 'the image holds more packages than an SBOM that readers accept can list';
  return new AppError('too-large', message, {
    mend: 'split the image, or leave the SBOM out of the rule; cosign reads attestations of up to 128 MiB',
  });
}

/** What an SBOM of a subject is made of: of an image its packages, of an index its platforms with theirs. */
export async function bomInput(
  subject: Subject,
  predicateType: string,
  inventories: InventoryTaker,
): Promise<BomInput> {
  const platforms = [];
  for (const each of subject.platforms) {
    const { descriptor, config } = each;
    // A statement about one image is a function of that image: what an index says of it is told by the index alone.
    const platform = config.platform ?? (subject.kind === 'index' ? descriptor.platform : undefined);
    platforms.push({
      digest: descriptor.digest,
      ...(platform ? { platform } : {}),
      ...(config.created === undefined ? {} : { created: config.created }),
      inventory: await inventories.take(each),
    });
  }
  return {
    repository: subject.image,
    digest: subject.descriptor.digest,
    kind: subject.kind,
    platforms,
    // What of the configuration decides these bytes.
    configurationDigest: sha256(JSON.stringify({ predicateType })),
  };
}
