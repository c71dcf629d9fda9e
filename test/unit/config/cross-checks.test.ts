import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patternCovers } from '#config/checks/rules.ts';
import { checkText, MINIMAL } from '../../support/config-text.ts';

/** What is said of a configuration with these sections, as `severity key message`. */
async function said(text: string): Promise<string[]> {
  const { problems } = await checkText(`version: 1\n${text}`);
  return problems.map(({ severity, key, message }) => `${severity} ${key} ${message}`);
}

test('ids are unique in their list, and may repeat across lists', async () => {
  const text = 'policies: [{ id: a, file: a.yaml }, { id: a, file: b.yaml }]\ntrusts: [{ id: a, key: k.pem }]\n';
  assert.deepEqual(await said(text), ['error policies[1] "a" is also the name of entry 1 of policies']);
});

test('a host belongs to one registry', async () => {
  const text = 'registries: [{ name: a.io, aliases: [b.io] }, { name: b.io }, { name: c.io, aliases: c.io }]\n';
  assert.deepEqual(await said(text), [
    'error registries[1].name b.io already belongs to "a.io"',
    'error registries[2].aliases[0] c.io is written twice',
  ]);
});

test('two registries at one address are pointed out', async () => {
  const text = 'registries: [{ name: a.io }, { id: b, name: b.io, address: a.io }]\n';
  assert.deepEqual(await said(text), [
    'warning registries[1].address "a.io" is dialled at a.io too, so each image there is looked at twice',
  ]);
});

test('references must resolve; a source may call a registry without id by its name', async () => {
  const text = `registries: [{ name: "localhost:5000" }]
sources:
  - { id: a, sender: distribution, registry: "localhost:5000", auth: none }
  - { id: b, sender: generic, registries: [localhost], auth: none }
rules: [{ name: r, evidence: [{ type: cyclonedx, signer: s, trust: t }], policies: p }]
`;
  assert.deepEqual(await said(text), [
    'error sources[1].registries[0] "localhost" is not one of registries',
    'error rules[0].evidence[0].signer "s" is not one of signers',
    'error rules[0].evidence[0].trust "t" is not one of trusts',
    'error rules[0].policies "p" is not one of policies',
  ]);
});

test('evidence goes to configured registries only, by name or alias', async () => {
  const evidence = (repository: string) =>
    MINIMAL.replace('signer: release }]', `signer: release, repository: "${repository}" }]`);
  assert.deepEqual((await checkText(evidence('registry.example.com/evidence'))).problems, []);
  const { problems } = await checkText(evidence('registry.exampel.com/evidence'));
  assert.equal(problems[0]?.key, 'rules[0].evidence[0].repository');
  assert.match(problems[0]?.mend ?? '', /did you mean "registry.example.com"/);
});

test('two policy files of one name would share their verdicts', async () => {
  const text = 'policies: [{ id: a, file: x/p.yaml }, { id: b, file: [y/q.yaml, y/p.yaml] }]\n';
  assert.deepEqual(await said(text), [
    'error policies[1].file[1] another policy file is called p.yaml, and verdicts are kept by that name',
  ]);
});

const UNREACHABLE: readonly (readonly [earlier: string, later: string, warned: boolean])[] = [
  ['{}', '{ repository: a }', true],
  ['{ repository: "team/**" }', '{ repository: ["team/a", "team/b/*"] }', true],
  ['{ repository: "team/*" }', '{ repository: "team/**" }', false],
  ['{ repository: "team/*" }', '{ repository: ["team/a", "other/a"] }', false],
  ['{ tag: "v*" }', '{ tag: "v1.*" }', true],
  ['{ tag: "**" }', '{}', false],
  ['{ tag: "v*" }', '{ repository: a }', false],
  ['{ registry: "*" }', '{ registry: a.io, repository: x }', true],
  ['{ registry: a.io }', '{ repository: x }', false],
];

for (const [earlier, later, warned] of UNREACHABLE) {
  test(`after ${earlier} the rule ${later} ${warned ? 'can never hold' : 'can hold'}`, async () => {
    const text = `registries: [{ name: a.io }]\nrules: [{ name: x, match: ${earlier} }, { name: y, match: ${later} }]\n`;
    const found = (await said(text)).filter((line) => line.includes('can never hold'));
    assert.equal(found.length, warned ? 1 : 0, found.join());
  });
}

test('a pattern covers another only when each text of the other is its own', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['**', 'a/**/b', true],
    ['*', 'a*', true],
    ['*', '**', false],
    ['a/*', 'a/b/c', false],
    ['a*c', 'a*b*c', true],
    ['a*b', 'a*c', false],
    ['**/cache', 'x/y/cache', true],
    ['*/cache', '**/cache', false],
    ['', '', true],
    ['a', 'a*', false],
  ];
  for (const [wide, narrow, expected] of cases)
    assert.equal(patternCovers(wide, narrow), expected, `${wide} ${narrow}`);
});

test('a pattern for a registry that is not configured, or is written by its alias', async () => {
  const text =
    'registries: [{ name: a.io, aliases: b.io }]\nrules: [{ name: x, match: { registry: [b.io, "c.*"] } }]\n';
  const { problems } = await checkText(`version: 1\n${text}`);
  assert.deepEqual(
    problems.map(({ severity, key }) => [severity, key]),
    [
      ['warning', 'rules[0].match.registry[0]'],
      ['warning', 'rules[0].match.registry[1]'],
    ],
  );
  assert.match(problems[0]?.mend ?? '', /write its name, a\.io/);
});

test('the same evidence twice in one rule', async () => {
  const text = MINIMAL.replace('signer: release }]', 'signer: release }, { type: cyclonedx, signer: release }]');
  const { problems } = await checkText(text);
  assert.deepEqual(
    problems.map(({ key }) => key),
    ['rules[0].evidence[1]'],
  );
});

test('a gate that nobody can pass', async () => {
  const when = (text: string) =>
    MINIMAL.replace('    policies: evidence\n', `    policies: evidence\n    when: ${text}\n`);
  const keys = async (text: string) => (await checkText(text)).problems.map(({ key }) => key);
  assert.deepEqual(await keys(when('{ source: hok }')), ['rules[0].when.source[0]']);
  assert.deepEqual(await keys(when('{ source: [hook, api], actor: x }')), []);
  const open = when('{ source: hook, actor: x }').replace('auth: { bearer: env:TOKEN }', 'auth: none');
  assert.deepEqual(await keys(open), ['rules[0].when.actor']);
});
