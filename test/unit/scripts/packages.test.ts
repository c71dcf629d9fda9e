import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { packagesCurrent } from '../../../scripts/setup/packages.mjs';
import { isSuitableNode } from '../../../scripts/setup/runtime.mjs';

interface Entry {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'attestry-packages-'));
  mkdirSync(join(root, 'node_modules'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function locked(packages: Readonly<Record<string, Entry>>): void {
  write('package-lock.json', packages);
}

function installed(packages: Readonly<Record<string, Entry>>): void {
  write(join('node_modules', '.package-lock.json'), packages);
}

function write(name: string, packages: Readonly<Record<string, Entry>>): void {
  writeFileSync(join(root, name), JSON.stringify({ packages: { '': {}, ...packages } }));
}

const A: Entry = { version: '1.0.0', integrity: 'sha512-a' };
const B: Entry = { version: '2.0.0', integrity: 'sha512-b', dev: true };
const C: Entry = { version: '3.0.0', optional: true };
const at = (name: string) => `node_modules/${name}`;

test('nothing is installed before an installation has ended', () => {
  locked({ [at('a')]: A });
  assert.equal(packagesCurrent(root, { dev: false }), false);
  installed({ [at('a')]: A });
  assert.equal(packagesCurrent(root, { dev: false }), true);
});

test('another version, and other bytes of the same version, are stale', () => {
  locked({ [at('a')]: A });
  installed({ [at('a')]: { ...A, version: '1.0.1' } });
  assert.equal(packagesCurrent(root, { dev: false }), false);
  installed({ [at('a')]: { ...A, integrity: 'sha512-x' } });
  assert.equal(packagesCurrent(root, { dev: false }), false);
});

test('development packages count only where they are needed, optional ones never', () => {
  locked({ [at('a')]: A, [at('b')]: B, [at('c')]: C });
  installed({ [at('a')]: A });
  assert.equal(packagesCurrent(root, { dev: false }), true);
  assert.equal(packagesCurrent(root, { dev: true }), false);
  installed({ [at('a')]: A, [at('b')]: B });
  assert.equal(packagesCurrent(root, { dev: true }), true);
});

test('the Node releases that run the product', () => {
  const suitable = ['v24.15.0', 'v24.21.0', 'v26.0.0', 'v30.1.0'];
  const not = ['v20.20.2', 'v22.22.2', 'v24.14.9', 'v25.9.0'];
  assert.deepEqual(suitable.filter(isSuitableNode), suitable);
  assert.deepEqual(not.filter(isSuitableNode), []);
});
