import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { readAttached, readStatementOf } from '../../support/attachments.ts';
import { runCli, startCli } from '../../support/cli.ts';
import { OPENVEX_SAMPLE, TEST_RESULT_SAMPLE } from '../../support/given-predicates.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { writeKeyPair } from '../../support/signing-files.ts';

const VEX = 'https://openvex.dev/ns';
const TESTS = 'https://in-toto.io/attestation/test-result/v0.1';
const TOKEN = 'the-token-of-ci';

let registry: TestRegistry;
let scratch: Scratch;
let pair: { key: string; publicKey: string };
let vex: string;
let results: string;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  pair = await writeKeyPair(scratch);
  vex = await scratch.write('vex.json', JSON.stringify(OPENVEX_SAMPLE));
  results = await scratch.write('results.json', JSON.stringify(TEST_RESULT_SAMPLE));
});
after(async () => {
  await Promise.all([registry.stop(), scratch[Symbol.asyncDispose]()]);
});

/** Types and predicates at the attestation tag, in order. */
async function attached({ repository, digest }: PushedImage) {
  await using target = connect(registry.url);
  const { layers } = await readAttached(target, repository, digest);
  const statements = await Promise.all(layers.map((layer) => readStatementOf(target, repository, layer)));
  return statements.map(({ statement, payload }) => ({ ...statement, payload }));
}

describe('attest --predicate', () => {
  it('signs a predicate by cosign\u2019s name of its type, which verify then finds', async () => {
    const image = await pushTestImage(registry.host, { repository: 'given/vex' });
    const args = [image.reference, '--key', pair.key];
    const first = await runCli(['attest', ...args, '--predicate', vex, '--type', 'openvex', '--json']);
    assert.equal(first.code, 0, first.stderr);
    const [{ type, predicateType, state }] = JSON.parse(first.stdout).attestations;
    assert.deepEqual([type, predicateType, state], ['openvex', VEX, 'created']);
    const verified = await runCli(['verify', image.reference, '--type', 'openvex', '--key', pair.publicKey]);
    assert.equal(verified.code, 0, verified.stderr);
    const again = await runCli(['attest', ...args, '--predicate', vex, '--type', VEX]);
    assert.match(again.stdout, /^present\topenvex\t/);
    const [statement] = await attached(image);
    assert.deepEqual(statement?.predicate, OPENVEX_SAMPLE);
  });

  it('takes the place of what the same key signed of the type before, or stays beside it', async () => {
    const image = await pushTestImage(registry.host, { repository: 'given/replace' });
    const args = ['attest', image.reference, '--key', pair.key, '--type', 'https://example.com/scan/v1'];
    for (const day of [1, 2]) {
      const file = await scratch.write(`scan-${day}.json`, JSON.stringify({ day }));
      const { stdout } = await runCli([...args, '--predicate', file]);
      assert.match(stdout, day === 1 ? /^created\tcustom\t/ : /^replaced\tcustom\t/);
    }
    const file = await scratch.write('scan-3.json', JSON.stringify({ day: 3 }));
    assert.match((await runCli([...args, '--predicate', file, '--append'])).stdout, /^created\t/);
    assert.deepEqual(
      (await attached(image)).map(({ predicate }) => predicate),
      [{ day: 2 }, { day: 3 }],
    );
  });

  it('wraps any text of the type custom as cosign does', async () => {
    const image = await pushTestImage(registry.host, { repository: 'given/custom' });
    const note = await scratch.write('note.txt', 'reviewed\nby two');
    const { code, stderr } = await runCli([
      'attest',
      image.reference,
      '--key',
      pair.key,
      '--predicate',
      note,
      '--type',
      'custom',
    ]);
    assert.equal(code, 0, stderr);
    const [statement] = await attached(image);
    assert.equal(statement?.predicateType, 'https://cosign.sigstore.dev/attestation/v1');
    assert.deepEqual(Object.keys(statement?.predicate ?? {}).sort(), ['Data', 'Timestamp']);
    assert.equal(statement?.predicate.Data, 'reviewed\nby two');
  });

  it('signs a whole statement unaltered', async () => {
    const image = await pushTestImage(registry.host, { repository: 'given/statement' });
    const statement = {
      subject: [{ digest: { sha256: image.digest.slice(7) } }],
      predicateType: TESTS,
      predicate: TEST_RESULT_SAMPLE,
      _type: 'https://in-toto.io/Statement/v1',
    };
    const text = `${JSON.stringify(statement, null, 2)}\n`;
    const file = await scratch.write('statement.json', text);
    const { code, stderr } = await runCli([
      'attest',
      image.reference,
      '--key',
      pair.key,
      '--predicate',
      file,
      '--statement',
    ]);
    assert.equal(code, 0, stderr);
    assert.equal((await attached(image))[0]?.payload.toString(), text);
    const other = await pushTestImage(registry.host, { repository: 'given/other', packages: { bash: '9' } });
    const refused = await runCli(['attest', other.reference, '--key', pair.key, '--predicate', file, '--statement']);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /The statement is about sha256:.*write one subject with the digest/s);
  });

  for (const [what, args, code, wording] of [
    ['a predicate without a type', ['--predicate', 'FILE'], 64, /--predicate needs --type/],
    ['two types', ['--predicate', 'FILE', '--type', 'openvex', '--type', 'vuln'], 64, /one --type only/],
    ['a type that is none', ['--predicate', 'FILE', '--type', 'open vex'], 64, /neither a known type/],
    ['a file that is missing', ['--predicate', '/nowhere.json', '--type', 'openvex'], 2, /there is no such file/],
    [
      'a predicate of another form',
      ['--predicate', 'FILE', '--type', 'openvex'],
      2,
      /predicate\.@context is missing.*OpenVEX/s,
    ],
    ['--statement alone', ['--statement'], 64, /--statement needs --predicate/],
    ['--append alone', ['--append'], 64, /--append needs --predicate/],
    [
      'a signer of nobody',
      ['--predicate', 'FILE', '--type', 'test-result', '--signer', 'x'],
      64,
      /--signer needs --server/,
    ],
    [
      'a server and a key',
      ['--predicate', 'FILE', '--type', 'test-result', '--server', 'https://a.example'],
      64,
      /exclude each other/,
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const image = await pushTestImage(registry.host, { repository: 'given/refused' });
      const given = args.map((arg) => (arg === 'FILE' ? results : arg));
      const refused = await runCli(['attest', image.reference, '--key', pair.key, ...given]);
      assert.equal(refused.code, code, refused.stderr);
      assert.match(refused.stderr, wording);
      assert.equal(refused.stdout, '');
    });
  }
});

