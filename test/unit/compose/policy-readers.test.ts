import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyReaderFindings, refuseUnreadable } from '#compose/policy-readers.ts';
import { entriesOfConfig } from '#config/draft.ts';
import { checkText, MINIMAL } from '../../support/config-text.ts';

const policy = (type: string, predicateType = 'https://cyclonedx.org/bom') => `
kind: ClusterPolicy
metadata: { name: evidence }
spec: { rules: [{ verifyImages: [{ type: ${type}, attestations: [{ type: "${predicateType}" }] }] }] }
`;

async function findings(text: string, document: string) {
  const { config, problems } = await checkText(text);
  assert.ok(config, JSON.stringify(problems));
  return await policyReaderFindings(entriesOfConfig(config), async () => Buffer.from(document));
}

test('evidence that the policy of its rule cannot read is refused with rule, signer, policy and mend', async () => {
  const found = await findings(MINIMAL, policy('SigstoreBundle'));
  assert.equal(found.length, 1);
  const [{ message = '', mend = '', path = [] } = {}] = found;
  assert.deepEqual(path, ['rules', 0, 'evidence', 0]);
  assert.match(
    message,
    /type SigstoreBundle cannot read cyclonedx of the rule "all" \(signer release\), which ClusterPolicy\/evidence asks for/,
  );
  assert.match(mend, /layout: bundle or both/);
  assert.throws(() => refuseUnreadable(found), { code: 'config-invalid', field: 'rules[0].evidence[0]' });
});

test('what the policy does not ask for, or can read, is no problem', async () => {
  assert.deepEqual(await findings(MINIMAL, policy('Cosign')), []);
  assert.deepEqual(await findings(MINIMAL, policy('SigstoreBundle', 'https://example.com/other')), []);
  refuseUnreadable([]);
});

test('one signer that the policy can read is enough for its type', async () => {
  const text = MINIMAL.replace('policies:\n', '  - { id: other, type: key, key: env:KEY }\npolicies:\n').replace(
    'signer: release }]',
    'signer: release, layout: both }, { type: cyclonedx, signer: other }]',
  );
  assert.deepEqual(await findings(text, policy('SigstoreBundle')), []);
});
