import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildImage, buildIndex, buildLayer } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { type RunningCli, runCli, startCli } from '../../support/cli.ts';
import { OPERATOR_TOKEN, writeInstallation } from '../../support/installation-files.ts';
import { pushTestImage } from '../../support/pushed-image.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const TRIES = 150;

let redis: TestRedis;
let registry: TestRegistry;
let scratch: Scratch;
let config: string;

before(async () => {
  [redis, registry, scratch] = await Promise.all([startRedis(), startRegistry(), makeScratch()]);
  ({ config } = await writeInstallation(scratch, { redisUrl: redis.url, registry: registry.host }));
});

after(async () => {
  await Promise.all([redis.stop(), registry.stop(), scratch[Symbol.asyncDispose]()]);
});

/** Polls until the answer is there; what is waited for happens in other processes. */
async function until<Answer>(what: string, look: () => Promise<Answer | undefined>): Promise<Answer> {
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = await look();
    if (answer !== undefined) return answer;
    await sleep(100);
  }
  throw new Error(`${what} did not happen`);
}

async function producerUrl(running: RunningCli): Promise<string> {
  const [, url = ''] = await running.says(/"url":"(http:[^"]+)"[^\n]*"producer started"/);
  return url;
}

async function workerUrl(running: RunningCli): Promise<string> {
  const [, port] = await running.says(/"metrics":(\d+)[^\n]*"worker started"/);
  return `http://127.0.0.1:${port}`;
}

