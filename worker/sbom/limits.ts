/** Ceilings of the layer walk. Layers are written by whoever may push; every one of these was chosen by an attack. */
export interface WalkLimits {
  /** Bytes of tar that one layer may unpack to. */
  readonly unpackedBytesPerLayer: number;
  /** Bytes of tar that all layers of one image may unpack to. */
  readonly unpackedBytesPerImage: number;
  /** Unpacked over compressed bytes; judged only beyond `ratioFloorBytes`. */
  readonly ratio: number;
  readonly ratioFloorBytes: number;
  /** Headers in one layer, the extended ones included. */
  readonly entries: number;
  readonly pathBytes: number;
  /** Folders above an entry. */
  readonly depth: number;
  /** The largest file whose content is read; a larger one is a gap in the inventory, not a failure. */
  readonly capturedFileBytes: number;
  /** Bytes of files that wait for their companions until the layer's end. */
  readonly heldBytes: number;
  /** Characters of JSON that the facts of one layer may take. */
  readonly factsChars: number;
  /** Files with facts in one image. */
  readonly filesPerImage: number;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export const DEFAULT_WALK_LIMITS: WalkLimits = {
  // The largest public images (accelerator toolkits) have layers of about 10 GiB.
  unpackedBytesPerLayer: 32 * GIB,
  unpackedBytesPerImage: 64 * GIB,
  // Real layers stay below 10. Deflate reaches 1030 on zeros, zstd far more.
  ratio: 200,
  // A sparse database file of zeros in a small layer is no attack.
  ratioFloorBytes: 512 * MIB,
  entries: 2_000_000,
  // PATH_MAX of Linux: no container runtime could create a longer one.
  pathBytes: 4096,
  depth: 256,
  capturedFileBytes: 64 * MIB,
  heldBytes: 128 * MIB,
  // A hundred thousand packages; the largest real layers have some tens of thousands.
  factsChars: 24 * MIB,
  filesPerImage: 500_000,
};
