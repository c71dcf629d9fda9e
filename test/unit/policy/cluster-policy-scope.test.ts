import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chainSet,
  clusterPolicy,
  conditionedPolicy,
  judgeUnder,
  type PolicySpec,
  type Situation,
} from '../../support/cluster-policy.ts';
import { makePki } from '../../support/pki.ts';
import { signedEvidence } from '../../support/signed-evidence.ts';

const pki = makePki();
const sound = [signedEvidence(pki)];
const judge = (text: string, situation: Situation = {}) => judgeUnder(text, { evidence: sound, ...situation });
const simple = (spec?: PolicySpec) => clusterPolicy([chainSet([pki.chainPem])], spec);
const conditioned = (conditions: readonly object[]) => conditionedPolicy(pki.chainPem, conditions);
const certificates = (more: object) => [
  {
    entries: [
      { certificates: { certChain: pki.chainPem, rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true }, ...more } },
    ],
  },
];

const PEM = pki.leaf.publicKey.export({ type: 'spki', format: 'pem' }).toString();
for (const [name, text, clause] of [
  [
    'keys',
    clusterPolicy([{ entries: [{ keys: { kms: 'awskms:///alias/a' } }] }]),
    'attestations[0].attestors[0].entries[0].keys',
  ],
  [
    'keyless',
    clusterPolicy([{ entries: [{ keyless: { rekor: { url: 'https://rekor.test' } } }] }]),
    'attestations[0].attestors[0].entries[0].keyless',
  ],
  [
    'nested',
    clusterPolicy([{ entries: [{ attestor: chainSet([pki.chainPem]) }] }]),
    'attestations[0].attestors[0].entries[0].attestor',
  ],
  [
    'cert',
    clusterPolicy(certificates({ certChain: '', cert: 'no PEM' })),
    'attestations[0].attestors[0].entries[0].certificates.cert',
  ],
  [
    'tsaCertChain',
    clusterPolicy(certificates({ ctlog: { tsaCertChain: 'no PEM' } })),
    'attestations[0].attestors[0].entries[0].certificates.ctlog.tsaCertChain',
  ],
  [
    'a chain that is none',
    clusterPolicy(certificates({ certChain: 'no PEM' })),
    'attestations[0].attestors[0].entries[0].certificates.certChain',
  ],
  ['no attestors', clusterPolicy([]), 'attestations[0].attestors'],
  [
    'signatures as referrers',
    simple({ element: { attestors: [chainSet([pki.chainPem])], cosignOCI11: true } }),
    'cosignOCI11',
  ],
  ['Notary', simple({ element: { type: 'Notary' } }), 'type'],
  ['the flat form', simple({ element: { key: PEM } }), 'key'],
  ['deny', simple({ element: { validate: { deny: { conditions: [] } } } }), 'validate.deny'],
  ['a variable outside of conditions', simple({ element: { repository: '{{ request.namespace }}/x' } }), 'repository'],
  [
    'a context variable',
    conditioned([{ all: [{ key: '{{ request.operation }}', operator: 'Equals', value: 'x' }] }]),
    'attestations[0].conditions',
  ],
  [
    'an unsupported function',
    conditioned([{ all: [{ key: '{{ time_now() }}', operator: 'Equals', value: 'x' }] }]),
    'attestations[0].conditions',
  ],
] as const) {
  test(`${name}: not supported, by name, once the image matches`, () => {
    const verdict = judge(text);
    assert.deepEqual([verdict.outcome, verdict.codes], ['error', ['policy-unsupported']]);
    assert.equal(verdict.clauses[0], `spec.rules[0].verifyImages[0].${clause}`);
    assert.deepEqual(verdict.announced, []);
    assert.equal(judge(text, { image: 'elsewhere.test/app' }).outcome, 'skip');
  });
}