async function isHealthy(url: string): Promise<void> {
  for (const path of ['/livez', '/readyz']) {
    assert.equal(await until(path, async () => ((await fetch(url + path)).ok ? path : undefined)), path);
  }
  const metrics = await fetch(`${url}/metrics`);
  assert.match(await metrics.text(), /^# TYPE attestry_queue_depth gauge$/m);
}

async function endsInOrder(running: RunningCli): Promise<void> {
  running.signal('SIGTERM', 'launcher');
  const { code, stdout, stderr } = await running.ended;
  assert.deepEqual([code, stdout], [0, ''], stderr);
  assert.match(stderr, /"stopping"/);
}

function api(url: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' };
  return fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
}

/** A command of the operator; its results as JSON. */
async function operate(...args: readonly string[]) {
  const { code, stdout, stderr } = await runCli([...args, '--config', config, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

describe('producer and worker', () => {
  it('work together as two processes, and end in order', async () => {
    await using producer = startCli(['producer', '--config', config]);
    await using worker = startCli(['worker', '--config', config]);
    const url = await producerUrl(producer);
    await Promise.all([isHealthy(url), isHealthy(await workerUrl(worker))]);
    const image = await pushTestImage(registry.host, { repository: 'team/two' });
    const accepted = await api(url, '/v1/images', { image: image.reference });
    assert.equal(accepted.status, 202);
    const path = `/v1/images/${registry.host}/team/two@${image.digest}`;
    const state = await until('the verdict', async () => {
      const answer = await api(url, path);
      return answer.ok ? await answer.text() : undefined;
    });
    assert.match(state, /"outcome":"pass"/);
    await Promise.all([endsInOrder(producer), endsInOrder(worker)]);
  });

  it('work as one process, which takes its configuration from ATTESTRY_CONFIG', async () => {
    await using serving = startCli(['serve'], { env: { ATTESTRY_CONFIG: config } });
    await Promise.all([producerUrl(serving).then(isHealthy), workerUrl(serving).then(isHealthy)]);
    await endsInOrder(serving);
  });

  it('count as one process: either address tells of the push and of its evidence', async () => {
    await using serving = startCli(['serve', '--config', config]);
    const addresses = await Promise.all([producerUrl(serving), workerUrl(serving)]);
    const image = await pushTestImage(registry.host, { repository: 'team/counted' });
    await api(addresses[0], '/v1/images', { image: image.reference });
    const counted = [/^attestry_enqueued_total\{.*\} 1$/m, /^attestry_push_to_attested_seconds_count 1$/m];
    for (const address of addresses) {
      await until('the metrics', async () => {
        const text = await (await fetch(`${address}/metrics`)).text();
        return counted.every((line) => line.test(text)) ? text : undefined;
      });
    }
    await endsInOrder(serving);
  });

  it('do not start on a configuration that is missing or wrong, or without Redis', async () => {
    const wrong = await scratch.write('wrong.yaml', 'version: 1\nrules: [{ nam: all }]\n');
    const noRedis = await scratch.write('no-redis.yaml', 'version: 1\nredis: { url: "redis://127.0.0.1:1" }\n');
    for (const command of ['producer', 'worker', 'serve']) {
      for (const [file, why] of [
        [scratch.at('nowhere.yaml'), /nowhere\.yaml/],
        [wrong, /wrong\.yaml.*rules\[0\]/],
      ] as const) {
        const { code, stdout, stderr } = await runCli([command, '--config', file]);
        assert.deepEqual([code, stdout], [2, ''], stderr);
        assert.match(stderr, why, command);
      }
    }
    const { code, stdout, stderr } = await runCli(['serve', '--config', noRedis]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^attestry: .*Redis.*127\.0\.0\.1:1/m);
  });
});

describe('the operator’s commands', () => {
  it('make images due now, list what died and why, replay and drop it', async () => {
    await using serving = startCli(['serve', '--config', config]);
    const url = await producerUrl(serving);
    const image = await pushTestImage(registry.host, { repository: 'team/due' });
    const name = `${registry.host}/team/due@${image.digest}`;
    await api(url, '/v1/images', { image: image.reference });
    await until('the first verdict', async () => ((await api(url, `/v1/images/${name}`)).ok ? name : undefined));
    assert.deepEqual(await operate('reverify', name), { due: 1, jobs: 1 });
    assert.deepEqual(await operate('reverify', name, '--policy', 'check'), { due: 1, jobs: 1 });
    const byTag = await runCli(['reverify', `${registry.host}/team/other:1.0`, '--config', config]);
    assert.equal(byTag.code, 64);
    assert.match(byTag.stderr, /has no digest\n {2}name the image as registry\/repository@sha256/);

    await pushNestedIndex();
    await api(url, '/v1/images', { image: `${registry.host}/team/nested:1.0` });
    const dead = () => operate('dead-letters', 'list');
    const [letter] = await until('the dead letter', async () => ((await dead()).length === 1 ? dead() : undefined));
    assert.equal(letter.reason.code, 'index-nested');
    assert.equal(letter.lane, 'push');
    const text = await runCli(['dead-letters', 'list', '--config', config]);
    assert.match(text.stdout, new RegExp(`^${letter.id}\t\\S+\tpermanent\tindex-nested\t`));

    const replayed = await runCli(['dead-letters', 'replay', letter.id, '--config', config]);
    assert.deepEqual([replayed.code, replayed.stdout], [0, `${letter.id} replayed\n`]);
    const again = await until('the second death', async () => (await dead())[0]);
    assert.equal(again.job.cause, 'replay');
    const dropped = await runCli(['dead-letters', 'drop', again.id, 'push-none', '--config', config]);
    assert.deepEqual([dropped.code, dropped.stdout], [2, `${again.id} dropped\n`]);
    assert.match(dropped.stderr, /^push-none: there is no such dead letter$/m);
    assert.deepEqual(await dead(), []);
    await endsInOrder(serving);
  });

  it('refuse what they cannot make sense of', async () => {
    for (const [args, wanted] of [
      [['dead-letters'], 64],
      [['dead-letters', 'replay'], 64],
      [['reverify', 'a.example/b@sha256:1'], 64],
      [['reverify', '--policy', 'unknown'], 2],
    ] as const) {
      const { code, stdout, stderr } = await runCli([...args, '--config', config]);
      assert.deepEqual([code, stdout], [wanted, ''], stderr);
    }
  });
});

/** A job that can never succeed. */
async function pushNestedIndex(): Promise<void> {
  await using target = connect(registry.url);
  const image = buildImage({ layers: [await buildLayer([])], platform: { os: 'linux', architecture: 'amd64' } });
  await pushImage(target, 'team/nested', '1.0', buildIndex([buildIndex([image])]));
}
