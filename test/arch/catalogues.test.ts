import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { COMMANDS } from '#cli/catalogue.ts';
import { main } from '#cli/main.ts';
import { SKIP_REASONS } from '#model/push-event.ts';
import { SENDER_IDS, SourceOptions } from '#producer/intake/options.ts';
import { ADAPTERS } from '#producer/webhooks/index.ts';
import { CATALOGERS } from '#sbom/catalogers/index.ts';
import { SignerOptions } from '#signing/options.ts';
import { SINK_TYPES } from '#sinks/index.ts';
import { SinkOptions } from '#sinks/options.ts';
import { filesBelow, ROOT, sourcesBelow } from './source-files.ts';

const TESTS = sourcesBelow('test').filter(({ path }) => path.endsWith('.test.ts'));

test('senders: one file each, listed, documented, with recorded deliveries', () => {
  assert.deepEqual(ids(ADAPTERS), modulesIn('producer/webhooks/adapters'));
  const pages = readdirSync(join(ROOT, 'docs', 'adapters')).map((name) => name.replace(/\.md$/, ''));
  assert.deepEqual(ids(ADAPTERS), pages.filter((name) => name !== 'README').sort());
  const folder = join(ROOT, 'test', 'fixtures', 'registry-events');
  const expectations = readdirSync(folder).filter((name) => name.endsWith('.expected.json'));
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const recorded = new Set(expectations.map((name) => read(name).sender));
  // The recordings are by registry; what one sends over NATS is an adapter of its own here.
  const overNats = readdirSync(folder).filter(
    (name) => name.endsWith('.headers.json') && read(name).transport === 'nats',
  );
  for (const name of overNats) recorded.add(`${read(name.replace('.headers.', '.expected.')).sender}-nats`);
  assert.deepEqual(ids(ADAPTERS), [...recorded].sort());
});

test('reasons to skip: each with a recorded delivery', () => {
  const folder = join(ROOT, 'test', 'fixtures', 'registry-events');
  const expectations = readdirSync(folder).filter((name) => name.endsWith('.expected.json'));
  const recorded = new Set<string>();
  for (const name of expectations) {
    for (const { reason } of JSON.parse(readFileSync(join(folder, name), 'utf8')).skipped) recorded.add(reason);
  }
  assert.deepEqual([...recorded].sort(), Object.keys(SKIP_REASONS).sort());
});

test('senders: each can be configured, those with a route in the ways that they declare', () => {
  assert.deepEqual(ids(ADAPTERS), [...SENDER_IDS].sort());
  const routed = ADAPTERS.filter(({ transport }) => transport !== 'pull');
  for (const { id, auth, signature } of routed) {
    assert.deepEqual([...authKinds(id)].sort(), [...auth].sort(), id);
    assert.equal(auth.includes('hmac'), signature !== undefined, id);
  }
});

test('sinks: one file each, listed, configurable and tested', () => {
  const types = [...SINK_TYPES].sort();
  const configurable = SinkOptions.options.map(({ shape }) => shape.type.value).sort();
  assert.deepEqual(configurable, types);
  for (const type of types) {
    assert.ok(modulesIn('worker/sinks').includes(type), `worker/sinks/${type}.ts is missing`);
    assert.ok(isTested(`#sinks/${type}.ts`, type), `no test speaks of the sink ${type}`);
  }
});

test('catalogers: one file each, listed and tested', () => {
  assert.deepEqual(ids(CATALOGERS), modulesIn('worker/sbom/catalogers'));
  for (const { id } of CATALOGERS) {
    assert.ok(isTested(`#sbom/catalogers/${id}.ts`, id), `no test speaks of the cataloger ${id}`);
  }
});

test('signers: one file a type', () => {
  const types = SignerOptions.options.map(({ shape }) => shape.type.value).sort();
  for (const type of types) {
    assert.ok(modulesIn('worker/signing').includes(type), `worker/signing/${type}.ts is missing`);
  }
});