for (const [name, rule, clause] of [
  [
    'namespaces',
    { match: { any: [{ resources: { kinds: ['Pod'], namespaces: ['prod'] } }] } },
    'match.any[0].resources.namespaces',
  ],
  ['excluded users', { exclude: { any: [{ subjects: [{ kind: 'User', name: 'x' }] }] } }, 'exclude.any[0].subjects'],
  ['preconditions', { preconditions: { all: [{ key: 'a', operator: 'Equals', value: 'a' }] } }, 'preconditions'],
  ['context', { context: [{ name: 'x', variable: { value: 1 } }] }, 'context'],
] as const) {
  test(`${name}: depends on more than the image, so it is not judged`, () => {
    const verdict = judge(simple({ rule }));
    assert.deepEqual([verdict.outcome, verdict.codes], ['error', ['policy-unsupported']]);
    assert.equal(verdict.clauses[0], `spec.rules[0].${clause}`);
    assert.equal(judge(simple({ rule }), { image: 'elsewhere.test/app' }).outcome, 'skip');
  });
}

for (const [name, match, outcome] of [
  ['Pod with its version', { resources: { kinds: ['v1/Pod'] } }, 'pass'],
  ['every kind', { any: [{ resources: { kinds: ['*'] } }] }, 'pass'],
  ['Deployments only', { any: [{ resources: { kinds: ['Deployment'] } }] }, 'skip'],
  ['a subresource', { any: [{ resources: { kinds: ['Pod/exec'] } }] }, 'skip'],
  ['deletions only', { any: [{ resources: { kinds: ['Pod'], operations: ['DELETE'] } }] }, 'skip'],
  [
    'one alternative that is free',
    { any: [{ resources: { kinds: ['Pod'], namespaces: ['x'] } }, { resources: { kinds: ['Pod'] } }] },
    'pass',
  ],
  [
    'all of Pod and Deployment',
    { all: [{ resources: { kinds: ['Pod'] } }, { resources: { kinds: ['Deployment'] } }] },
    'skip',
  ],
] as const) {
  test(`match: ${name}: ${outcome}`, () => assert.equal(judge(simple({ rule: { match } })).outcome, outcome));
}

test('a rule that excludes every Pod has no say', () => {
  const rule = { exclude: { any: [{ resources: { kinds: ['Pod'] } }] } };
  assert.equal(judge(simple({ rule })).outcome, 'skip');
});

for (const [name, text, clause] of [
  ['Audit with mutateDigest', simple({ spec: { validationFailureAction: 'Audit' } }), 'verifyImages[0].mutateDigest'],
  ['Audit of the element', simple({ element: { failureAction: 'Audit' } }), 'verifyImages[0].mutateDigest'],
  [
    'no failure action at all',
    simple({ spec: { validationFailureAction: undefined } }),
    'verifyImages[0].mutateDigest',
  ],
  [
    'a count above the entries',
    clusterPolicy([chainSet([pki.chainPem], 2)]),
    'verifyImages[0].attestations[0].attestors[0].count',
  ],
  ['no entries', clusterPolicy([{ entries: [] }]), 'verifyImages[0].attestations[0].attestors[0].entries'],
  ['an empty entry', clusterPolicy([{ entries: [{}] }]), 'verifyImages[0].attestations[0].attestors[0].entries[0]'],
  [
    'certificates without any',
    clusterPolicy([{ entries: [{ certificates: {} }] }]),
    'verifyImages[0].attestations[0].attestors[0].entries[0].certificates',
  ],
  [
    'the operator Equal',
    conditioned([{ all: [{ key: 'a', operator: 'Equal', value: 'a' }] }]),
    'verifyImages[0].attestations[0].conditions[0].all[0].operator',
  ],
  [
    'an operator in lower case',
    conditioned([{ any: [{ key: 'a', operator: 'anyin', value: 'a' }] }]),
    'verifyImages[0].attestations[0].conditions[0].any[0].operator',
  ],
  ['no image reference', simple({ element: { imageReferences: [] } }), 'verifyImages[0]'],
  [
    'a variable in a reference',
    simple({ element: { imageReferences: ['{{ x }}'] } }),
    'verifyImages[0].imageReferences[0]',
  ],
] as const) {
  test(`refused: ${name}, for every image`, () => {
    for (const image of ['registry.test/team/app:1', 'elsewhere.test/app']) {
      const verdict = judge(text, { image });
      assert.deepEqual([verdict.outcome, verdict.codes[0]], ['error', 'policy-refused']);
      assert.equal(verdict.clauses[0], `spec.rules[0].${clause}`);
    }
  });
}