describe('attest --server', () => {
  let redis: TestRedis;
  let config: string;

  before(async () => {
    redis = await startRedis();
    await scratch.write('ci-token', TOKEN);
    config = await scratch.write(
      'installation.yaml',
      stringify({
        version: 1,
        redis: { url: redis.url },
        registries: [{ id: 'main', name: registry.host }],
        signers: [{ id: 'tests', type: 'key', key: `file:${pair.key}` }],
        rules: [
          {
            name: 'team',
            match: { repository: 'team/**' },
            evidence: [{ type: 'test-result', signer: 'tests', layout: 'cosign-tag' }],
            when: { actor: 'ci' },
          },
        ],
        producer: { listen: { host: '127.0.0.1', port: 0 }, api: { tokens: [{ name: 'ci', token: 'file:ci-token' }] } },
        worker: { listen: { host: '127.0.0.1', port: 0 } },
      }),
    );
  });
  after(() => redis.stop());

  it('has an installation sign what its rules name, and nothing else', async () => {
    await using serving = startCli(['serve', '--config', config]);
    const [, url = ''] = await serving.says(/"url":"(http:[^"]+)"[^\n]*"producer started"/);
    const image = await pushTestImage(registry.host, { repository: 'team/app' });
    const hand = (
      file: string,
      type: string,
      env: Record<string, string> = { ATTESTRY_TOKEN: TOKEN },
      more: string[] = [],
    ) => runCli(['attest', image.reference, '--predicate', file, '--type', type, '--server', url, ...more], { env });
    const taken = await hand(results, 'test-result');
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(taken.stdout, new RegExp(`^queued\t${TESTS}\t.*@${image.digest}\tsha256:`));
    const verify = () => runCli(['verify', image.reference, '--type', TESTS, '--key', pair.publicKey]);
    for (let tries = 0; (await verify()).code !== 0; tries++) {
      assert.ok(tries < 100, 'it was never attached');
      await sleep(100);
    }
    const [statement] = await attached(image);
    assert.deepEqual(statement?.predicate, TEST_RESULT_SAMPLE);
    for (const [refused, wording] of [
      [await hand(vex, 'openvex'), /403: type: .*not named by rule team/],
      [await hand(results, 'test-result', {}, []), /ATTESTRY_TOKEN/],
      [await hand(results, 'test-result', { ATTESTRY_TOKEN: 'wrong' }), /does not know the token/],
      [await hand(results, 'test-result', undefined, ['--signer', 'other']), /403: signer: .*other is not tests/],
      [await hand(vex, 'test-result'), /422: statement: predicate\.result is missing/],
    ] as const) {
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, wording);
      assert.doesNotMatch(refused.stderr, new RegExp(TOKEN));
    }
    assert.equal((await attached(image)).length, 1);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /^attestry_signing_refused_total\{reason="type"\} 1$/m);
    assert.match(metrics, /^attestry_signing_refused_total\{reason="signer"\} 1$/m);
    assert.match(metrics, /^attestry_signing_refused_total\{reason="statement"\} 1$/m);
    serving.signal('SIGTERM', 'launcher');
    assert.equal((await serving.ended).code, 0);
  });

  it('sends its token to nobody over plain http, and to nothing that is no address', async () => {
    for (const [server, wording] of [
      ['http://attestry.example.com', /http, which shows the token/],
      ['attestry.example.com', /not a URL/],
      ['ftp://attestry.example.com', /http or https/],
    ] as const) {
      const args = ['attest', `${registry.host}/team/app:1.0`, '--predicate', results, '--type', 'test-result'];
      const refused = await runCli([...args, '--server', server], { env: { ATTESTRY_TOKEN: TOKEN } });
      assert.equal(refused.code, 64, refused.stderr);
      assert.match(refused.stderr, wording);
    }
  });
});
