import type { RotationPlan } from '#cli/certificate/rotation-plan.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { chooseRule, type Rule } from '#model/rule.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { scanWrittenEvidence } from '#redis/written-evidence.ts';

type Redis = RedisConnection['client'];

const PAGE = 1000;

/** What is on record as signed by this certificate or key. */
export async function recordedEvidence(
  redis: Redis,
  prefix: string,
  fingerprint: string,
): Promise<RotationPlan['evidence']> {
  const byRule = new Map<string, number>();
  let locations = 0;
  for await (const written of scanWrittenEvidence(redis, { prefix })) {
    const own = written.filter(({ signer, superseded }) => signer === fingerprint && superseded !== true);
    if (own.length > 0) locations += 1;
    for (const { rule } of own) byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
  }
  const pieces = [...byRule.values()].reduce((sum, each) => sum + each, 0);
  return { pieces, locations, byRule: Object.fromEntries([...byRule].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/**
 * Known images that rules with these names may hold for; at most `most` of them by name. Tags are left out of account:
 * an image is known by its digest, and may have several.
 */
export async function ruledImages(
  redis: Redis,
  prefix: string,
  rules: readonly Rule[],
  names: ReadonlySet<string>,
  most: number,
): Promise<RotationPlan['images']> {
  const ledger = createRedisLedger(redis, { prefix });
  const wanted = rules.filter(({ name }) => names.has(name)).map(withoutTag);
  const listed: string[] = [];
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await ledger.images(cursor, PAGE);
    cursor = page.cursor;
    for (const image of page.images) {
      if (!chooseRule(wanted, parseImageRef(image)).rule) continue;
      count += 1;
      if (listed.length < most) listed.push(image);
    }
  } while (cursor !== undefined);
  return { count, listed };
}

function withoutTag({ match: { tag: _tag, ...match }, ...rule }: Rule): Rule {
  return { ...rule, match };
}
