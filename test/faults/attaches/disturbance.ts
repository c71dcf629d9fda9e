import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerProcess, WorkerSetup } from '../../support/worker-setup.ts';
import { type AttachSize, shuffled } from './size.ts';

/** Longer than the lease of an evidence location, and than a job belongs to a worker that says nothing. */
const PAST_LEASE_MS = 12_000;
const SHORT_STOP_MS = 2000;
const LOOK_MS = 20;

export interface Disturbed {
  readonly kills: number;
  readonly stops: number;
  readonly stopsPastLease: number;
}

type Mischief = 'kill' | 'stop' | 'stop-long';

/**
 * Workers in processes of their own, killed with -9 and stopped at moments that go with the progress of the work, and
 * replaced: there are always as many.
 */
export async function disturb(
  workers: WorkerSetup,
  size: AttachSize,
  progress: () => number,
  random: () => number,
  signal: AbortSignal,
): Promise<Disturbed> {
  const running = await Promise.all(Array.from({ length: size.workers }, () => workers.spawn()));
  const pending: Promise<void>[] = [];
  const stopped = new Set<WorkerProcess>();
  const done = { kill: 0, stop: 0, 'stop-long': 0 };
  for (const { when, what } of scheduleOf(size, random)) {
    while (progress() < when) await sleep(LOOK_MS, undefined, { signal });
    const awake = running.filter((worker) => !stopped.has(worker));
    const victim = awake[Math.floor(random() * awake.length)];
    if (!victim) continue;
    done[what] += 1;
    const ms = what === 'stop' ? 50 + random() * SHORT_STOP_MS : PAST_LEASE_MS;
    pending.push(what === 'kill' ? replace(victim) : standStill(victim, ms));
  }
  await Promise.all(pending);
  return { kills: done.kill, stops: done.stop, stopsPastLease: done['stop-long'] };

  async function replace(victim: WorkerProcess): Promise<void> {
    running.splice(running.indexOf(victim), 1);
    victim.signal('SIGKILL');
    await victim.ended;
    running.push(await workers.spawn());
  }

  async function standStill(victim: WorkerProcess, ms: number): Promise<void> {
    stopped.add(victim);
    victim.signal('SIGSTOP');
    await sleep(ms);
    victim.signal('SIGCONT');
    stopped.delete(victim);
  }
}

/** What is done to workers, and after which part of the work. */
function scheduleOf({ kills, stops, longStops }: AttachSize, random: () => number) {
  const many = (what: Mischief, times: number) => Array.from({ length: times }, () => what);
  return shuffled([...many('kill', kills), ...many('stop', stops), ...many('stop-long', longStops)], random)
    .map((what) => ({ what, when: random() * 0.95 }))
    .sort((a, b) => a.when - b.when);
}
