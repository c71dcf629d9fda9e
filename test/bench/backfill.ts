// npm run bench:backfill: what a backfill of many images costs new pushes. It measures and asserts nothing about time.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runCli } from '../support/cli.ts';
import { REGISTRY } from '../support/installation.ts';
import { push, smallImage } from '../support/small-images.ts';
import { until } from '../support/worker-setup.ts';
import { type BenchGround, openBenchGround } from './ground.ts';
import { latencyLine, latencyOf } from './latency.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '50000' },
    pushes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '4' },
    every: { type: 'string', default: '500' },
    'backfill-jobs': { type: 'string', default: '1' },
  },
});
const IMAGES = Number(values.images);
const ROUNDS = Number(values.rounds);
const EACH = Math.ceil(Number(values.pushes) / ROUNDS);
const EVERY_MS = Number(values.every);
const WARM_UP = 10;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface Push {
  readonly repository: string;
  readonly digest: string;
  readonly mediaType: string;
}

async function pushImages({ client }: BenchGround, name: string, count: number): Promise<readonly Push[]> {
  const pushed: Push[] = [];
  for (let at = 0; at < count; at++) {
    const repository = `new/${name}-${at}`;
    const image = await smallImage(`${name}-${at}`);
    const digest = await push(client, repository, '1.0', image);
    pushed.push({ repository, digest, mediaType: image.root.descriptor.mediaType });
  }
  return pushed;
}

/** Milliseconds from the delivery of each push to its verdict, at a steady pace. */
async function measure(ground: BenchGround, pushes: readonly Push[]): Promise<readonly number[]> {
  const judged: Promise<number>[] = [];
  for (const { repository, digest, mediaType } of pushes) {
    const from = Date.now();
    await ground.deliver(repository, '1.0', digest, mediaType);
    judged.push(judgedAt(ground, `${REGISTRY}/${repository}@${digest}`).then((at) => at - from));
    await sleep(Math.max(EVERY_MS - (Date.now() - from), 0));
  }
  return Promise.all(judged);
}

/** When the verdict was recorded, by the worker's clock, which is this machine's. */
async function judgedAt({ workers }: BenchGround, image: string): Promise<number> {
  for (;;) {
    const [state] = await workers.ledger.latest(image);
    if (state?.verdict) {
      if (state.verdict.outcome !== 'pass') throw new Error(`${image}: ${state.verdict.outcome}`);
      return Date.parse(state.lastCheckedAt ?? '');
    }
    await sleep(50);
  }
}

async function cli(ground: BenchGround, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(['backfill', '--config', ground.workers.file, '--quiet', ...args]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

print(`${IMAGES} images in the storage of a registry; ${ROUNDS} rounds of ${EACH} pushes without and ${EACH} with it`);
await using ground = await openBenchGround({ images: IMAGES, backfillJobs: Number(values['backfill-jobs']) });
await measure(ground, await pushImages(ground, 'warm', WARM_UP));
const before = Number(/used_memory:(\d+)/.exec(await ground.workers.store.client.info('memory'))?.[1]);
const listed = performance.now();
print((await cli(ground, '--plan', '--repositories', 'old/**', '--concurrency', '16')).trimEnd());
print(`planned in ${((performance.now() - listed) / 1000).toFixed(1)} s`);
await cli(ground, '--run', '--detach');

const without: number[] = [];
const during: number[] = [];
const depths: number[] = [];
let attestedFor = 0;
const doneAtStart = (await ground.memory.current())?.progress.done ?? 0;
for (let round = 0; round < ROUNDS; round++) {
  const pushes = await pushImages(ground, `round-${round}`, 2 * EACH);
  await cli(ground, 'pause');
  await until('the backfill stands still', async () => {
    const lane = (await ground.workers.queues.counts()).find((counts) => counts.lane === 'backfill');
    return lane?.active === 0;
  });
  without.push(...(await measure(ground, pushes.slice(0, EACH))));
  await cli(ground, 'resume');
  await until('the backfill runs', async () => {
    const lane = (await ground.workers.queues.counts()).find((counts) => counts.lane === 'backfill');
    depths.push((lane?.waiting ?? 0) + (lane?.active ?? 0) + (lane?.delayed ?? 0));
    return lane !== undefined && lane.active > 0;
  });
  const from = Date.now();
  during.push(...(await measure(ground, pushes.slice(EACH))));
  attestedFor += Date.now() - from;
}
const backfill = await ground.memory.current();
const after = Number(/used_memory:(\d+)/.exec(await ground.workers.store.client.info('memory'))?.[1]);

const [quiet, busy] = [latencyOf(without), latencyOf(during)];
const ratio = (of: 'p50' | 'p95' | 'p99') => (busy[of] / quiet[of]).toFixed(2).padStart(9);
print('');
print('from the webhook to the verdict');
print(`${''.padEnd(18)}${'pushes'.padStart(7)}${'p50'.padStart(9)}${'p95'.padStart(9)}${'p99'.padStart(9)}`);
print(latencyLine('without backfill', quiet));
print(latencyLine('with backfill', busy));
print(`${'ratio'.padEnd(25)}${ratio('p50')}${ratio('p95')}${ratio('p99')}`);
print('');
print(
  `backfill: ${(backfill?.progress.done ?? 0) - doneAtStart} attested meanwhile, ${backfill?.progress.failed ?? 0} failed; ` +
    `at most ${Math.max(...depths)} of its jobs in the queue; Redis grew by ${((after - before) / 1024 / 1024).toFixed(1)} MiB; ` +
    `measured for ${Math.round(attestedFor / 1000)} s`,
);
await cli(ground, 'cancel');
