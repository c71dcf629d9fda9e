import type { Pace } from '#copy/pace.ts';
import type { Persist } from '#copy/persist.ts';
import type { BlobCarrier } from '#copy/transfer.ts';
import type { EvidenceLock, OwnPushes } from '#model/ports.ts';

/** What copying needs of the outside. */
export interface CopyPorts {
  /** Shared with the workers of an installation, or this process alone. */
  readonly lock: EvidenceLock;
  readonly ownPushes: OwnPushes;
  readonly carrier: BlobCarrier;
  readonly persist: Persist;
  readonly pace: Pace;
}
