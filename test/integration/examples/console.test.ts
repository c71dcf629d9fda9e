import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildImage, buildLayer } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { allExamples, consoleSteps, type Example } from '../../support/documentation.ts';
import { debianItems } from '../../support/image.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { runCommand } from '../../support/run-command.ts';

const BIN = fileURLToPath(new URL('../../../bin/attestry.mjs', import.meta.url));

let registry: TestRegistry;
before(async () => {
  registry = await startRegistry();
});
after(() => registry.stop());

for (const example of allExamples().filter(({ language, note }) => language === 'console' && note === 'run')) {
  test(`${example.place} does what it shows`, () => run(example));
}

/** Runs the steps of one block in a prepared folder; the images of each block are new. */
async function run({ text, place }: Example): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'attestry-example-'));
  try {
    const env = await prepare(folder);
    for (const { command, output } of consoleSteps(text)) {
      const result = await runCommand('/bin/sh', ['-c', command], { cwd: folder, env });
      assertShown(`${result.stdout}${result.stderr}`, output, `${place}: ${command}`);
      // A block shows a failure by showing its exit code: `... || echo "exit $?"`.
      assert.equal(result.code, 0, `${place}: ${command}\n${result.stdout}${result.stderr}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What CONTRIBUTING.md promises to be there. */
async function prepare(folder: string): Promise<NodeJS.ProcessEnv> {
  const pki = makePki();
  const files = { 'key.pem': pki.leaf.keyPem, 'certificate.pem': pki.leaf.pem, 'chain.pem': pki.chainPem };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  await writeFile(join(folder, 'attestry'), `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`, { mode: 0o755 });
  await using target = connect(registry.url);
  const layer = await buildLayer(debianItems({ bash: '5.2.15-2', [folder.slice(-6).toLowerCase()]: '1' }));
  await pushImage(
    target,
    'team/app',
    '1',
    buildImage({ layers: [layer], platform: { os: 'linux', architecture: 'amd64' } }),
  );
  return { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}`, REGISTRY: registry.host, NO_COLOR: '1' };
}

/** Each line that is shown appears, in this order; `...` stands for anything, within a line too. */
function assertShown(actual: string, shown: readonly string[], place: string): void {
  const pattern = shown
    .map((line) => (line.trim() === '...' ? '[\\s\\S]*?' : `^${line.split('...').map(escaped).join('.*?')}\\s*?$`))
    .join('[\\s\\S]*?');
  assert.match(actual, new RegExp(pattern, 'm'), place);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\s+/g, '\\s+');
}
