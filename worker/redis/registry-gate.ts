import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';
import { ADMIT_CALL } from '#redis/scripts/admit-call.ts';
import { CALL_ANSWERED } from '#redis/scripts/call-answered.ts';
import { CALL_FAILED } from '#redis/scripts/call-failed.ts';

/** Why a registry is not to be called now. */
export interface GateRefusal {
  /** `paused`: it asked for it (`Retry-After`); `resting`: it failed again and again. */
  readonly why: 'paused' | 'resting';
  /** Milliseconds until it is worth asking again. */
  readonly waitMs: number;
}

export interface GateAnswer {
  readonly refusal?: GateRefusal;
  /** Failures in a row that are known of; an answer is worth telling when there are any. */
  readonly failures: number;
}

export type BreakerState = 'closed' | 'half-open' | 'open';

/** The circuit breaker of each registry, one for all workers, and the pause that it asked for. */
export interface RegistryGate {
  /** Whether a job may begin. */
  look(registry: string): Promise<GateAnswer>;
  /** Whether a call may be made. After a rest one call alone tries whether the registry is back. */
  admit(registry: string): Promise<GateAnswer>;
  /** A call got no answer, or one of 5xx. Answers the moment when this opened the breaker, and for how long it rests. */
  failed(registry: string): Promise<{ readonly since: Date; readonly restMs: number } | undefined>;
  /** A call was answered. Answers since when the breaker was open, when this closed it. */
  answered(registry: string): Promise<Date | undefined>;
  state(registry: string): Promise<BreakerState>;
}

export interface RegistryGateOptions {
  readonly prefix: string;
  /** Failures in a row that open a breaker. */
  readonly failures: number;
  /** Milliseconds of the first rest; it doubles up to the longest. */
  readonly restMs: number;
  readonly longestRestMs: number;
}

/** Longer than a call takes to be answered or given up, but for the longest uploads. */
const PROBE_MS = 30_000;

export function createRegistryGate(redis: Redis, options: RegistryGateOptions): RegistryGate {
  const { failures, restMs, longestRestMs } = options;
  const keys = createKeys(options.prefix);

  async function ask(registry: string, probeMs: number): Promise<GateAnswer> {
    const at = [keys.hostPause(registry), keys.budget(registry).breaker];
    const [code = 0, waitMs = 0, known = 0] = (await runScript(redis, ADMIT_CALL, at, [probeMs])) as number[];
    if (code === 0) return { failures: known };
    return { refusal: { why: code === 1 ? 'paused' : 'resting', waitMs }, failures: known };
  }

  return {
    look: (registry) => ask(registry, 0),
    admit: (registry) => ask(registry, PROBE_MS),
    async failed(registry) {
      const at = [keys.budget(registry).breaker];
      const limits = [failures, restMs, longestRestMs];
      const [opened = 0, rest = 0, since = 0] = (await runScript(redis, CALL_FAILED, at, limits)) as number[];
      return opened === 1 ? { since: new Date(since), restMs: rest } : undefined;
    },
    async answered(registry) {
      const since = Number(await runScript(redis, CALL_ANSWERED, [keys.budget(registry).breaker], []));
      return since > 0 ? new Date(since) : undefined;
    },
    async state(registry) {
      const until = await redisCall('look at breaker', redis.hget(keys.budget(registry).breaker, 'until'));
      if (until === null) return 'closed';
      return (await ask(registry, 0)).refusal?.why === 'resting' ? 'open' : 'half-open';
    },
  };
}
