import type { Capabilities } from '#oci/capabilities.ts';

/** One thing learnt of a registry, as plain data that can be kept elsewhere. */
export interface LearntCapability {
  /** The registry's configured name. */
  readonly registry: string;
  /** Absent for what holds of the whole registry. */
  readonly repository?: string;
  readonly what: CapabilityName;
  readonly holds: boolean;
  /** ISO 8601. */
  readonly at: string;
}

export const CAPABILITY_NAMES = ['referrers-api', 'deletes', 'immutable-tags', 'quota-exceeded'] as const;
export type CapabilityName = (typeof CAPABILITY_NAMES)[number];

/** What registries were seen to do, forgotten after a while: they are upgraded and configured anew. */
export interface CapabilityMemo {
  learn(registry: string, repository: string, what: CapabilityName, holds: boolean): void;
  known(registry: string, repository: string): Capabilities;
  /** All that still holds, oldest first. */
  export(): readonly LearntCapability[];
  /** Takes in what another process learnt, where it is newer; entries that are not of this form are left out. */
  restore(learnt: readonly unknown[]): void;
}

export interface CapabilityMemoOptions {
  readonly now: () => Date;
  /** Told of each thing that is new or has changed. */
  readonly onLearnt?: (learnt: LearntCapability) => void;
}

/** Rules for immutable tags and room differ from repository to repository; the rest is the software's. */
const OF_REPOSITORY: readonly CapabilityName[] = ['immutable-tags', 'quota-exceeded'];

const MINUTE = 60_000;
/** Milliseconds for which something learnt is believed. Room is made at any time; software changes rarely. */
const BELIEVED_MS: Readonly<Record<CapabilityName, number>> = {
  'referrers-api': 60 * MINUTE,
  deletes: 60 * MINUTE,
  'immutable-tags': 60 * MINUTE,
  'quota-exceeded': 5 * MINUTE,
};
const MAX_ENTRIES = 10_000;

export function createCapabilityMemo({ now, onLearnt }: CapabilityMemoOptions): CapabilityMemo {
  const entries = new Map<string, LearntCapability>();

  function put(learnt: LearntCapability): void {
    const key = keyOf(learnt);
    // Newest last, so that the oldest is the first to go.
    entries.delete(key);
    entries.set(key, learnt);
    if (entries.size <= MAX_ENTRIES) return;
    const [oldest] = entries.keys();
    if (oldest !== undefined) entries.delete(oldest);
  }

  function believed({ what, at }: LearntCapability): boolean {
    return now().getTime() - Date.parse(at) < BELIEVED_MS[what];
  }

  function holds(registry: string, repository: string, what: CapabilityName): boolean | undefined {
    const entry = entries.get(keyOf(scoped(registry, repository, what)));
    return entry && believed(entry) ? entry.holds : undefined;
  }

  return {
    learn(registry, repository, what, value) {
      const changed = holds(registry, repository, what) !== value;
      const learnt = { ...scoped(registry, repository, what), holds: value, at: now().toISOString() };
      put(learnt);
      if (changed) onLearnt?.(learnt);
    },
    known(registry, repository) {
      const api = holds(registry, repository, 'referrers-api');
      const deletes = holds(registry, repository, 'deletes');
      const immutableTags = holds(registry, repository, 'immutable-tags');
      const quotaExceeded = holds(registry, repository, 'quota-exceeded');
      return {
        ...(api === undefined ? {} : { referrers: api ? ('api' as const) : ('tag' as const) }),
        ...(immutableTags === undefined ? {} : { immutableTags }),
        ...(quotaExceeded === undefined ? {} : { quotaExceeded }),
        ...(deletes === undefined ? {} : { deletes }),
      };
    },
    export: () => [...entries.values()].filter(believed),
    restore(learnt) {
      for (const entry of learnt) {
        if (!isLearnt(entry) || !believed(entry)) continue;
        const mine = entries.get(keyOf(entry));
        if (mine === undefined || mine.at < entry.at) put(entry);
      }
    },
  };
}

function scoped(registry: string, repository: string, what: CapabilityName) {
  return { registry, what, ...(OF_REPOSITORY.includes(what) ? { repository } : {}) };
}

function keyOf({ registry, repository, what }: Pick<LearntCapability, 'registry' | 'repository' | 'what'>): string {
  return `${what} ${registry}/${repository ?? ''}`;
}

function isLearnt(value: unknown): value is LearntCapability {
  if (typeof value !== 'object' || value === null) return false;
  const { registry, repository, what, holds, at } = value as Record<string, unknown>;
  return (
    typeof registry === 'string' &&
    (repository === undefined || typeof repository === 'string') &&
    CAPABILITY_NAMES.some((name) => name === what) &&
    typeof holds === 'boolean' &&
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at))
  );
}
