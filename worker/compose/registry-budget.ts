import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPushPrecedence } from '#compose/push-precedence.ts';
import type { BudgetLimits } from '#model/budget.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import type { ImageJob } from '#model/job.ts';
import type { CallEnd } from '#oci/call-end.ts';
import type { ImageLane } from '#queue/payload.ts';
import type { Budgets } from '#redis/budgets.ts';
import type { HostPause } from '#redis/host-pause.ts';
import type { GateRefusal, RegistryGate } from '#redis/registry-gate.ts';

/** What one job asked of registries. */
export interface JobCalls {
  readonly requests: number;
  readonly sentBytes: number;
}

export interface AdmittedJob {
  readonly lane: ImageLane;
  readonly job: ImageJob;
  /** Names this run in all workers. */
  readonly token: string;
  /** The registry's configured name. */
  readonly registry: string;
}

export type HeldBack = 'paused' | 'resting' | 'registry' | 'source';

export interface RegistryBudgetParts {
  readonly gate: RegistryGate;
  readonly pause: HostPause;
  readonly budgets: Budgets;
  ofRegistry(registry: string): BudgetLimits;
  ofSource(source: string): BudgetLimits;
  /** Percent of a registry's budget for lanes other than that of pushes. */
  readonly shares: Readonly<Record<Exclude<ImageLane, 'push'>, number>>;
  now(): Date;
  onOpened(registry: string, opened: { readonly since: Date; readonly restMs: number }): Promise<void>;
  onClosed(registry: string, since: Date): Promise<void>;
  onHeldBack?(registry: string, why: HeldBack): void;
}

/** Keeps all that this worker asks of registries within what all workers together may. */
export interface RegistryBudget {
  /**
   * Before each call.
   * @param host that is asked in the registry's place (the API of its provider): it has a pause and a breaker of its
   *   own, so that what is wrong there holds back no job; the budget and the pause of the registry hold for it too.
   * @throws AppError `registry-resting`.
   */
  turn(registry: string, signal?: AbortSignal, host?: string): Promise<void>;
  /** After each call, of the registry or of the host that was asked in its place. */
  told(registryOrHost: string, end: CallEnd): Promise<void>;
  /**
   * Runs a job in its place among those of its registry and its source.
   * @throws AppError `registry-resting`, `over-budget` before it began, and what the work throws.
   */
  run<Result>(admitted: AdmittedJob, work: (calls: JobCalls) => Promise<Result>): Promise<Result>;
  /** Runs work that is no job, at the pace of a lane's jobs and beside them. */
  pace<Result>(lane: ImageLane, source: string, work: () => Promise<Result>): Promise<Result>;
}

/** When a registry says 429 without a time. */
const DEFAULT_PAUSE_MS = 5000;
const TRY_AGAIN_MS = 1000;

/** What a registry that is down, or asks for time, makes of a job. */
const OF_REGISTRY: readonly ErrorCode[] = ['registry-unavailable', 'registry-throttled', 'network', 'timeout'];

const NO_LIMITS: BudgetLimits = { jobs: 0, requestsPerSecond: 0 };

interface Running {
  readonly lane: ImageLane;
  readonly source: string;
  requests: number;
  sentBytes: number;
  /** Failures in a row of the registries that it calls, as last heard. */
  readonly failures: Map<string, number>;
}

