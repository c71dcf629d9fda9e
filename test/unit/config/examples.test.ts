import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { configCommand } from '#cli/commands/config.ts';
import { checkConfig } from '#config/check.ts';
import { Config, configJsonSchema } from '#config/schema.ts';
import { branches, type SchemaNode } from '#config/schema-node.ts';
import { lintPolicies } from '#policy/lint/lint-policies.ts';
import { compilePolicies, problems } from '#policy/load.ts';

const CONFIG = join(import.meta.dirname, '..', '..', '..', 'config');
const places = { readFile: (path: string) => readFile(path), env: {} };
const examples = readdirSync(join(CONFIG, 'examples')).map((name) => `examples/${name}`);
const files = ['default.yaml', ...examples];
const ajv = new Ajv2020.default({ strict: false, validateFormats: false });
const conforms = ajv.compile(JSON.parse(readFileSync(join(CONFIG, 'config.schema.json'), 'utf8')));

test('there are examples', () => assert.ok(examples.length >= 15));

for (const file of files) {
  test(`config/${file} is valid without a warning, also to editors, and its policies are there`, async () => {
    const path = join(CONFIG, file);
    const { config, problems: found } = await checkConfig(path, places, 'none');
    assert.deepEqual(found, []);
    assert.ok(conforms(parse(readFileSync(path, 'utf8'))), JSON.stringify(conforms.errors));
    for (const policy of config?.policies ?? []) {
      for (const each of policy.file) assert.ok(existsSync(each), `${each} is missing`);
    }
  });
}

for (const file of examples) {
  test(`what config/${file} says to try is explained by a rule`, async () => {
    const text = readFileSync(join(CONFIG, file), 'utf8');
    const [, tried] = /^# Try: attestry config (explain .*)$/m.exec(text) ?? [];
    assert.ok(tried, 'the example says what to try');
    assert.ok(tried.endsWith(`--config config/${file}`));
    const out: string[] = [];
    const io = {
      stdout: (line: string) => void out.push(line),
      stderr: (line: string) => void out.push(line),
      readFile: (path: string) => readFile(path),
      env: {},
      now: () => new Date(0),
    };
    const args = tried.split(' ').with(-1, join(CONFIG, file));
    assert.equal(await configCommand(args, io), 0, out.join(''));
    assert.match(out.join(''), /rule [a-z-]+ holds/);
    assert.doesNotMatch(out.join(''), /is not signed/);
  });
}

for (const name of readdirSync(join(CONFIG, 'policies'))) {
  test(`config/policies/${name} can be judged in full`, () => {
    const compiled = compilePolicies(readFileSync(join(CONFIG, 'policies', name), 'utf8'), { source: name });
    assert.equal(compiled.length, 1);
    for (const policy of compiled) assert.deepEqual(problems(policy), []);
    const findings = lintPolicies(readFileSync(join(CONFIG, 'policies', name), 'utf8'), name);
    // A note that the kind is deprecated is all that may be said of them.
    assert.deepEqual(
      findings.filter(({ code }) => code !== 'deprecated-kind'),
      [],
    );
  });
}

test('every key of the schema stands in default.yaml, with its default', () => {
  const raw: unknown = parse(readFileSync(join(CONFIG, 'default.yaml'), 'utf8'));
  const written = new Set(keysOf(raw, ''));
  const known = [...new Set(schemaKeys(configJsonSchema(), ''))];
  assert.deepEqual(
    known.filter((key) => !written.has(key)),
    [],
  );
  const { data } = Config.safeParse(raw);
  const defaults = Config.parse({ version: 1 });
  for (const section of ['worker', 'reconcile', 'ledger', 'sbom', 'log'] as const) {
    assert.deepEqual(data?.[section], defaults[section]);
  }
  assert.deepEqual(data?.producer.listen, defaults.producer.listen);
  assert.equal(data?.instance.builderId, defaults.instance.builderId);
  assert.equal(data?.redis.url, defaults.redis.url);
});

test('the schema for editors refuses what the loader refuses', () => {
  assert.ok(!conforms({ version: 1, instanc: {} }));
  assert.ok(!conforms({ version: 1, redis: { password: 'inline' } }));
  assert.ok(!conforms({ version: 1, signers: [{ id: 'a', type: 'x509' }] }));
});

function schemaKeys(node: SchemaNode, prefix: string): string[] {
  return branches(node).flatMap((branch) => {
    if (branch.items) return schemaKeys(branch.items, `${prefix}[]`);
    return Object.entries(branch.properties ?? {}).flatMap(([key, member]) => {
      return [`${prefix}.${key}`, ...schemaKeys(member, `${prefix}.${key}`)];
    });
  });
}

function keysOf(value: unknown, prefix: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysOf(item, `${prefix}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [`${prefix}.${key}`, ...keysOf(member, `${prefix}.${key}`)]);
}
