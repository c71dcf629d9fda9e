import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { CYCLONEDX } from '#model/media-types.ts';
import {
  chainSet,
  clusterPolicy,
  conditionedPolicy,
  judgeUnder,
  type PolicySpec,
  type Situation,
} from '../../support/cluster-policy.ts';
import { makePki } from '../../support/pki.ts';
import { createRekorLog } from '../../support/rekor-log.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';

const pki = makePki();
const other = makePki();
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

test('sound evidence passes, and the verdict says what, by whom and where', () => {
  const verdict = judge(simple());
  assert.equal(verdict.outcome, 'pass');
  assert.equal(verdict.image, `registry.test/team/app:1.0@${SUBJECT}`);
  assert.equal(verdict.mode, 'compat');
  assert.deepEqual(verdict.policy.uri, 'file:policy.yaml#ClusterPolicy/check-image');
  assert.deepEqual(verdict.reasons, [
    {
      code: 'verified',
      message: 'evidence of type https://slsa.dev/provenance/v1 holds',
      clause: 'spec.rules[0].verifyImages[0].attestations[0]',
      wanted: 'https://slsa.dev/provenance/v1',
      found: 'https://attestry.test/builder',
      evidence: `registry.test/team/app@${sound[0]?.descriptor.digest}`,
    },
  ]);
});

test('nothing attached, or another type, is missing evidence', () => {
  const bare = judge(simple(), { evidence: [] });
  assert.deepEqual([bare.outcome, bare.codes], ['fail', ['evidence-missing']]);
  const sbom = judge(simple(), { evidence: [signedEvidence(pki, { type: CYCLONEDX })] });
  assert.deepEqual([sbom.outcome, sbom.codes], ['fail', ['evidence-missing']]);
  assert.match(sbom.reasons[0]?.found ?? '', /cyclonedx/);
});

test('evidence by a stranger is named piece by piece', () => {
  const verdict = judge(simple(), { evidence: [signedEvidence(other)] });
  assert.deepEqual([verdict.outcome, verdict.codes], ['fail', ['evidence-invalid', 'chain-untrusted']]);
});

test('evidence that cannot be fetched is an error, never a fail', () => {
  const error = new AppError('registry-unavailable', 'the registry answered 503');
  const verdict = judge(simple(), { content: { ok: false, error } });
  assert.deepEqual([verdict.outcome, verdict.codes], ['error', ['evidence-unreachable']]);
});

test('the repository of the element, and over it that of the entry, says where evidence is', () => {
  const inElement = simple({ element: { repository: 'evidence.test/all/container' } });
  assert.deepEqual(judge(inElement).announced, ['evidence.test/all/container']);
  const entry = { ...(certificates({})[0]?.entries[0] ?? {}), repository: 'entry.test/own' };
  const both = clusterPolicy([{ entries: [entry] }], { element: { repository: 'evidence.test/all' } });
  assert.deepEqual(judge(both).announced, ['entry.test/own']);
  assert.deepEqual(judge(simple()).announced, ['registry.test/team/app']);
});

for (const [name, chains, count, outcome] of [
  ['two entries without a count, one signs', [pki.chainPem, other.chainPem], undefined, 'fail'],
  ['two entries with count 1, the first signs', [pki.chainPem, other.chainPem], 1, 'pass'],
  ['two entries with count 1, the second signs', [other.chainPem, pki.chainPem], 1, 'pass'],
  ['three entries with count 2, one signs', [pki.chainPem, other.chainPem, other.chainPem], 2, 'fail'],
] as const) {
  test(`attestors: ${name}: ${outcome}`, () => {
    const verdict = judge(clusterPolicy([chainSet(chains, count)]));
    assert.equal(verdict.outcome, outcome);
    if (outcome === 'fail') assert.equal(verdict.codes[0], 'attestor-count');
  });
}

test('all sets must pass', () => {
  const sets = [chainSet([pki.chainPem]), chainSet([other.chainPem])];
  assert.equal(judge(clusterPolicy(sets)).outcome, 'fail');
  assert.equal(judge(clusterPolicy(sets), { evidence: [...sound, signedEvidence(other)] }).outcome, 'pass');
});

const builder = (value: string) => ({ key: '{{ runDetails.builder.id }}', operator: 'Equals', value });

test('every valid statement of the type must meet the conditions', () => {
  const text = conditioned([{ all: [builder('https://builder.test/*')] }]);
  assert.equal(judge(text).outcome, 'pass');
  const bad = signedEvidence(pki, { predicate: { runDetails: { builder: { id: 'https://evil.test' } } } });
  const verdict = judge(text, { evidence: [...sound, bad] });
  assert.deepEqual([verdict.outcome, verdict.codes], ['fail', ['condition-failed']]);
  assert.deepEqual(verdict.reasons[0], {
    code: 'condition-failed',
    message: 'a condition is not met',
    clause: 'spec.rules[0].verifyImages[0].attestations[0].conditions[0].all[0]',
    wanted: 'Equals https://builder.test/*',
    found: 'https://evil.test',
    evidence: `registry.test/team/app@${bad.descriptor.digest}`,
  });
  const foreign = signedEvidence(other, { predicate: {} });
  assert.equal(judge(text, { evidence: [...sound, foreign] }).outcome, 'pass');
});

