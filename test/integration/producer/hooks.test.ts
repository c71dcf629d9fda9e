import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { type HooksGround, startHooksGround } from '../../support/hooks-ground.ts';
import { serveHttp } from '../../support/http-server.ts';
import { until } from '../../support/worker-setup.ts';

const SECRETS = { CI_TOKEN: 'ci-token-of-the-tests', HUB_SECRET: 'hmac-secret-of-the-tests', QUAY: 'quay-token-tests' };

const CONFIG = `
registries:
  - { id: main, name: registry.example.com }
  - { id: hub, name: ghcr.io }
  - { id: ecr, name: 123456789012.dkr.ecr.eu-west-1.amazonaws.com }
sources:
  - { id: ci, sender: generic, registries: main, auth: { bearer: env:CI_TOKEN }, digestOnly: enqueue }
  - { id: gh, sender: github, registry: hub, auth: { hmac: env:HUB_SECRET } }
  - { id: quay, sender: quay, registry: main, auth: { query: { parameter: token, value: env:QUAY } } }
  - { id: sns, sender: ecr-sns, registries: ecr, auth: { topicArn: "arn:aws:sns:eu-west-1:123456789012:ecr-push" } }
producer:
  url: https://hooks.example.org
  deliveries: { keep: all }
`;

const AUTHORIZATION = { authorization: `Bearer ${SECRETS.CI_TOKEN}` };
let ground: HooksGround;

before(async () => {
  ground = await startHooksGround(CONFIG, SECRETS);
});
after(() => ground[Symbol.asyncDispose]());

const image = (name: string) => `registry.example.com/team/${name}:1@${sha256(name)}`;
const body = (name: string) => JSON.stringify({ image: image(name) });

