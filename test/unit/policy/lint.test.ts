import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LINTS, type LintCode } from '#policy/lint/catalogue.ts';
import { lintPolicies } from '#policy/lint/lint-policies.ts';
import { bundleCases, bundlePolicy } from '../../support/bundle-corpus.ts';
import { LINT_FIXTURES } from '../../support/lint-fixtures.ts';
import { corpusCases, corpusPolicy } from '../../support/recorded-corpus.ts';

/** These let in too much, or nothing is asked: an image passes under them. */
const LETS_IN: readonly string[] = ['nothing-verified', 'attestation-without-attestors', 'nested-attestor-ignored'];

const FILE = 'policies/check.yaml';
const codesOf = (text: string) => lintPolicies(text, FILE).map(({ code }) => code);

for (const code of Object.keys(LINTS) as LintCode[]) {
  test(`${code}: told where it is, and only there`, () => {
    const { bad, good, at } = LINT_FIXTURES[code];
    const finding = lintPolicies(bad, FILE).find((each) => each.code === code);
    assert.ok(finding, `among ${codesOf(bad).join(', ')}`);
    const line = bad.split('\n')[finding.line - 1] ?? '';
    const pointed = line.slice(finding.column - 1).replace(/^(?:- )+/, '');
    assert.ok(pointed.startsWith(at), `${finding.line}:${finding.column} is ${JSON.stringify(line)}`);
    const { severity, effect, mend } = LINTS[code];
    assert.deepEqual([finding.severity, finding.effect, finding.file], [severity, effect, FILE]);
    assert.ok(finding.mend.length > 0 && mend.length > 0);
    assert.ok(!codesOf(good).includes(code), codesOf(good).join(', '));
  });
}

test('a sound policy has no finding but that its kind is deprecated', () => {
  assert.deepEqual(codesOf(LINT_FIXTURES['deprecated-kind'].bad), ['deprecated-kind']);
});

test('several documents of a file are told with their own places', () => {
  const one = LINT_FIXTURES['cert-beside-chain'].bad;
  const findings = lintPolicies(`${one}---\n${one}`, FILE).filter(({ code }) => code === 'cert-beside-chain');
  const [first, second] = findings.map(({ line }) => line);
  assert.equal((second ?? 0) - (first ?? 0), one.split('\n').length);
});

for (const [name, wanted] of [
  [
    'check-image-keyless',
    [
      '2 deprecated-kind',
      '17 reference-without-host',
      '19 reference-without-host',
      '22 deprecated-field',
      '22 provenance-any-builder',
    ],
  ],
  [
    'check-image-x509',
    [
      '2 deprecated-kind',
      '17 reference-without-host',
      '19 reference-without-host',
      '22 deprecated-field',
      '22 provenance-any-builder',
      '25 chain-without-ignore-tlog',
      '25 chain-without-ignore-sct',
    ],
  ],
] as const) {
  test(`${name}: told everything that stops it`, () => {
    const text = readFileSync(new URL(`../../fixtures/policies/${name}.yaml`, import.meta.url), 'utf8');
    const told = lintPolicies(text, `${name}.yaml`).map(({ line, code }) => `${line} ${code}`);
    assert.deepEqual(told, wanted);
  });
}

test('no policy under which a tool let an image pass has an error, and hundreds were looked at', () => {
  const passing = new Map([
    ...bundleCases.flatMap(({ checks }) =>
      checks.flatMap(({ policy, outcome }) =>
        policy !== undefined && outcome === 'pass' ? [[policy, bundlePolicy(policy)] as const] : [],
      ),
    ),
    ...corpusCases().flatMap(({ checks }) =>
      checks.flatMap(({ policy, outcome }) => (outcome === 'pass' ? [[policy, corpusPolicy(policy)] as const] : [])),
    ),
  ]);
  const wrong = [...passing].flatMap(([name, text]) =>
    lintPolicies(text.replaceAll('REGISTRY', 'registry.test:5000'), name)
      .filter(({ severity, code }) => severity === 'error' && !LETS_IN.includes(code))
      .map(({ code }) => `${name}: ${code}`),
  );
  assert.ok(passing.size >= 350, String(passing.size));
  assert.deepEqual(wrong, []);
});

test('hostile nesting, aliases and shapes are bounded, and end in findings', () => {
  const bomb = `a: &a [${'x,'.repeat(50)}x]\nb: &b [${'*a,'.repeat(60)}*a]\napiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {rules: [${'*b,'.repeat(60)}*b]}\n`;
  for (const text of [
    `${'['.repeat(100_000)}`,
    bomb,
    'apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: 1\n',
    'kind: [a]\n',
    '7\n',
    '',
  ]) {
    assert.ok(lintPolicies(text, FILE).length > 0, text.slice(0, 40));
  }
});
