import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainImage } from '#config/explain.ts';
import type { Config } from '#config/schema.ts';
import { checkText, MINIMAL } from '../../support/config-text.ts';

const TEXT = MINIMAL.replace(
  'name: registry.example.com',
  'name: registry.example.com\n    aliases: registry:5000',
).replace(
  'rules:\n',
  `rules:
  - name: releases
    match: { repository: prod/**, tag: "v*" }
    evidence: [{ type: slsaprovenance1, signer: release, repository: registry.example.com/evidence }]
    policies: evidence
    when: { source: hook, actor: bot }
    onLapse: alert
  - name: team
    match: { repository: team/* }
`,
);

async function config(): Promise<Config> {
  const checked = await checkText(TEXT);
  assert.ok(checked.config, JSON.stringify(checked.problems));
  return checked.config;
}

test('the first rule that matches holds, and each one before says why it did not', async () => {
  const explanation = explainImage(await config(), 'registry:5000/other/app:1');
  assert.equal(explanation.image, 'registry.example.com/other/app:1');
  assert.equal(explanation.rule, 'all');
  assert.deepEqual(explanation.missed, [
    { rule: 'releases', why: 'repository other/app is not prod/**' },
    { rule: 'team', why: 'repository other/app is not team/*' },
  ]);
  assert.equal(explanation.evidence[0]?.location, 'registry.example.com/other/app');
  assert.equal(explanation.evidence[0]?.certificate, '/etc/attestry/signer.crt');
  assert.deepEqual(explanation.policies, [
    { id: 'evidence', files: ['/etc/attestry/policy.yaml'], everyMs: 21_600_000 },
  ]);
});

test('an untagged image matches no rule with a tag', async () => {
  const explanation = explainImage(await config(), `registry.example.com/prod/app@sha256:${'0'.repeat(64)}`);
  assert.equal(explanation.missed[0]?.why, 'the image has no tag and the rule names one');
});

test('with a push it says whether that push is signed', async () => {
  const image = 'registry.example.com/prod/app:v1';
  assert.equal(explainImage(await config(), image, { source: 'hook', actor: 'bot' }).unmet, undefined);
  assert.equal(explainImage(await config(), image, { source: 'hook', actor: 'eve' }).unmet, 'actor eve is not bot');
  const explanation = explainImage(await config(), image);
  assert.deepEqual(explanation.when, { source: ['hook'], actor: ['bot'] });
  assert.equal(explanation.onLapse, 'alert');
  assert.equal(explanation.evidence[0]?.location, 'registry.example.com/evidence');
});

test('without a rule nothing follows', async () => {
  const { rules, ...rest } = await config();
  const explanation = explainImage({ ...rest, rules: rules.slice(0, 1) }, 'registry.example.com/x:1');
  assert.equal(explanation.rule, undefined);
  assert.deepEqual(explanation.evidence, []);
});

test('an unknown registry names the one that was meant', async () => {
  const loaded = await config();
  assert.throws(() => explainImage(loaded, 'registry.exampel.com/x'), {
    code: 'unknown-registry',
    mend: 'did you mean "registry.example.com"?',
  });
  assert.throws(() => explainImage(loaded, 'UPPER/x:1'), { code: 'reference-invalid' });
});
