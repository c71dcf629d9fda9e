import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainImage } from '#config/explain.ts';
import { checkText } from '../../support/config-text.ts';

const BASE = `version: 1
registries:
  - { name: registry.example.com }
  - { name: fixed.example.com, immutableTags: true }
  - { name: docker.io }
witnesses:
  - { id: log, type: rekor, url: "https://rekor.example.com" }
  - { id: log2, type: rekor, version: 2, url: "https://rekor2.example.com" }
  - { id: tsa, type: timestamp-authority, url: "https://tsa.example.com/api/v1/timestamp" }
signers:
  - { id: ca, type: x509, key: env:KEY, certificate: signer.crt, chain: chain.crt }
  - { id: ca-stamped, type: x509, key: env:KEY, certificate: signer.crt, chain: chain.crt, witnesses: tsa }
  - { id: ca-log2, type: x509, key: env:KEY, certificate: signer.crt, chain: chain.crt, witnesses: log2 }
  - { id: key, type: key, key: env:KEY }
  - { id: key-log2, type: key, key: env:KEY, witnesses: log2 }
  - { id: key-log2-stamped, type: key, key: env:KEY, witnesses: [log2, tsa] }
`;

/** `key: message` of each problem of one rule of registry.example.com. */
async function problems(evidence: string, rule = ''): Promise<readonly string[]> {
  const text = `${BASE}rules:\n  - name: app\n    match: { registry: registry.example.com }\n${rule}    evidence: [${evidence}]\n`;
  return (await checkText(text)).problems.map(({ key, message, mend }) => `${key}: ${message}; ${mend}`);
}

const evidence = (signer: string, layout?: string, more = '') =>
  `{ type: cyclonedx, signer: ${signer}${layout ? `, layout: ${layout}` : ''}${more} }`;

async function alone(message: RegExp, ...args: Parameters<typeof problems>): Promise<void> {
  const [first = '', ...others] = await problems(...args);
  assert.match(first, message);
  assert.deepEqual(others, []);
}

test('cosign’s tags with Rekor v2 as the only time evidence are refused, naming rule, signer and mend', async () => {
  const refused =
    /^rules\[0\]\.evidence\[0\]: cyclonedx of the rule "app" has a Rekor v2 log as its only witness \(signer key-log2\).*; write layout: bundle, or give the signer a timestamp authority/;
  await alone(refused, evidence('key-log2'));
  await alone(refused, evidence('key-log2', 'cosign-tag'));
  assert.deepEqual(await problems(evidence('key-log2', 'bundle')), []);
  assert.deepEqual(await problems(evidence('key-log2-stamped')), []);
  await alone(
    /tells no time: no verifier takes its certificate; give the signer a timestamp/,
    evidence('ca-log2', 'bundle'),
  );
});