test('a variable that cannot be resolved fails, also beside an alternative that holds', () => {
  const text = conditioned([{ any: [builder('*'), { key: '{{ missing }}', operator: 'Equals', value: 'x' }] }]);
  assert.deepEqual(judge(text).codes, ['condition-unresolved']);
});

test('a text predicate fails for want of an object', () => {
  assert.deepEqual(judge(simple(), { evidence: [signedEvidence(pki, { predicate: 'SPDXVersion: 2.3' })] }).codes, [
    'predicate-not-object',
  ]);
});

for (const [name, element, image, code] of [
  ['no pattern matches', { imageReferences: ['registry.test/other*'] }, undefined, 'image-not-matched'],
  [
    'a digest hides the tag',
    { imageReferences: ['registry.test/team/app:*'] },
    `registry.test/team/app:1.0@${SUBJECT.replace(/.$/, '0')}`,
    'image-not-matched',
  ],
  ['skipImageReferences matches', { skipImageReferences: ['*/app:1.0'] }, undefined, 'image-skipped'],
  ['nothing is asked for', { attestations: [] }, undefined, 'nothing-to-verify'],
] as const) {
  test(`skip: ${name}`, () => {
    const pattern = name === 'a digest hides the tag' ? { imageReferences: ['registry.test/team/app:1.*'] } : element;
    const verdict = judge(simple({ element: pattern }), image === undefined ? {} : { image });
    assert.deepEqual([verdict.outcome, verdict.codes], ['skip', [code]]);
    assert.deepEqual(verdict.announced, []);
  });
}

test('Audit without mutateDigest is accepted, and its fail stays a fail', () => {
  const audit = { failureAction: 'Audit', mutateDigest: false, verifyDigest: false };
  assert.equal(judge(simple({ element: audit })).outcome, 'pass');
  assert.equal(judge(simple({ element: audit }), { evidence: [] }).outcome, 'fail');
});

test('verifyDigest without mutateDigest wants a reference by digest', () => {
  const text = simple({ element: { mutateDigest: false } });
  assert.deepEqual(judge(text).codes, ['digest-missing', 'verified']);
  assert.equal(judge(text, { image: `registry.test/team/app@${SUBJECT}` }).outcome, 'pass');
});

test('a log entry that a policy requires: of its log, of another one, and of the public instance', () => {
  const log = createRekorLog();
  const logged = log.log(sound[0] as RawEvidence);
  const wanting = (rekor: object) => clusterPolicy(certificates({ rekor: { url: 'https://rekor.test', ...rekor } }));
  assert.equal(judge(wanting({ pubkey: log.pem }), { evidence: [logged] }).outcome, 'pass');
  assert.deepEqual(judge(wanting({ pubkey: log.pem })).codes, ['evidence-invalid', 'log-entry-missing']);
  const other = wanting({ pubkey: createRekorLog().pem });
  assert.deepEqual(judge(other, { evidence: [logged] }).codes, ['evidence-invalid', 'log-entry-invalid']);
  assert.deepEqual(judge(wanting({}), { evidence: [logged] }).codes, ['policy-unsupported']);
  assert.equal(judge(wanting({}), { evidence: [...sound, logged] }).outcome, 'error');
});

test('a predicate that brings variables of its own is not evaluated', () => {
  const text = conditioned([{ all: [builder('x')] }]);
  for (const id of ['{{ request.operation }}', 'a $(b) c']) {
    const verdict = judge(text, {
      evidence: [signedEvidence(pki, { predicate: { runDetails: { builder: { id } } } })],
    });
    assert.deepEqual([verdict.outcome, verdict.codes], ['error', ['policy-unsupported']]);
  }
});

test('more layers than the tools read are a fail', () => {
  const verdict = judge(simple(), { evidence: Array.from({ length: 1001 }, () => sound[0] as RawEvidence) });
  assert.deepEqual([verdict.outcome, verdict.codes], ['fail', ['evidence-invalid']]);
});

test('a chain that cannot be read is said to be that', () => {
  const verdict = judge(clusterPolicy([chainSet(['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])]));
  assert.deepEqual([verdict.outcome, verdict.codes], ['error', ['policy-unsupported']]);
  assert.match(verdict.reasons[0]?.message ?? '', /^certificate 1: .*: what comes of that is not supported yet$/);
});