export function createRegistryBudget(parts: RegistryBudgetParts): RegistryBudget {
  const { gate, pause, budgets, ofRegistry, ofSource, shares, now } = parts;
  const running = new AsyncLocalStorage<Running>();
  const precedence = createPushPrecedence();

  function held(registry: string, { why, waitMs }: GateRefusal, cause?: unknown): AppError {
    parts.onHeldBack?.(registry, why);
    const because = why === 'paused' ? 'asked to be left alone' : 'failed again and again and is left alone';
    const text = `${registry} ${because}, for ${Math.ceil(waitMs / 1000)} s more`;
    return new AppError('registry-resting', text, { retryAfterMs: waitMs, cause });
  }

  async function paced(registry: string, { lane, source }: Running, signal: AbortSignal | undefined): Promise<void> {
    const { requestsPerSecond: ours } = ofRegistry(registry);
    const { requestsPerSecond: theirs } = ofSource(source);
    const wait = async (ms: Promise<number>) => {
      const until = await ms;
      if (until > 0) await sleep(until, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
    };
    if (lane === 'push' && theirs > 0) await wait(budgets.turn({ source }, 'all', theirs));
    if (ours === 0) return;
    // Its own row first: of the row that pushes wait in too, other work never reserves more than its share.
    if (lane !== 'push') await wait(budgets.turn({ registry }, lane, (ours * shares[lane]) / 100));
    await wait(budgets.turn({ registry }, 'all', ours));
  }

  async function turn(registry: string, signal?: AbortSignal, host = registry): Promise<void> {
    const job = running.getStore();
    if (job && job.lane !== 'push') await precedence.stepBack(signal);
    if (job) await paced(registry, job, signal);
    if (host !== registry) {
      const { refusal } = await gate.look(registry);
      if (refusal) throw held(registry, refusal);
    }
    const { refusal, failures } = await gate.admit(host);
    if (refusal) throw held(host, refusal);
    job?.failures.set(host, failures);
    if (job) job.requests += 1;
  }

  async function told(registry: string, { outcome, retryAfterMs, sentBytes }: CallEnd): Promise<void> {
    const job = running.getStore();
    if (job) job.sentBytes += sentBytes;
    if (retryAfterMs !== undefined || outcome === 'throttled') {
      await pause.pauseUntil(registry, new Date(now().getTime() + (retryAfterMs ?? DEFAULT_PAUSE_MS)));
    }
    if (outcome === 'failed') {
      job?.failures.set(registry, 1);
      const opened = await gate.failed(registry);
      if (opened) await parts.onOpened(registry, opened);
    } else if (outcome !== 'canceled' && (job?.failures.get(registry) ?? 1) > 0) {
      job?.failures.set(registry, 0);
      const since = await gate.answered(registry);
      if (since) await parts.onClosed(registry, since);
    }
  }

  async function slotOf(
    of: { readonly registry: string } | { readonly source: string },
    { jobs }: BudgetLimits,
    { lane, token, registry }: AdmittedJob,
    share: number,
  ): Promise<AsyncDisposable | undefined> {
    if (jobs === 0) return undefined;
    const mostOfLane = Math.max(Math.floor((jobs * share) / 100), 1);
    const slot = await budgets.slot({ of, lane, token, most: jobs, mostOfLane });
    if (slot) return slot;
    const why = 'registry' in of ? 'registry' : 'source';
    parts.onHeldBack?.(registry, why);
    const name = 'registry' in of ? of.registry : of.source;
    throw new AppError('over-budget', `${why} ${name} has all the jobs at a time that it may have`);
  }

  /** A job is not to blame for a registry that is down: where that is known by now, it is put off like the others. */
  async function blamed(registry: string, error: unknown): Promise<unknown> {
    if (!(error instanceof AppError && OF_REGISTRY.includes(error.code))) return error;
    const { refusal } = await gate.look(registry);
    if (refusal) return held(registry, refusal, error);
    // Its rest is over, and it is not known to answer.
    const open = (await gate.state(registry)) !== 'closed';
    return open ? held(registry, { why: 'resting', waitMs: TRY_AGAIN_MS }, error) : error;
  }

  async function run<Result>(admitted: AdmittedJob, work: (calls: JobCalls) => Promise<Result>): Promise<Result> {
    const { lane, job, registry } = admitted;
    const { refusal } = await gate.look(registry);
    if (refusal) throw held(registry, refusal);
    const share = lane === 'push' ? 100 : shares[lane];
    await using _place = await slotOf({ registry }, ofRegistry(registry), admitted, share);
    const ofItsSource = lane === 'push' ? ofSource(job.source) : NO_LIMITS;
    await using _ofSource = await slotOf({ source: job.source }, ofItsSource, admitted, 100);
    const calls = begin(lane, job.source);
    using _first = lane === 'push' ? precedence.begin() : undefined;
    try {
      // Awaited here: places are kept until the work is done.
      return await running.run(calls, () => work(calls));
    } catch (error) {
      throw await blamed(registry, error);
    }
  }

  const pace: RegistryBudget['pace'] = (lane, source, work) => running.run(begin(lane, source), work);

  return { turn, told, run, pace };
}

function begin(lane: ImageLane, source: string): Running {
  return { lane, source, requests: 0, sentBytes: 0, failures: new Map() };
}
