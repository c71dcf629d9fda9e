import { setTimeout as sleep } from 'node:timers/promises';
import type { AttachGround } from './ground.ts';

const LOOK_MS = 100;
/** Nothing that is alive changes nothing for so long. */
const STUCK_MS = 90_000;

/** Waits until no lane has a job that waits, runs or is put off; rejects when the work does not go on. */
export async function untilStill(ground: AttachGround, signal?: AbortSignal): Promise<void> {
  let seen = '';
  let since = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const counts = await ground.workers.queues.counts();
    if (counts.every(({ waiting, active, delayed }) => waiting + active + delayed === 0)) return;
    const state = JSON.stringify([counts, ground.proxy.count]);
    if (state !== seen) since = performance.now();
    seen = state;
    if (performance.now() - since > STUCK_MS) throw new Error(`the work stands still: ${state}`);
    await sleep(LOOK_MS);
  }
}

/** Rejects when the registry hears of nobody for long, while there is work; ends with the signal. */
export async function watchForStandstill(ground: AttachGround, signal: AbortSignal): Promise<void> {
  let seen = -1;
  let since = performance.now();
  while (!signal.aborted) {
    if (ground.proxy.count !== seen) since = performance.now();
    seen = ground.proxy.count;
    if (performance.now() - since > STUCK_MS) {
      const counts = JSON.stringify(await ground.workers.queues.counts());
      const dead = JSON.stringify(await ground.workers.dead.list({ limit: 3 }));
      throw new Error(`the registry has heard of nobody for ${STUCK_MS / 1000} s: ${counts} ${dead}`);
    }
    await sleep(LOOK_MS);
  }
}