test('policy dialects: each folder compiles, and is reached from the loader', () => {
  const loader = readFileSync(join(ROOT, 'worker/policy/load.ts'), 'utf8');
  const dialects = readdirSync(join(ROOT, 'worker/policy/dialects'));
  assert.ok(dialects.length > 0);
  for (const dialect of dialects) assert.match(loader, new RegExp(`#policy/dialects/${dialect}/`));
});

test('commands: one file each, listed, and each explains itself', async () => {
  assert.deepEqual(COMMANDS.map(({ name }) => name).sort(), modulesIn('worker/cli/commands'));
  for (const { name } of COMMANDS) {
    let said = '';
    const code = await main([name, '--help'], {
      stdout: (text) => {
        said += text;
      },
      stderr: (text) => assert.fail(`${name} --help wrote to stderr: ${text}`),
      readFile: () => Promise.reject(new Error('--help reads no file')),
      env: {},
      now: () => new Date(0),
      signal: new AbortController().signal,
      interactive: false,
    });
    assert.equal(code, 0, `${name} --help`);
    assert.match(said, new RegExp(`^Usage:\\s+attestry ${name}\\b`, 'm'), `${name} --help`);
  }
});

test('plug-ins of a catalogue do not import each other', () => {
  const folders = [
    'producer/webhooks/adapters',
    'worker/sbom/catalogers',
    'worker/policy/dialects',
    'worker/cli/commands',
  ];
  const breaches = folders.flatMap((folder) =>
    sourcesBelow(folder)
      .filter(({ path }) => !path.endsWith('/index.ts'))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ target }) => target.kind === 'file' && target.path.startsWith(`${folder}/`))
          .filter(({ target }) => target.kind === 'file' && member(folder, target.path) !== member(folder, path))
          .map(({ specifier }) => `${path} imports ${specifier}`),
      ),
  );
  assert.deepEqual(breaches, [], 'what they share goes up to the folder of the contract');
});

/** The ways to authenticate that the schema takes for a sender. */
function authKinds(sender: string): readonly string[] {
  const kinds = [
    'none',
    { bearer: 'env:A' },
    { basic: { username: 'u', password: 'env:A' } },
    { header: 'X-A', value: 'env:A' },
    { query: { parameter: 'a', value: 'env:A' } },
    { hmac: 'env:A' },
    { topicArn: 'arn:aws:sns:eu-west-1:123456789012:a' },
    { audience: 'https://a.example', email: 'a@b.example' },
  ];
  const topic = '/subscriptions/a/resourceGroups/b/providers/Microsoft.ContainerRegistry/registries/c';
  const places = [{ registry: 'r' }, { registries: ['r'] }, { registry: 'r', topic }];
  return kinds.flatMap((auth) =>
    places.flatMap((place) => {
      const parsed = SourceOptions.safeParse({ id: 's', sender, auth, ...place });
      return parsed.success ? [parsed.data.auth.kind] : [];
    }),
  );
}

function ids(entries: readonly { readonly id: string }[]): string[] {
  return entries.map(({ id }) => id).sort();
}

/** The modules directly in a folder, without the list itself. */
function modulesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'index.ts')
    .map((entry) => entry.name.replace(/\.ts$/, ''))
    .sort();
}

function isTested(specifier: string, name: string): boolean {
  return TESTS.some(({ path, imports }) => path.includes(name) || imports.some((at) => at.specifier === specifier));
}

/** Which plug-in of a folder a file belongs to. */
function member(folder: string, path: string): string {
  return path.slice(folder.length + 1).split('/')[0] ?? '';
}

test('recorded fixtures are only data', () => {
  const code = filesBelow('test')
    .filter((path) => path.startsWith('test/fixtures/'))
    .filter((path) => /\.(?:ts|mjs|js)$/.test(path));
  assert.deepEqual(code, []);
});
