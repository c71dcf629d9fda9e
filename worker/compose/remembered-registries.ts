import type { ProcessParts } from '#compose/process-parts.ts';
import { type CapabilityMemo, createCapabilityMemo } from '#oci/capability-memo.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createLearntFacts } from '#redis/learnt-facts.ts';

/** What is known of registries: by this worker, by the others, and by those before it. */
export async function rememberedRegistries(
  { config, now, log }: Pick<ProcessParts, 'config' | 'now' | 'log'>,
  store: RedisConnection,
): Promise<CapabilityMemo> {
  const kept = createLearntFacts(store.client, { prefix: config.redis.prefix });
  const memo = createCapabilityMemo({
    now,
    onLearnt: (learnt) => {
      log.info(learnt, 'learnt of a registry');
      // What is not noted is asked again by others: no reason to fail.
      kept.note(learnt).catch((error: unknown) => log.warn({ err: error }, 'what was learnt is not noted'));
    },
  });
  memo.restore(await kept.list());
  return memo;
}
