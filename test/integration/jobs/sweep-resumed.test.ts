import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createKeys } from '#redis/keys.ts';
import { runCli } from '../../support/cli.ts';
import { openFaultGround } from '../../support/fault-ground.ts';
import { REGISTRY } from '../../support/installation.ts';
import { push, smallImage } from '../../support/small-images.ts';

const MAIN = fileURLToPath(new URL('../../../worker/cli/main.ts', import.meta.url));

test('a sweep that was killed goes on where it was: what was looked through is not asked for again', async () => {
  const SWEEP = { every: '30d' };
  await using ground = await openFaultGround({}, ({ host }) => ({
    registries: [{ name: REGISTRY, address: host, sweep: SWEEP }],
  }));
  const { client, proxy, workers } = ground;
  for (const repository of ['team/a', 'team/b', 'team/c', 'team/d']) {
    for (const tag of ['1.0', '2.0']) await push(client, repository, tag, await smallImage(`${repository} ${tag}`));
  }
  const args = [MAIN, 'sweep', '--config', workers.file, '--json'];
  const child = spawn(process.execPath, args, { stdio: 'ignore', env: { PATH: process.env.PATH } });
  const ended = once(child, 'close');
  // In the middle of the third repository: one of its tags was enqueued, the other is not known yet.
  const look = /^HEAD \/v2\/team\/c\/manifests\//;
  proxy.before(look, async () => undefined);
  proxy.before(look, async () => {
    child.kill('SIGKILL');
    await ended;
    return 'drop';
  });
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  const waiting = async () => (await workers.queues.counts()).find(({ lane }) => lane === 'backfill')?.waiting;
  assert.equal(await waiting(), 5);

  // Who was killed holds the sweep for some minutes; that time is over.
  await workers.store.client.del(createKeys('faults').sweep.holder(REGISTRY));
  const before = proxy.answered.length;
  const { code, stdout, stderr } = await runCli(['sweep', '--config', workers.file, '--json']);
  assert.equal(code, 0, stderr);
  const { resumed, repositories, gaps } = JSON.parse(stdout) as Record<string, number>;
  assert.deepEqual({ resumed, repositories, gaps }, { resumed: 2, repositories: 2, gaps: 3 });
  const asked = proxy.answered.slice(before).filter((line) => !/ \/v2\/(\?|$)/.test(line));
  assert.deepEqual(
    asked.filter((line) => /team\/[ab]/.test(line)),
    [],
  );
  assert.equal(asked.filter((line) => line.includes('/tags/list')).length, 2);
  assert.equal(await waiting(), 8, 'each image is one job');
});
