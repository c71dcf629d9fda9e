import type { ProcessParts } from '#compose/process-parts.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import { observerBuilderId } from '#predicates/observer.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createEvidenceLock } from '#redis/evidence-lock.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { createSeenDigests } from '#redis/seen-digests.ts';
import { createWrittenEvidence } from '#redis/written-evidence.ts';
import { createMemoryLayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';

/** Milliseconds after which a writer that says nothing has lost its evidence location. */
const LEASE_MS = 10_000;
const LAYER_FACTS_CHARS = 128 * 1024 * 1024;

/** The engine of a worker: its locks and records are in Redis, shared by all workers. */
export function createWorkerEngine(
  parts: ProcessParts,
  store: RedisConnection,
  { registries, revocation }: Pick<EnginePorts, 'registries' | 'revocation'>,
): EnginePorts {
  const { prefix } = parts.config.redis;
  return {
    registries,
    lock: createEvidenceLock(store.client, { prefix, leaseMs: LEASE_MS }),
    ownPushes: createOwnPushes(store.client, { prefix }),
    written: createWrittenEvidence(store.client, { prefix }),
    seen: createSeenDigests(store.client, { prefix }),
    layerFacts: createMemoryLayerFactsCache(LAYER_FACTS_CHARS),
    walkLimits: { ...DEFAULT_WALK_LIMITS, ...parts.config.sbom.limits },
    builderId: observerBuilderId(parts.config.instance.builderId),
    ...(revocation ? { revocation } : {}),
    now: parts.now,
  };
}
