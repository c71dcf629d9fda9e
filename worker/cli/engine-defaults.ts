import type { EnginePorts } from '#engine/engine-ports.ts';
import { DEFAULT_BUILDER_ID } from '#predicates/provenance.ts';
import { createLayerFactsMemory } from '#sbom/layer-facts-memory.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';

/** The engine's ports with what a command line takes as given. */
export function createEnginePorts(
  ports: Pick<EnginePorts, 'registries' | 'lock' | 'ownPushes' | 'written' | 'now'>,
): EnginePorts {
  return {
    ...ports,
    layerFacts: createLayerFactsMemory(),
    walkLimits: DEFAULT_WALK_LIMITS,
    builderId: DEFAULT_BUILDER_ID,
  };
}
