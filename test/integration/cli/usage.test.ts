import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMANDS } from '#cli/catalogue.ts';
import { TOOL_VERSION } from '#model/tool.ts';
import { runCli } from '../../support/cli.ts';

describe('help and wrong usage', () => {
  it('lists every command', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = await runCli(args);
      assert.deepEqual([code, stderr], [0, '']);
      for (const { name, summary } of COMMANDS) assert.match(stdout, new RegExp(`^ {2}${name} +${summary}$`, 'm'));
    }
  });

  it('tells its version', async () => {
    for (const args of [['--version'], ['version']]) {
      assert.deepEqual(await runCli(args), { code: 0, stdout: `attestry ${TOOL_VERSION}\n`, stderr: '' });
    }
  });

  for (const { name } of COMMANDS) {
    it(`explains ${name}, and refuses a flag that it does not have`, async () => {
      const help = await runCli([name, '--help']);
      assert.deepEqual([help.code, help.stderr], [0, '']);
      assert.match(help.stdout, new RegExp(`^Usage:\\s+attestry ${name}\\b`));
      const wrong = await runCli([name, '--no-such-flag']);
      assert.deepEqual([wrong.code, wrong.stdout], [64, '']);
      assert.match(wrong.stderr, /^attestry.*--no-such-flag/);
    });
  }

  it('answers 64 for no command and one that is not there, on stderr', async () => {
    for (const args of [[], ['atest', 'image']]) {
      const { code, stdout, stderr } = await runCli(args);
      assert.deepEqual([code, stdout], [64, '']);
      assert.match(stderr, /Usage: attestry COMMAND/);
    }
  });

  it('answers 64 for a reference that is none, and says what is wrong with it', async () => {
    for (const command of ['attest', 'verify', 'sbom']) {
      const flags = { attest: ['--key', 'k'], verify: ['--type', 'cyclonedx', '--key', 'k'], sbom: [] }[command] ?? [];
      const { code, stdout, stderr } = await runCli([command, 'registry.example.com/Team/App', ...flags]);
      assert.deepEqual([code, stdout], [64, ''], command);
      assert.match(stderr, /"Team\/App" is not a repository name \(repository names are lower case\)\n {2}write /);
    }
  });
});
