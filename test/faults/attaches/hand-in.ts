import { setTimeout as sleep } from 'node:timers/promises';
import { REGISTRY } from '../../support/installation.ts';
import type { AttachGround, FaultImage } from './ground.ts';
import { shuffled } from './size.ts';

/** Pipelines that hand in at once. */
const AT_ONCE = 16;
/** The API takes a number of statements for one image at a time; who is told to wait comes back after this. */
const WAIT_MS = 100;

/** Hands in every statement of every image once, in an order by chance, as pipelines do: told to wait, they come again. */
export async function handInAll(ground: AttachGround, random: () => number, signal: AbortSignal): Promise<void> {
  const waiting = [...shuffled(ground.images.flatMap(statementsOf), random)];
  async function pipeline(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      signal.throwIfAborted();
      const { status, text } = await ground.call('/v1/attestations', next);
      if (status === 202) continue;
      if (status !== 429 && status !== 503) throw new Error(`handing in was answered ${status}: ${text}`);
      waiting.push(next);
      await sleep(WAIT_MS, undefined, { signal });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, pipeline));
}

function statementsOf({ repository, digest, types }: FaultImage): readonly object[] {
  const image = `${REGISTRY}/${repository}@${digest}`;
  return types.map((type) => ({ image, type, predicate: { attached: type } }));
}
