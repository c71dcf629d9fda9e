import type { CommandIo } from '#cli/command.ts';
import { noOwnPushes, processLock, processWrittenStore } from '#cli/local-engine.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import type { Registries } from '#oci/target.ts';
import { DEFAULT_BUILDER_ID } from '#predicates/observer.ts';
import { createMemoryLayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';

/** Characters of JSON; the facts of a layer are some twenty thousand. */
export const LAYER_FACTS_CHARS = 64 * 1024 * 1024;

/** The engine's ports for one run of a command, without Redis. */
export function attestPorts(registries: Registries, io: Pick<CommandIo, 'now'>): EnginePorts {
  return {
    registries,
    lock: processLock(),
    ownPushes: noOwnPushes,
    written: processWrittenStore(),
    layerFacts: createMemoryLayerFactsCache(LAYER_FACTS_CHARS),
    walkLimits: DEFAULT_WALK_LIMITS,
    builderId: DEFAULT_BUILDER_ID,
    now: io.now,
  };
}
