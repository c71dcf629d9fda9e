import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CorpusCase, type CorpusCheck, corpusCases, judgeRecorded } from '../../support/recorded-corpus.ts';

/** Why a check cannot be judged yet, by its case; this list may only shrink. */
const REFUSED: Readonly<Record<string, string>> = {
  'pol-103-no-attestors-offline under a-pol-103-no-attestors-offline':
    'an attestation without attestors, which trusts anyone that the public instance does',
  'pol-107-variables under a-cond-variables-13': 'the expression "dash-name", which Kyverno\'s JMESPath cannot parse',
  'pol-111-no-shadow under a-cond-no-shadow-00': 'the context variable "request" in "request.object.metadata.name"',
  'pol-111-no-shadow under a-cond-no-shadow-01': 'the context variable "images" in "images.containers.c0.name"',
  'pol-111-no-shadow under a-cond-no-shadow-02': 'the context variable "images" in "images.containers.c0.path"',
  'pol-111-shadow under a-cond-shadow-00': 'the context variable "request" in "request.object.metadata.name"',
  'pol-111-shadow under a-cond-shadow-01': 'the context variable "request" in "request.object.metadata.name"',
  'pol-111-shadow under a-cond-shadow-02': 'the context variable "request" in "request.operation"',
  'pol-111-shadow under a-cond-shadow-03': 'the context variable "images" in "images.containers"',
  'pol-111-shadow under a-cond-shadow-04': 'the context variable "images" in "images.containers.c0.name"',
  'pol-functions under a-cond-functions-19': 'the function time_since.. in an expression',
  'pol-functions under a-cond-functions-20': 'the function no_such_function.. in an expression',
  'store-a2-oci11 under b-sig-key-store-a2-oci11': 'signatures as OCI 1.1 referrers',
};

/** A tag of more layers than verifiers read: a fail for the tool, and nothing that we read at all. */
const UNREAD = 'store-137-1001-layers under b-store-prov';

const checks = corpusCases().flatMap((recorded) => recorded.checks.map((check) => ({ recorded, check })));
const refused = checks.filter(({ recorded, check }) => reasonOf(recorded, check) !== undefined);

test(`${checks.length - refused.length} recorded checks are judged and ${refused.length} refused by name`, () => {
  assert.equal(checks.length, 870);
  assert.deepEqual(new Set(refused.map(({ recorded, check }) => idOf(recorded, check))), new Set(Object.keys(REFUSED)));
});

for (const { recorded, check } of checks) {
  const reason = reasonOf(recorded, check);
  test(`${idOf(recorded, check)}: ${reason === undefined ? check.outcome : `not supported, ${reason}`}`, async () => {
    const { verdicts } = await judgeRecorded(recorded, check);
    const [verdict, ...more] = verdicts;
    assert.ok(verdict);
    assert.deepEqual(more, []);
    const unsupported = verdict.reasons.find(({ code }) => code === 'policy-unsupported')?.message;
    const shown = JSON.stringify(verdict.reasons, null, 1);
    if (reason !== undefined) {
      assert.equal(verdict.outcome, 'error', shown);
      assert.match(unsupported ?? '', new RegExp(reason), shown);
      return;
    }
    assert.equal(unsupported, undefined, shown);
    if (idOf(recorded, check) === UNREAD) {
      assert.deepEqual([verdict.outcome, verdict.reasons[0]?.found], ['error', 'too-large']);
      return;
    }
    // What the tool could not reach from where it ran, we may not be able to reach either, and say so.
    if (check.unfetched && verdict.outcome === 'error') return;
    assert.equal(verdict.outcome, check.outcome, shown);
    assert.equal(verdict.emulates, 'kyverno 1.19.1');
    assert.ok(verdict.reasons.length > 0);
  });
}

function idOf({ id }: CorpusCase, { policy }: CorpusCheck): string {
  return `${id} under ${policy}`;
}

function reasonOf(recorded: CorpusCase, check: CorpusCheck): string | undefined {
  const id = idOf(recorded, check);
  return Object.hasOwn(REFUSED, id) ? REFUSED[id] : undefined;
}
