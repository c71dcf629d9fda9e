import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ensureTokenBinding, namesToken } from '../../../scripts/setup/token-binding.mjs';

let root: string;
const path = process.env.PATH;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'attestry-binding-'));
  mkdirSync(join(root, 'bin'));
  for (const compiler of ['g++', 'make', 'python3']) program(compiler, '');
  process.env.PATH = `${join(root, 'bin')}${delimiter}${path}`;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(root, { recursive: true, force: true });
});

function program(name: string, script: string): void {
  const file = join(root, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function installed(): string {
  const folder = join(root, 'node_modules', 'pkcs11js');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{}');
  return join(folder, 'build', 'Release');
}

const said: string[] = [];
const ensure = () => ensureTokenBinding({ root, say: (text: string) => said.push(text) });

test('it is built once, by scripts that npm is told to run, against the headers among the packages', async () => {
  const release = installed();
  mkdirSync(join(root, 'node_modules', `node-linux-${process.arch}`, 'include'), { recursive: true });
  program(
    'npm',
    `echo "$npm_config_nodedir $*" >> "${root}/asked"; mkdir -p "${release}"; touch "${release}/pkcs11.node"`,
  );
  await ensure();
  assert.ok(existsSync(join(release, 'pkcs11.node')));
  program('npm', 'exit 1');
  await ensure();
  assert.equal(
    readFileSync(join(root, 'asked'), 'utf8'),
    `${join(root, 'node_modules', `node-linux-${process.arch}`)} rebuild pkcs11js --ignore-scripts=false\n`,
  );
});

test('a build that fails is told with its reason, and a package that is away with its command', async () => {
  await assert.rejects(
    ensure(),
    /pkcs11js is not among the packages .* run "npm ci --ignore-scripts --include=optional"/,
  );
  installed();
  program('npm', 'echo "gyp: error: no headers" >&2; exit 1');
  await assert.rejects(ensure(), /binding could not be built: gyp: error: no headers/);
});

test('which arguments name a token', () => {
  assert.equal(namesToken(['attest', '--key', 'pkcs11:token=t;object=o', 'image']), true);
  assert.equal(namesToken(['verify', '--key=pkcs11:token=t;object=o']), true);
  assert.equal(namesToken(['attest', '--key', 'file:pkcs11:', 'image']), false);
  assert.equal(namesToken(['attest', 'pkcs11.example.com/image']), false);
});