interface Listed {
  readonly id: string;
  readonly result: string;
  readonly reason?: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function listed(...args: string[]): Promise<readonly Listed[]> {
  const { code, out, err } = await ground.hooks('deliveries', '--json', ...args);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

/** They are kept behind the answer. */
async function kept(...args: string[]): Promise<Listed> {
  let found: readonly Listed[] = [];
  await until('the delivery is kept', async () => {
    found = await listed(...args);
    return found.length > 0;
  });
  const [newest] = found;
  assert.ok(newest);
  return newest;
}

async function waiting(): Promise<number> {
  const { createJobQueues } = await import('#queue/queues.ts');
  const { connectRedis } = await import('#redis/connection.ts');
  await using connection = await connectRedis({ url: ground.redis.url, role: 'store', name: 'test' });
  await using queues = createJobQueues({ connection, prefix: 'attestry' });
  return (await queues.counts()).find(({ lane }) => lane === 'push')?.waiting ?? 0;
}

describe('hooks test', () => {
  test('what senders would send is let in, judged, and enqueues nothing', async () => {
    for (const [source, where] of [
      ['ci', 'body'],
      ['gh', 'package'],
      ['quay', 'updated_tags[0]'],
    ] as const) {
      const { code, out, err } = await ground.hooks('test', source, '--url', ground.producer.url);
      assert.equal(code, 0, err);
      assert.match(out, new RegExp(`^POST ${ground.producer.url}/hooks/${source}: 202$`, 'm'));
      assert.ok(out.includes(`would enqueue  ${where}`), out);
      for (const secret of Object.values(SECRETS)) assert.ok(!out.includes(secret), 'a secret was printed');
    }
    assert.equal(await waiting(), 0);
  });

  test('with --enqueue an image of one’s own is a job', async () => {
    const args = ['--url', ground.producer.url, '--image', `team/real:2@${sha256('real')}`, '--enqueue'];
    const { code, out } = await ground.hooks('test', 'ci', ...args);
    assert.equal(code, 0);
    assert.ok(out.includes(`queued  body  registry.example.com/team/real:2@${sha256('real')}`), out);
    assert.equal(await waiting(), 1);
  });

  test('another secret than the producer’s, and another address, are told with what to do', async () => {
    await using other = await startHooksGround(CONFIG, { ...SECRETS, CI_TOKEN: 'another' });
    const refused = await other.hooks('test', 'ci', '--url', ground.producer.url);
    assert.equal(refused.code, 1);
    assert.match(refused.out, /: 401\n.*unauthenticated.*\n.*another secret/);
    const missing = await ground.hooks('test', 'ci', '--url', `${ground.producer.url}/elsewhere`);
    assert.equal(missing.code, 1);
    assert.match(missing.out, /: 404\n/);
    await using stranger = await serveHttp(() => ({ status: 200, body: '<html>' }));
    const html = await ground.hooks('test', 'ci', '--url', stranger.url);
    assert.equal(html.code, 1);
    assert.match(html.out, /: 200\n.*does not speak as the intake/);
    await other.producer[Symbol.asyncDispose]();
    const nobody = await ground.hooks('test', 'ci', '--url', other.producer.url);
    assert.equal(nobody.code, 2);
  });

  test('what only Amazon can sign is read and not sent, and says so by name', async () => {
    const { code, out, err } = await ground.hooks('test', 'sns', '--url', ground.producer.url);
    assert.equal(code, 0);
    assert.match(err, /not sent: Amazon SNS signs/);
    assert.match(out, /enqueue {2}Message\.detail {2}123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com/);
  });
});

describe('deliveries', () => {
  test('a refused one is listed, shown and explained, without its secrets', async () => {
    await ground.post('ci', JSON.stringify({ image: 'evil.example/a:1', password: 'hunter2' }), AUTHORIZATION);
    const { id } = await kept('--refused', '--source', 'ci');
    const line = await ground.hooks('deliveries', '--refused', '--since', '1h');
    assert.match(line.out, new RegExp(`^${id}\t.*\tci\t422 rejected\thost-not-allowed: `, 'm'));
    const shown = await ground.hooks('show', id);
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.out, /Then: answer 422, rejected, host-not-allowed/);
    assert.match(shown.out, /authorization: Bearer \[redacted\]/);
    assert.match(
      shown.out,
      /Today:\ngeneric: authentication not-checked, answer 400\|422\n {2}skip +body +host-not-allowed/,
    );
    for (const secret of [SECRETS.CI_TOKEN, 'hunter2']) assert.ok(!shown.out.includes(secret));
    const parsed = await ground.hooks('parse', '--delivery', id, '--json');
    assert.deepEqual(JSON.parse(parsed.out).skipped, [{ from: 'body', reason: 'host-not-allowed' }]);
  });

  test('nothing in Redis holds a secret', async () => {
    await ground.post('quay?token=wrong-but-somebodys', body('x'), { authorization: 'Basic d3Jvbmc6d3Jvbmc=' });
    await kept('--refused', '--source', 'quay');
    const found = await listed('--limit', '1000');
    const everything = JSON.stringify(found);
    for (const secret of [...Object.values(SECRETS), 'wrong-but-somebodys', 'd3Jvbmc6d3Jvbmc=', 'hunter2'])
      assert.ok(!everything.includes(secret), secret);
  });

  test('what a stranger wrote moves no cursor of the terminal', async () => {
    await ground.post('gh', '{"a":"\u001b[2Jgone\u202e"}', { 'x-github-event': 'package' });
    const { id } = await kept('--refused', '--source', 'gh');
    const { out } = await ground.hooks('show', id);
    assert.match(out, /\\u\{1b\}\[2Jgone\\u\{202e\}/);
    assert.ok(!out.includes('\u001b'));
  });

  test('an id that is not kept, and times that are none, are told', async () => {
    const gone = await ground.hooks('show', 'nothing');
    assert.equal(gone.code, 64);
    assert.match(gone.err, /no delivery "nothing" is kept/);
    const time = await ground.hooks('deliveries', '--since', 'yesterday');
    assert.equal(time.code, 64);
    assert.match(time.err, /--since: "yesterday" is not a time/);
  });
});

describe('replay', () => {
  test('a known push is no second job; one that was lost is enqueued', async () => {
    await ground.post('ci', body('known'), AUTHORIZATION);
    const { id } = await kept('--source', 'ci', '--since', '1m');
    const before = await waiting();
    const again = await ground.hooks('replay', '--id', id);
    assert.equal(again.code, 0, again.err);
    assert.match(again.out, /waiting +body +registry\.example\.com\/team\/known/);
    assert.equal(await waiting(), before);
    // The queue loses it, as by a mistake of a person.
    const { connectRedis } = await import('#redis/connection.ts');
    await using connection = await connectRedis({ url: ground.redis.url, role: 'store', name: 'test' });
    const queue = (await connection.client.keys('*')).filter((key) => key.includes('{queue-push}'));
    await connection.client.del(...queue);
    const dry = await ground.hooks('replay', '--id', id, '--dry-run');
    assert.match(dry.out, /would +body +registry\.example\.com\/team\/known/);
    assert.equal(await waiting(), 0);
    const lost = await ground.hooks('replay', '--id', id);
    assert.match(lost.out, /enqueue +body +registry\.example\.com\/team\/known/);
    assert.equal(await waiting(), 1);
  });

  test('what nobody vouched for is replayed only where that is said in so many words', async () => {
    await ground.post('ci', body('unvouched'), { authorization: 'Bearer wrong' });
    let id = '';
    await until('it is kept', async () => {
      id = (await listed('--source', 'ci')).find(({ result }) => result === 'unauthenticated')?.id ?? '';
      return id !== '';
    });
    const before = await waiting();
    const refused = await ground.hooks('replay', id);
    assert.equal(refused.code, 2);
    assert.match(refused.out, /not replayed: nobody knows who sent it; --unauthenticated/);
    assert.equal(await waiting(), before);
    const taken = await ground.hooks('replay', '--id', id, '--unauthenticated');
    assert.equal(taken.code, 0, taken.err);
    assert.match(taken.out, /enqueue +body +registry\.example\.com\/team\/unvouched/);
    assert.equal(await waiting(), before + 1);
  });

  test('a span of time is replayed in order, and what was cut is left out', async () => {
    const long = JSON.stringify({ image: image('long'), note: 'x'.repeat(70_000) });
    await ground.post('ci', long, AUTHORIZATION);
    await until('it is kept', async () => {
      const { out } = await ground.hooks('deliveries', '--source', 'ci', '--json');
      return JSON.parse(out)[0]?.whole === false;
    });
    const { code, out, err } = await ground.hooks('replay', '--since', '1h', '--source', 'ci', '--json');
    assert.equal(code, 0, err);
    const done: readonly { id: string; why?: string; results?: unknown }[] = JSON.parse(out);
    assert.deepEqual(
      done.map(({ id }) => id),
      done.map(({ id }) => id).sort(),
    );
    assert.ok(done.some(({ why }) => why?.startsWith('its body was cut')));
    assert.ok(done.some(({ why }) => why?.startsWith('nobody knows who sent it')));
    assert.ok(done.some(({ results }) => results !== undefined));
  });

  test('nothing said, and too much said, are refused before anything is done', async () => {
    for (const args of [[], ['--until', '1h'], ['--id', 'a', '--since', '1h']]) {
      assert.equal((await ground.hooks('replay', ...args)).code, 64, args.join(' '));
    }
  });
});

describe('setup', () => {
  test('prints the person’s own address, and the secret only where it is asked for', async () => {
    const hidden = await ground.hooks('setup', 'gh');
    assert.equal(hidden.code, 0, hidden.err);
    assert.equal(hidden.err, 'secrets are shown by where they are; --show-secret prints them\n');
    assert.match(hidden.out, /https:\/\/hooks\.example\.org\/hooks\/gh/);
    assert.match(hidden.out, /config\[secret\]=\$HUB_SECRET/);
    assert.match(hidden.out, /attestry hooks test gh/);
    assert.ok(!hidden.out.includes(SECRETS.HUB_SECRET));
    const plain = await ground.hooks('setup', 'gh', '--show-secret', '--url', 'https://other.example/under/');
    assert.equal(plain.err, '');
    assert.ok(plain.out.includes(SECRETS.HUB_SECRET));
    assert.match(plain.out, /https:\/\/other\.example\/under\/hooks\/gh/);
  });

  test('a sender that is not configured shows what to begin with, and anything else what there is', async () => {
    const example = await ground.hooks('setup', 'harbor');
    assert.match(example.out, /sender: harbor/);
    assert.match(example.out, /https:\/\/hooks\.example\.org\/hooks\/harbor/);
    const unknown = await ground.hooks('setup', 'nothing');
    assert.equal(unknown.code, 64);
    assert.match(unknown.err, /there is no source "nothing"\n.*ci, gh, quay, sns/);
  });
});
