import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli } from '../../support/cli.ts';
import { type FaultGround, openFaultGround } from '../../support/fault-ground.ts';
import { REGISTRY } from '../../support/installation.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { until, untilIdle } from '../../support/worker-setup.ts';

const SWEEP = { every: '30d', repositories: ['team/**'] };

function open(): Promise<FaultGround> {
  return openFaultGround({}, ({ host }) => ({ registries: [{ name: REGISTRY, address: host, sweep: SWEEP }] }));
}

async function sweep({ workers }: FaultGround, ...flags: readonly string[]) {
  const { code, stdout, stderr } = await runCli(['sweep', '--config', workers.file, '--json', ...flags]);
  assert.equal(code, 0, stderr);
  const { repositories, tags, looks, gaps, left, vanished } = JSON.parse(stdout) as Record<string, number>;
  return { repositories, tags, looks, gaps, left, vanished };
}

/** What the registry answered to this work, without the redirects and tokens that it does not need. */
async function asked(ground: FaultGround, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = ground.proxy.answered.length;
  await work();
  return ground.proxy.answered.slice(before);
}

test('a sweep enqueues what nobody told of; the next one asks little and enqueues nothing', async () => {
  await using ground = await open();
  for (const repository of ['team/one', 'team/two', 'others/three']) {
    await push(ground.client, repository, '1.0', await smallImage(repository));
  }
  const gaps = { repositories: 2, tags: 2, looks: 2, gaps: 2, left: 0, vanished: 0 };
  assert.deepEqual(await sweep(ground, '--dry-run'), gaps);
  assert.deepEqual(await sweep(ground, '--dry-run'), gaps, 'a trial remembers nothing');
  assert.deepEqual(await sweep(ground), gaps);
  await ground.workers.start();
  await until('both are judged', async () => (await ground.workers.ledger.coverage()).images === 2);
  await untilIdle(ground.workers);

  // Evidence is there now, at tags of its own: it is no image, and not asked for.
  const requests = await asked(ground, async () => assert.deepEqual(await sweep(ground), { ...gaps, gaps: 0 }));
  const counted = (pattern: RegExp) => requests.filter((line) => pattern.test(line)).length;
  assert.equal(counted(/_catalog/), 1);
  assert.equal(counted(/tags\/list/), 2);
  assert.equal(counted(/^HEAD .*\/manifests\/1\.0/), 2);
  assert.equal(counted(/^GET .*\/manifests\//), 0);
});

test('a tag that is moved is a gap, one that vanished is told to the ledger', async () => {
  await using ground = await open();
  const repository = 'team/app';
  await push(ground.client, repository, '1.0', await smallImage('first'));
  await push(ground.client, repository, '2.0', await smallImage('second'));
  assert.equal((await sweep(ground)).gaps, 2);
  const moved = await push(ground.client, repository, '1.0', await smallImage('third'));
  const second = await ground.client.resolve(repository, '2.0');
  await ground.client.deleteManifest(repository, second.digest);
  const { gaps, vanished } = await sweep(ground);
  assert.deepEqual({ gaps, vanished }, { gaps: 1, vanished: 1 });
  await ground.workers.start();
  const image = `${REGISTRY}/${repository}@${moved}`;
  await until('it is judged', async () => (await ground.workers.ledger.latest(image)).length > 0);
});

test('what vanished unheard is asked for once more, and recorded as the sweep found it', async () => {
  await using ground = await open();
  const { workers, client } = ground;
  const repository = 'team/app';
  const digest = await push(client, repository, '1.0', await smallImage('first'));
  await sweep(ground);
  await workers.start();
  const image = `${REGISTRY}/${repository}@${digest}`;
  await until('it is judged', async () => (await workers.ledger.latest(image)).length > 0);
  await untilIdle(workers);
  await client.deleteManifest(repository, digest);
  assert.equal((await sweep(ground)).vanished, 1);
  await until('it is recorded', async () => (await workers.ledger.removals(image)).length > 0);
  const [{ at: _, ...removal } = assert.fail(), ...others] = await workers.ledger.removals(image);
  assert.deepEqual([removal, others], [{ kind: 'deleted', learnedBy: 'sweep', source: 'sweep' }, []]);
  assert.deepEqual(await workers.ledger.latest(image), []);
});

test('a registry that is to be swept and is not configured is refused by name', async () => {
  await using ground = await open();
  const { code, stderr } = await runCli(['sweep', '--config', ground.workers.file, '--registry', 'other.test']);
  assert.equal(code, 2);
  assert.match(stderr, /other\.test is not configured/);
});