test('what a verifier that the rule names cannot read is said by name', async () => {
  const verifiers = (names: string) => `    verifiers: ${names}\n`;
  const cases: readonly (readonly [string, string, string | undefined, RegExp | undefined])[] = [
    ['kyverno-cosign', 'ca', undefined, undefined],
    [
      'kyverno-cosign',
      'ca',
      'bundle',
      /type Cosign cannot read .* \(signer ca\): it never reads bundles; write layout/,
    ],
    ['kyverno-bundle', 'ca', 'bundle', /type SigstoreBundle cannot read .*: it takes no certificate of a private CA/],
    ['kyverno-bundle', 'ca', undefined, /type SigstoreBundle cannot read .*: it never reads cosign's tags/],
    ['kyverno-bundle', 'key', undefined, undefined],
    [
      'kyverno-ivp',
      'ca',
      undefined,
      /ImageValidatingPolicy cannot read .*: it needs a Rekor v1 log, and the signer has no/,
    ],
    ['kyverno-ivp', 'key', undefined, undefined],
    ['kyverno-ivp', 'ca-stamped', 'bundle', undefined],
    [
      'policy-controller',
      'key',
      'bundle',
      /ClusterImagePolicy cannot read .*: it reads bundles of keyless signers alone/,
    ],
    ['cosign-3', 'ca', 'both', undefined],
    ['attestry', 'ca', 'bundle', undefined],
  ];
  for (const [verifier, signer, layout, refused] of cases) {
    const found = await problems(evidence(signer, layout), verifiers(verifier));
    if (refused) assert.match(found.join(), refused);
    else assert.deepEqual(found, [], `${verifier} ${signer} ${layout}`);
  }
});

test('bundles in another repository are found by nobody but us', async () => {
  const elsewhere = ', repository: registry.example.com/evidence';
  const verifiers = '    verifiers: [cosign-3]\n';
  await alone(/looks for bundles in the image's own repository/, evidence('key', 'bundle', elsewhere), verifiers);
  assert.deepEqual(await problems(evidence('key', 'both', elsewhere), verifiers), []);
  assert.deepEqual(await problems(evidence('key', 'bundle', elsewhere), '    verifiers: [attestry]\n'), []);
});

test('a rule does not hide its own evidence behind its own bundles', async () => {
  const vex = '{ type: slsaprovenance1, signer: key, layout: bundle }';
  const mixed = `${evidence('ca')}, ${vex}`;
  await alone(/^rules\[0\]\.evidence\[0\]: the bundle of slsaprovenance1 hides this cyclonedx/, mixed);
  assert.deepEqual(await problems(mixed, '    hiding: warn\n'), []);
  assert.deepEqual(await problems(`${evidence('ca', 'both')}, ${vex}`), []);
  const elsewhere = evidence('ca', undefined, ', repository: registry.example.com/evidence');
  assert.deepEqual(await problems(`${elsewhere}, ${vex}`), []);
});

test('a registry takes no deeper path than it can', async () => {
  const deep = evidence('ca', undefined, ', repository: docker.io/company/team/evidence');
  await alone(/repository: docker\.io takes repository paths of 2 levels.*docker\.io\/company\/team-evidence/, deep);
  assert.deepEqual(await problems(evidence('ca', undefined, ', repository: docker.io/company/evidence')), []);
});

test('cosign’s tags cannot live where tags cannot be written again', async () => {
  const inFixed = ', repository: fixed.example.com/evidence';
  await alone(
    /tags of fixed\.example\.com cannot be written again; write layout: bundle/,
    evidence('ca', undefined, inFixed),
  );
  assert.deepEqual(await problems(evidence('ca', 'bundle', inFixed)), []);
  const anywhere = `${BASE}rules: [{ name: all, evidence: [${evidence('ca')}] }]\n`;
  const found = (await checkText(anywhere)).problems;
  assert.deepEqual(
    found.map(({ key }) => key),
    ['rules[0].evidence[0]'],
  );
});

test('one entry is both layouts: two for the same signer and place are one too many', async () => {
  const [found = ''] = await problems(
    `${evidence('key', 'cosign-tag')}, ${evidence('key', 'bundle')}`,
    '    hiding: warn\n',
  );
  assert.match(found, /named twice.*layout: both/);
});

test('the explanation says which layout it is, and who reads it', async () => {
  const text = `${BASE}rules: [{ name: app, match: { registry: registry.example.com }, evidence: [${evidence('ca')}, { type: slsaprovenance1, signer: ca, layout: both }] }]\n`;
  const { config } = await checkText(text.replace('evidence: [', 'hiding: warn, evidence: ['));
  assert.ok(config);
  const [sbom, provenance] = explainImage(config, 'registry.example.com/app:1').evidence;
  assert.deepEqual([sbom?.layout, provenance?.layout], ['cosign-tag', 'both']);
  const readers = Object.fromEntries((sbom?.readers ?? []).map(({ verifier, readable }) => [verifier, readable]));
  assert.deepEqual(readers, {
    attestry: true,
    'cosign-3': true,
    'cosign-2': true,
    'kyverno-cosign': true,
    'kyverno-bundle': false,
    'kyverno-ivp': false,
    'policy-controller': true,
  });
});
