import type { Dispatch } from '#compose/dispatch.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import type { Sweeper } from '#compose/sweeps.ts';
import type { EventContext } from '#events/cloud-event.ts';
import { sweepFailing, sweepRecovered } from '#events/sweep-events.ts';
import { type AppError, toAppError } from '#model/errors.ts';
import type { SweepMemory, SweepStop } from '#model/sweep.ts';
import type { SweepReport } from '#reconcile/sweep.ts';
import { isNews, stopAfter } from '#reconcile/sweep-stop.ts';

export interface DueSweepsParts extends Pick<ProcessParts, 'config' | 'now'> {
  readonly sweeper: Sweeper;
  readonly memory: Pick<SweepMemory, 'lastBegun' | 'stopped' | 'noteStop'>;
  /** Told how the sweep of one registry ended. */
  onEnd(registry: string, end: SweepReport | { readonly error: AppError; readonly stop: SweepStop }): void;
  dispatch: Dispatch;
  context(): EventContext;
}

/** What this answers sweeps, when called, the registries whose last sweep began longer ago than they are to be swept. */
export function createDueSweeps(parts: DueSweepsParts): (signal: AbortSignal) => Promise<void> {
  const { config, sweeper, memory, now } = parts;

  async function tellOver(registry: string, { told, since }: SweepStop): Promise<void> {
    // Told before it is forgotten: a worker that dies in between tells it again, and the event is the same.
    if (told) await parts.dispatch(sweepRecovered({ registry, since }, parts.context()));
    await memory.noteStop(registry, undefined);
  }

  async function noteStop(registry: string, error: AppError, cameFurther: boolean): Promise<void> {
    const stop = stopAfter(await memory.stopped(registry), error, { at: now(), cameFurther });
    await memory.noteStop(registry, stop);
    parts.onEnd(registry, { error, stop });
    if (!isNews(stop, error)) return;
    await parts.dispatch(sweepFailing({ registry, stop, error }, parts.context()));
    await memory.noteStop(registry, { ...stop, told: true });
  }

  async function isDue(registry: string, every: number): Promise<boolean> {
    const at = now().getTime();
    const stop = await memory.stopped(registry);
    if (stop?.over) await tellOver(registry, stop);
    else if (stop && at < stop.retryAt.getTime()) return false;
    const last = await memory.lastBegun(registry);
    return last === undefined || at - last.getTime() >= every;
  }

  return async (signal) => {
    for (const { name, sweep: settings } of config.registries) {
      if (settings === undefined || signal.aborted || !(await isDue(name, settings.every))) continue;
      let repositories = 0;
      const progress = (report: SweepReport) => {
        ({ repositories } = report);
      };
      try {
        const end = await sweeper.sweep(name, settings, { dryRun: false, signal, progress });
        if (end === 'held') continue;
        parts.onEnd(name, end);
        const stop = await memory.stopped(name);
        if (stop?.over) await tellOver(name, stop);
      } catch (error) {
        // What stops the sweep of one registry is no reason to leave the others; being stopped ourselves is no failure.
        if (!signal.aborted) await noteStop(name, toAppError(error), repositories > 0);
      }
    }
  };
}
