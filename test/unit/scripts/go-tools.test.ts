import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ensureTools } from '../../../scripts/setup/ensure-tools.mjs';
import { GO_TOOLS, toolFolder, toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';

let root: string;
const path = process.env.PATH;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'attestry-tools-'));
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(root, { recursive: true, force: true });
});

const TOOL = { id: 'crane', version: '0.22.1', module: 'example.test/cmd/made', made: 'made' };

/** A `go` that says it is this version, and installs as this shell text does. */
function goIs(version: string, install: string): void {
  const script = `#!/bin/sh\nif [ "$1" = env ]; then echo ${version}; exit; fi\necho "$@" >> '${root}/asked'\n${install}\n`;
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'bin', 'go'), script);
  chmodSync(join(root, 'bin', 'go'), 0o755);
  process.env.PATH = `${join(root, 'bin')}:${path}`;
}

function ensure(said: string[] = []): Promise<void> {
  return ensureTools({ root, say: (line: string) => said.push(line), tools: [TOOL] });
}

test('a tool is built once, appears whole under its own name, and its seconds are told', async () => {
  goIs('go1.26.8', 'echo "#!/bin/sh" > "$GOBIN/made"');
  const said: string[] = [];
  await ensure(said);
  assert.ok(existsSync(toolPath(root, 'crane')));
  assert.match(said.join('\n'), /built crane 0\.22\.1 in \d+ s \(1 of 1\)/);
  await ensure();
  assert.equal(readFileSync(join(root, 'asked'), 'utf8'), 'install example.test/cmd/made@v0.22.1\n');
});

test('without Go, or with one that is too old, one line says what to install', async () => {
  goIs('go1.25.3', 'exit 1');
  const one = /^the interop suite needs Go 1\.26 or newer on PATH .*\(that is 1\.25\); install it from go\.dev\/dl$/;
  await assert.rejects(ensure(), { name: 'SetupError', message: one });
  process.env.PATH = join(root, 'nowhere');
  await assert.rejects(ensure(), { name: 'SetupError', message: /\(none is there\)/ });
});

test('a build that fails is tried twice, and leaves nothing that looks like a tool', async () => {
  goIs('go1.26.8', 'echo "no such module" >&2; exit 1');
  await assert.rejects(ensure(), { name: 'SetupError', message: 'crane 0.22.1 could not be built: no such module' });
  assert.equal(readFileSync(join(root, 'asked'), 'utf8').trim().split('\n').length, 2);
  assert.equal(existsSync(toolFolder(root, TOOL)), false);
});

test('modules of our own require the very versions that are listed', () => {
  for (const { id, version, folder } of GO_TOOLS.filter((tool) => 'folder' in tool)) {
    const text = readFileSync(join(CLONE, 'scripts', 'tools', folder ?? '', 'go.mod'), 'utf8');
    assert.match(
      text,
      new RegExp(`(?:kyverno|policy-controller|go-containerregistry|hashicorp\\/vault) v${version}\\b`),
      id,
    );
  }
});

test('a network of its own reaches itself alone', async () => {
  const { findNetwork, insideNetwork } = await import('../../../scripts/testing/own-network.mjs');
  const said: string[] = [];
  const way = findNetwork((line: string) => said.push(line));
  const [program, ...args] = insideNetwork(way, ['cat', '/proc/net/dev']);
  assert.ok(program);
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0);
  const devices = stdout.split('\n').flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
  if (way === 'shared') assert.equal(said.length, 1);
  else assert.ok(devices.includes('lo') && !devices.includes('eth0'), devices.join());
});
