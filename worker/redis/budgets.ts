import type { Redis } from 'ioredis';
import type { Lane } from '#model/job.ts';
import { type BudgetKeys, createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';
import { RESERVE_TURN } from '#redis/scripts/reserve-turn.ts';
import { TAKE_SLOTS } from '#redis/scripts/take-slots.ts';

/** Whose budget: all workers together keep to it. */
export type BudgetOf = { readonly registry: string } | { readonly source: string };

export interface SlotRequest {
  readonly of: BudgetOf;
  readonly lane: Lane;
  /** Names the running job, in all workers. */
  readonly token: string;
  /** Jobs at a time of all lanes. */
  readonly most: number;
  /** Of these, jobs of this lane. */
  readonly mostOfLane: number;
}

/** Budgets of registries and sources, shared by all workers. */
export interface Budgets {
  /**
   * A place among the jobs that may run at a time, or undefined when all are taken. It is kept until it is disposed of;
   * that of a worker that died is free again within half a minute.
   */
  slot(request: SlotRequest): Promise<AsyncDisposable | undefined>;
  /** Milliseconds to wait before one more request, at so many a second; `lane`: those of this lane alone. */
  turn(of: BudgetOf, lane: Lane | 'all', perSecond: number): Promise<number>;
}

const LEASE_MS = 30_000;
const RENEW_MS = 10_000;

export function createBudgets(redis: Redis, { prefix }: { readonly prefix: string }): Budgets {
  const keys = createKeys(prefix);
  const keysOf = (of: BudgetOf): Omit<BudgetKeys, 'breaker'> =>
    'registry' in of ? keys.budget(of.registry) : keys.sourceBudget(of.source);

  return {
    async slot({ of, lane, token, most, mostOfLane }) {
      const { slots } = keysOf(of);
      const sets = [slots('all'), slots(lane)];
      const take = () => runScript(redis, TAKE_SLOTS, sets, [token, LEASE_MS, most, mostOfLane]);
      if ((await take()) !== 1) return undefined;
      // A renewal that fails costs the place at worst, never the job.
      const timer = setInterval(() => void take().catch(() => undefined), RENEW_MS);
      timer.unref();
      return {
        async [Symbol.asyncDispose]() {
          clearInterval(timer);
          const freed = Promise.all(sets.map((set) => redis.zrem(set, token)));
          // Without Redis the place runs out by itself.
          await redisCall('free slot', freed).catch(() => undefined);
        },
      };
    },
    async turn(of, lane, perSecond) {
      const apart = Math.max(Math.round(1_000_000 / perSecond), 1);
      const burst = Math.max(Math.ceil(perSecond), 1);
      return Number(await runScript(redis, RESERVE_TURN, [keysOf(of).rate(lane)], [apart, burst]));
    },
  };
}
