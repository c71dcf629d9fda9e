import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { reportError } from '#cli/main.ts';
import { loadConfig } from '#config/load.ts';
import { ConfigError } from '#config/problem.ts';
import { AppError } from '#model/errors.ts';
import { MINIMAL } from '../../support/config-text.ts';

async function load(text: string, scope: 'all' | 'none' = 'none') {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-config-'));
  try {
    const file = join(dir, 'attestry.yaml');
    await writeFile(file, text);
    return { dir, config: await loadConfig(file, { readFile: (path) => readFile(path), env: {} }, scope) };
  } finally {
    await rm(dir, { recursive: true });
  }
}

test('defaults are filled in, durations are milliseconds, lists are lists', async () => {
  const { config } = await load(MINIMAL);
  assert.equal(config.instance.id, 'attestry');
  assert.equal(config.redis.url, 'redis://127.0.0.1:6379');
  assert.equal(config.policies[0]?.every, 6 * 3_600_000);
  assert.deepEqual(config.sources[0], {
    id: 'hook',
    sender: 'distribution',
    registries: ['main'],
    auth: { kind: 'bearer', secrets: ['env:TOKEN'] },
    digestOnly: 'skip',
    attestationTagSuffixes: [],
    ignoreActors: [],
    ratePerHour: 600,
  });
  assert.deepEqual(config.rules[0], {
    name: 'all',
    match: {},
    evidence: [
      {
        type: 'cyclonedx',
        predicateType: 'https://cyclonedx.org/bom',
        signer: 'release',
        platforms: true,
      },
    ],
    policies: ['evidence'],
    onLapse: 'attest',
    hiding: 'refuse',
    verifiers: [],
  });
});

test('relative paths start at the file, whatever the current folder; fingerprints are no paths', async () => {
  const fingerprint = 'ab'.repeat(32);
  const text = MINIMAL.replace('key: env:KEY', `key: file:keys/k.pem, former: [old.crt, ${fingerprint}]`);
  const { dir, config } = await load(text);
  const [signer] = config.signers;
  assert.ok(signer?.type === 'x509');
  assert.equal(signer.key, `file:${join(dir, 'keys/k.pem')}`);
  assert.equal(signer.certificate, join(dir, 'signer.crt'));
  assert.deepEqual(signer.former, [join(dir, 'old.crt'), fingerprint]);
  assert.deepEqual(config.policies[0]?.file, [join(dir, 'policy.yaml')]);
});

test('a loaded configuration is frozen to its depth', async () => {
  const { config } = await load(MINIMAL);
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.rules[0]?.evidence[0]));
});

test('what cannot be used is one error that lists every problem with file and place', async () => {
  const error = await load(`${MINIMAL}log: { level: loud }\nzzz: 1\n`, 'all').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ConfigError && error instanceof AppError);
  assert.equal(error.code, 'config-invalid');
  assert.equal(error.problems.length, 7);
  assert.match(error.message, /^7 problems in the configuration\n/);
  assert.match(error.message, /attestry\.yaml:15:8: log\.level: "loud" is not one of/);
  assert.match(error.message, /attestry\.yaml:16:1: zzz: unknown key/);
});

test('the one that is told names each key and each mend once', async () => {
  const error = await load(`${MINIMAL}log: { level: loud }\n`, 'none').catch((thrown: unknown) => thrown);
  let said = '';
  reportError(error, {
    stderr: (text) => {
      said += text;
    },
  });
  assert.equal(said.split('write one of them').length, 2, said);
  assert.equal(said.split('log.level').length, 2, said);
  const yaml = await load('a: b: c\n', 'none').catch((thrown: unknown) => thrown);
  assert.ok(yaml instanceof ConfigError);
  assert.match(yaml.message, /[a-z]; mend the YAML here/);
});

test('warnings do not keep a configuration from being used', async () => {
  const { config } = await load(MINIMAL.replace('sources:', '  - { name: never, policies: evidence }\nsources:'));
  assert.equal(config.rules.length, 2);
});
