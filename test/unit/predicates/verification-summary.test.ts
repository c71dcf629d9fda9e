import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import type { Reason, Verdict } from '#model/verdict.ts';
import { predicateProblem } from '#predicates/given-predicate.ts';
import { DEFAULT_BUILDER_ID, observerBuilderId } from '#predicates/observer.ts';
import { isOurs } from '#predicates/own-statement.ts';
import {
  isSameSummary,
  type SummaryInput,
  summarisedPolicy,
  summaryPredicate,
} from '#predicates/verification-summary.ts';

const DIGEST = sha256('an image');
const POLICY = { name: 'signed', kind: 'ClusterPolicy', uri: 'file:signed', digest: sha256('the policy') };

function verdict(outcome: Verdict['outcome'], reasons: readonly Reason[] = []): Verdict {
  return {
    image: `registry.test/team/app@${DIGEST}`,
    digest: DIGEST,
    policy: POLICY,
    emulates: 'kyverno',
    mode: 'compat',
    outcome,
    reasons,
  };
}

function input(more: Partial<SummaryInput> = {}): SummaryInput {
  return {
    verdict: verdict('pass'),
    image: { registry: 'registry.test', repository: 'team/app', tag: 'v1', digest: DIGEST },
    builderId: DEFAULT_BUILDER_ID,
    timeVerified: new Date('2026-06-01T12:00:00.987Z'),
    levels: [],
    ...more,
  };
}

const verified = (name: string): Reason => ({
  code: 'verified',
  message: 'holds',
  evidence: `registry.test/team/app@${sha256(name)}`,
});

test('a pass is PASSED, claims no level of SLSA, and names image, policy and verifier', () => {
  const summary = summaryPredicate(input({ levels: ['EXAMPLE_TESTED'] }));
  assert.deepEqual(summary, {
    verifier: { id: 'https://attestry.dev/verifier/v1', version: summary?.verifier.version },
    timeVerified: '2026-06-01T12:00:00Z',
    resourceUri: `oci://registry.test/team/app@${DIGEST}`,
    policy: { uri: 'file:signed', digest: { sha256: POLICY.digest.slice(7) } },
    verificationResult: 'PASSED',
    verifiedLevels: ['SLSA_BUILD_LEVEL_UNEVALUATED', 'EXAMPLE_TESTED'],
    slsaVersion: '1.0',
  });
  assert.equal(predicateProblem('https://slsa.dev/verification_summary/v1', summary), undefined);
});

test('only a pass is PASSED; what could not be checked, or was not looked at, is no summary', () => {
  for (const outcome of ['fail', 'warn'] as const) {
    const summary = summaryPredicate(input({ verdict: verdict(outcome), levels: ['EXAMPLE_TESTED'] }));
    assert.equal(summary?.verificationResult, 'FAILED');
    assert.deepEqual(summary?.verifiedLevels, ['FAILED']);
    assert.equal(predicateProblem('https://slsa.dev/verification_summary/v1', summary), undefined);
  }
  for (const outcome of ['error', 'skip'] as const)
    assert.equal(summaryPredicate(input({ verdict: verdict(outcome) })), undefined);
});

test('a level of SLSA is never ours to give', () => {
  for (const level of ['SLSA_BUILD_LEVEL_3', 'FAILED']) {
    assert.throws(() => summaryPredicate(input({ levels: [level] })), { code: 'config-invalid' });
  }
});

test('it names all attestations that were used, sorted, or none', () => {
  const all = summaryPredicate(
    input({ verdict: verdict('pass', [verified('two'), verified('one'), verified('two')]) }),
  );
  assert.deepEqual(
    all?.inputAttestations?.map(({ uri }) => uri),
    [verified('one'), verified('two')].map(({ evidence }) => `oci://${evidence}`).sort(),
  );
  const some = summaryPredicate(
    input({ verdict: verdict('pass', [verified('one'), { code: 'verified', message: 'holds' }]) }),
  );
  assert.equal(some?.inputAttestations, undefined);
});

test('two summaries are the same when they differ in time alone, and are told apart by their policy', () => {
  const one = summaryPredicate(input());
  const later = summaryPredicate(input({ timeVerified: new Date('2027-01-01T00:00:00Z') }));
  const failed = summaryPredicate(input({ verdict: verdict('fail') }));
  assert.ok(one && later && failed);
  assert.equal(isSameSummary(JSON.parse(JSON.stringify(one)), later), true);
  assert.equal(isSameSummary(one, failed), false);
  assert.equal(isSameSummary(undefined, one), false);
  assert.equal(summarisedPolicy(one), 'file:signed');
  assert.equal(summarisedPolicy({ policy: 1 }), undefined);
});

test('a summary is known as our own, of this installation and of another', () => {
  const builderId = observerBuilderId('https://other.example/builder/registry-observer/v1');
  const predicate = summaryPredicate(input({ builderId }));
  const statement = { _type: '', subject: [], predicateType: 'https://slsa.dev/verification_summary/v1', predicate };
  assert.equal(isOurs(statement), true);
  assert.equal(isOurs(statement, [builderId]), true);
  assert.equal(isOurs(statement, [DEFAULT_BUILDER_ID]), false);
  assert.equal(isOurs({ ...statement, predicate: { verifier: { id: 'https://example.com/other' } } }), false);
});
