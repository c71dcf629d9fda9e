import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hooksCommand } from '#cli/commands/hooks.ts';
import { AppError } from '#model/errors.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const image = (host: string) => JSON.stringify({ image: `${host}/team/app@${DIGEST}` });

const FILES: Readonly<Record<string, string>> = {
  plain: JSON.stringify({ Authorization: 'Bearer t' }),
  stored: JSON.stringify({
    method: 'POST',
    headers: { Authorization: 'Bearer t' },
    auth: { kind: 'bearer', value: 't', note: 'x' },
    clock: '2026-03-02T10:15:31Z',
  }),
  wrong: JSON.stringify({ headers: {}, auth: { kind: 'basic', username: 'u', password: 'p' } }),
  hmac: JSON.stringify({ headers: {}, auth: { kind: 'digest', secret: 'hunter2' } }),
  text: 'hunter2',
  good: image('registry.example.com'),
  evil: image('evil.example'),
  assume: JSON.stringify({ allowedHosts: ['registry.example.com'], digestOnly: 'enqueue' }),
  own: JSON.stringify({ allowedHosts: ['registry.example.com'], ownDigests: [DIGEST] }),
  whole: JSON.stringify({ sender: 'generic', assume: { registryHost: 'registry.example.com', digestOnly: 'skip' } }),
  other: JSON.stringify({ sender: 'distribution', assume: {} }),
  unknown: JSON.stringify({ registryHots: 'registry.example.com' }),
  foreign: JSON.stringify({ topicArn: 'arn:x' }),
  config: `version: 1
registries:
  - { id: main, name: registry.example.com, aliases: [evil.example] }
sources:
  - { id: ci, sender: generic, registries: [main], digestOnly: enqueue, auth: { bearer: env:NOT_SET_HERE } }
`,
};

async function run(...args: string[]): Promise<{ code: number; out: string }> {
  const out: string[] = [];
  const code = await hooksCommand(args, {
    stdout: (text) => void out.push(text),
    stderr: () => {},
    readFile: async (path) => {
      const text = FILES[path];
      if (text === undefined) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
      return Buffer.from(text);
    },
    env: {},
    now: () => new Date('2026-03-02T10:15:31Z'),
    signal: new AbortController().signal,
    interactive: false,
  });
  return { code, out: out.join('') };
}

async function parse(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out } = await run('parse', 'generic', ...args, '--json');
  assert.equal(code, 0);
  return JSON.parse(out);
}

async function failure(...args: string[]): Promise<AppError> {
  const error = await run(...args).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AppError);
  return error;
}

describe('hooks parse', () => {
  test('a plain object of headers, and nothing assumed', async () => {
    assert.deepEqual(await parse('--headers', 'plain', '--body', 'good'), {
      sender: 'generic',
      authentication: 'not-checked',
      response: '2xx',
      enqueue: [
        {
          from: 'body',
          registry: 'registry.example.com',
          repository: 'team/app',
          tag: null,
          digest: DIGEST,
          ref: `registry.example.com/team/app@${DIGEST}`,
        },
      ],
      skipped: [],
    });
  });

  test('the credential beside the headers is checked', async () => {
    const good = await parse('--headers', 'stored', '--body', 'good', '--assume', 'assume');
    assert.deepEqual([good.authentication, good.response], ['ok', '2xx']);
    assert.deepEqual(await parse('--headers', 'wrong', '--body', 'good'), {
      sender: 'generic',
      authentication: 'failed',
      response: '401|403',
      enqueue: [],
      skipped: [{ from: 'request', reason: 'unauthenticated' }],
    });
  });

  test('what is assumed decides: hosts, untagged pushes, own digests', async () => {
    const reason = async (body: string, assume: string) => {
      const { skipped } = await parse('--headers', 'plain', '--body', body, '--assume', assume);
      return (skipped as { reason: string }[])[0]?.reason;
    };
    assert.equal(await reason('evil', 'assume'), 'host-not-allowed');
    assert.equal(await reason('good', 'own'), 'own-push');
    assert.equal(await reason('good', 'whole'), 'digest-only');
  });

  test('a source of a configuration, without its secrets', async () => {
    const { enqueue } = await parse('--headers', 'plain', '--body', 'evil', '--config', 'config', '--source', 'ci');
    assert.equal((enqueue as { registry: string }[])[0]?.registry, 'registry.example.com');
    const error = await failure(
      'parse',
      'generic',
      '--headers',
      'plain',
      '--body',
      'good',
      '--config',
      'config',
      '--source',
      'x',
    );
    assert.equal(error.mend, 'its sources: ci');
    const args = ['--headers', 'plain', '--body', 'good', '--config', 'config', '--source', 'ci'];
    assert.equal((await failure('parse', 'distribution', ...args)).code, 'usage');
  });

  test('for people, with the reason in words', async () => {
    const { out } = await run('parse', 'generic', '--headers', 'plain', '--body', 'evil', '--assume', 'assume');
    assert.match(
      out,
      /^generic: authentication not-checked, answer 400\|422\n {2}skip {5}body {2}host-not-allowed: .*evil\.example/,
    );
  });

  test('called wrongly is a usage error that says how', async () => {
    const files = ['--headers', 'plain', '--body', 'good'];
    const wrong = [
      [],
      ['explain', 'generic'],
      ['parse'],
      ['parse', 'docker-hub', ...files],
      ['parse', 'generic', 'distribution', ...files],
      ['parse', 'generic', '--body', 'good'],
      ['parse', 'generic', '--headers', 'plain'],
      ['parse', 'generic', ...files, '--clock', 'yesterday'],
      ['parse', 'generic', ...files, '--source', 'ci'],
      ['parse', 'generic', ...files, '--assume', 'assume', '--config', 'config', '--source', 'ci'],
      ['parse', 'generic', ...files, '--nope'],
    ];
    for (const args of wrong) {
      const error = await failure(...args);
      assert.equal(error.code, 'usage', args.join(' '));
      assert.ok(error.mend);
    }
  });

  test('files that are not fit are named by their flag, and never quoted', async () => {
    const bad: [string[], string][] = [
      [['--headers', 'none', '--body', 'good'], '--headers'],
      [['--headers', 'text', '--body', 'good'], '--headers'],
      [['--headers', 'hmac', '--body', 'good'], '--headers'],
      [['--headers', 'plain', '--body', 'none'], '--body'],
      [['--headers', 'plain', '--body', 'good', '--assume', 'text'], '--assume'],
      [['--headers', 'plain', '--body', 'good', '--assume', 'unknown'], '--assume'],
      [['--headers', 'plain', '--body', 'good', '--assume', 'foreign'], '--assume'],
      [['--headers', 'plain', '--body', 'good', '--assume', 'other'], '--assume'],
    ];
    for (const [args, field] of bad) {
      const error = await failure('parse', 'generic', ...args);
      assert.deepEqual([error.code, error.field], ['config-invalid', field], args.join(' '));
      assert.ok(!error.message.includes('hunter2'));
    }
  });
});
