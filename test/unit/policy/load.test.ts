import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { compilePolicies, problems } from '#policy/load.ts';
import { chainSet, clusterPolicy } from '../../support/cluster-policy.ts';
import { makePki } from '../../support/pki.ts';

const pki = makePki();
const good = (name: string) => clusterPolicy([chainSet([pki.chainPem])], { name });
const image = parseImageRef('registry.test/team/app');
const digest = sha256('x');

function load(text: string) {
  return compilePolicies(text, { source: '/somewhere/policies.yaml' }).map((policy) => {
    const verdict = policy.evaluate({
      image,
      digest,
      now: new Date('2026-01-01T00:00:00Z'),
      content: () => ({ ok: true, evidence: [] }),
    });
    assert.deepEqual(verdict.policy, policy.identity);
    return { policy, verdict, identity: policy.identity, code: verdict.reasons[0]?.code };
  });
}

test('every document of a file is a policy with an address that does not change with its text', () => {
  const first = load(`---\n${good('a')}---\n# nothing here\n---\n${good('b')}---\n${good('a')}`);
  assert.deepEqual(
    first.map(({ identity }) => identity.uri),
    [
      'file:policies.yaml#ClusterPolicy/a',
      'file:policies.yaml#ClusterPolicy/b',
      'file:policies.yaml#ClusterPolicy/a/2',
    ],
  );
  const changed = load(good('a').replace('registry.test/*', 'registry.test/**'));
  assert.equal(changed[0]?.identity.uri, first[0]?.identity.uri);
  assert.notEqual(changed[0]?.identity.digest, first[0]?.identity.digest);
  assert.deepEqual(problems(compilePolicies(good('a'), { source: 'x' })[0] ?? assert.fail()), []);
});

test('a Policy is addressed with its namespace', () => {
  const text = good('a')
    .replace('kind: ClusterPolicy', 'kind: Policy')
    .replace('name: a', 'name: a\n  namespace: prod');
  assert.equal(load(text)[0]?.identity.uri, 'file:policies.yaml#Policy/prod/a');
  assert.equal(load(text)[0]?.verdict.outcome, 'fail');
});

for (const [name, text, code] of [
  ['an empty file', '', 'policy-malformed'],
  ['text that is no YAML', 'kind: [', 'policy-malformed'],
  ['a duplicate key', 'kind: A\nkind: B', 'policy-malformed'],
  ['a scalar', 'hello', 'policy-malformed'],
  ['another kind', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}', 'policy-unsupported'],
  [
    'an ImageValidatingPolicy',
    'apiVersion: policies.kyverno.io/v1\nkind: ImageValidatingPolicy\nmetadata: {name: x}',
    'policy-unsupported',
  ],
  ['another version', good('a').replace('kyverno.io/v1', 'kyverno.io/v9'), 'policy-unsupported'],
  ['no name', good('a').replace('name: a', 'labels: {}'), 'policy-malformed'],
  ['a misspelled field', good('a').replace('imageReferences', 'imageReference'), 'policy-malformed'],
  ['a wrong type', good('a').replace('validationFailureAction: Enforce', 'rules: 7'), 'policy-malformed'],
  ['an alias bomb', bomb(), 'policy-malformed'],
  ['deep nesting', '['.repeat(50_000), 'policy-malformed'],
  ['a number that is read in two ways', `${good('a')}\nx: 0123`, 'policy-malformed'],
] as const) {
  test(`${name}: a verdict of error, ${code}`, () => {
    const [only, ...more] = load(text);
    assert.ok(only);
    assert.equal(more.length, 0);
    assert.deepEqual([only.verdict.outcome, only.code], ['error', code]);
    assert.deepEqual(only.policy.needs(image, digest).locations, []);
    assert.deepEqual(problems(only.policy), only.verdict.reasons);
    assert.match(only.identity.digest, /^sha256:/);
  });
}

test('a malformed policy is named with its place', () => {
  const [misspelled] = load(good('a').replace('imageReferences', 'imageReference'));
  assert.equal(misspelled?.verdict.reasons[0]?.clause, 'spec.rules[0].verifyImages[0]');
  assert.match(misspelled?.verdict.reasons[0]?.message ?? '', /unknown field "imageReference"/);
  assert.equal(misspelled?.verdict.emulates, 'kyverno 1.19.1');
  const [broken] = load('a: 1\nb: [');
  assert.match(broken?.verdict.reasons[0]?.message ?? '', /line \d+, column \d+/);
});

test('one bad document does not hide the good ones', () => {
  const loaded = load(`${good('a')}---\nkind: ConfigMap\napiVersion: v1\n`);
  assert.deepEqual(
    loaded.map(({ verdict }) => verdict.outcome),
    ['fail', 'error'],
  );
});

test("words that Kubernetes' YAML takes for booleans are taken so", () => {
  const text = good('a').replace(
    'validationFailureAction: Enforce',
    'validationFailureAction: Enforce\n  background: no',
  );
  assert.equal(load(text)[0]?.verdict.outcome, 'fail');
});

function bomb(): string {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let letter = 1; letter < 9; letter++) {
    const [name, before] = [String.fromCharCode(97 + letter), String.fromCharCode(96 + letter)];
    lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`);
  }
  return lines.join('\n');
}
