import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TOOL_VERSION } from '#model/tool.ts';
import { LINTS } from '#policy/lint/catalogue.ts';
import { runCli } from '../../support/cli.ts';
import { LINT_FIXTURES } from '../../support/lint-fixtures.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

describe('policy lint', () => {
  let scratch: Scratch;
  let bad: string;
  let good: string;
  let weak: string;

  before(async () => {
    scratch = await makeScratch();
    bad = await scratch.write('bad policy.yaml', LINT_FIXTURES['cert-beside-chain'].bad);
    good = await scratch.write('good.yaml', LINT_FIXTURES['cert-beside-chain'].good);
    weak = await scratch.write('weak.yaml', LINT_FIXTURES['any-identity'].bad);
  });
  after(() => scratch[Symbol.asyncDispose]());

  it('answers 0 for what is sound, 1 with findings, and counts deprecations as neither', async () => {
    const clean = await runCli(['policy', 'lint', good]);
    assert.deepEqual([clean.code, clean.stderr], [0, '']);
    assert.match(clean.stdout, /1 note\n$/);
    const { code, stdout } = await runCli(['policy', 'lint', good, bad]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /bad policy\.yaml:\d+:\d+: error cert-beside-chain: .+\n {2}in ClusterPolicy\/check-image spec\.rules\[0\]/,
    );
    assert.match(stdout, /\n {2}mend: remove cert\n/);
  });

  it('leaves warnings out of the exit code where that is asked', async () => {
    assert.equal((await runCli(['policy', 'lint', weak])).code, 1);
    assert.equal((await runCli(['policy', 'lint', weak, '--fail-on', 'error'])).code, 0);
    assert.equal((await runCli(['policy', 'lint', bad, '--fail-on', 'error', '--quiet'])).code, 1);
  });

  it('answers 2 for what cannot be read, and 64 for wrong usage', async () => {
    const broken = await scratch.write('broken.yaml', 'kind: [');
    const { code, stdout } = await runCli(['policy', 'lint', broken]);
    assert.deepEqual([code, /broken\.yaml:\d+:\d+: error not-yaml/.test(stdout)], [2, true]);
    const gone = await runCli(['policy', 'lint', scratch.at('gone.yaml')]);
    assert.equal(gone.code, 2);
    assert.match(gone.stderr, /gone\.yaml: there is no such file/);
    for (const args of [[], ['lint'], ['lint', bad, '--format', 'xml'], ['lint', bad, '--fail-on', 'all'], ['judge']]) {
      assert.equal((await runCli(['policy', ...args])).code, 64, args.join(' '));
    }
  });

  it('prints JSON, and SARIF whose results name rules of the catalogue and places', async () => {
    const json = await runCli(['policy', 'lint', bad, '--json']);
    const { findings } = JSON.parse(json.stdout);
    assert.ok(
      findings.some((each: { code: string; line: number }) => each.code === 'cert-beside-chain' && each.line > 1),
    );
    const { code, stdout } = await runCli(['policy', 'lint', bad, '--format', 'sarif']);
    assert.equal(code, 1);
    const sarif = JSON.parse(stdout);
    const [run] = sarif.runs;
    const { driver } = run.tool;
    assert.deepEqual([sarif.version, driver.name, driver.version], ['2.1.0', 'attestry', TOOL_VERSION]);
    assert.deepEqual(
      driver.rules.map(({ id }: { id: string }) => id),
      Object.keys(LINTS),
    );
    assert.equal(run.results.length, findings.length);
    for (const { ruleId, ruleIndex, level, locations } of run.results) {
      assert.equal(driver.rules[ruleIndex].id, ruleId);
      assert.ok(['error', 'warning', 'note'].includes(level));
      const { artifactLocation, region } = locations[0].physicalLocation;
      assert.match(artifactLocation.uri, /^file:\/\/\/.+bad%20policy\.yaml$/);
      assert.ok(region.startLine >= 1 && region.startColumn >= 1);
    }
  });
});
