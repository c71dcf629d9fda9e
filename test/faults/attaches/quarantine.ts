import { setTimeout as sleep } from 'node:timers/promises';
import type { AttachGround } from './ground.ts';

const LOOK_MS = 1000;

/**
 * A job in whose run four workers died is taken for their murderer and put aside. Here the murderer is known, and an
 * operator lets such jobs go on; answers how many those were.
 */
export async function releaseQuarantined(ground: AttachGround, signal: AbortSignal): Promise<number> {
  let released = 0;
  while (!signal.aborted) {
    released += await releaseNow(ground);
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return released + (await releaseNow(ground));
}

async function releaseNow({ workers: { dead } }: AttachGround): Promise<number> {
  const put = (await dead.list({ limit: 100 })).filter(({ reason }) => reason.code === 'job-poisoned');
  const released = await Promise.all(put.map(({ id }) => dead.replay(id)));
  return released.filter(Boolean).length;
}
