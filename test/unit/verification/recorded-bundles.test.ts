import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BundleCase, type BundleCheck, bundleCases } from '../../support/bundle-corpus.ts';
import { cosignOnBundles } from '../../support/recorded-cosign.ts';
import { kyvernoOnBundles } from '../../support/recorded-sigstore-type.ts';
import { strictOnBundles } from '../../support/recorded-strict.ts';

/** What the older sigstore-go of cosign 2.6.5 lets pass, and the ones after it do not. */
const LET_PASS: readonly string[] = [
  'log-79-hashedrekord-bundle',
  'log-83-wrong-payload-hash-bundle',
  'log-83-wrong-payload-hash-key-bundle',
  'log-88-v2-dsse-key-bundle',
  'log-89-v2-other-envelope-key-bundle',
  'x509-58-token-sha1-bundle',
];

const TOOLS: readonly {
  readonly tool: string;
  readonly judge: (recorded: BundleCase, check: BundleCheck) => string | undefined | Promise<string>;
  readonly deviations: readonly string[];
  readonly least: number;
}[] = [
  { tool: 'cosign 3.1.3', judge: cosignOnBundles, deviations: [], least: 480 },
  { tool: 'cosign 2.6.5', judge: cosignOnBundles, deviations: LET_PASS, least: 269 },
  {
    tool: 'kyverno 1.19.1',
    judge: async (...given) => (await kyvernoOnBundles(...given)).outcome,
    deviations: [],
    least: 535,
  },
];

for (const { tool, judge, deviations, least } of TOOLS) {
  // How a registry lists referrers is the storage room's question.
  const checks = bundleCases
    .filter(({ registry }) => registry === undefined)
    .flatMap((recorded) =>
      recorded.checks.filter((check) => check.tool === tool).map((check) => ({ recorded, check })),
    );
  const answers = await Promise.all(
    checks.map(async ({ recorded, check }) => ({ recorded, check, ours: await judge(recorded, check) })),
  );
  const judged = answers.filter(({ ours }) => ours !== undefined);
  const other = judged.filter(({ check, ours }) => ours !== (check.outcome === 'error' ? 'fail' : check.outcome));

  test(`${tool}: ${judged.length - other.length} of ${judged.length} recorded verdicts on bundles are ours`, () => {
    assert.ok(judged.length >= least, `${judged.length} of ${checks.length} are judged`);
    const unlike = other.filter(({ recorded }) => !deviations.includes(recorded.id));
    assert.deepEqual(
      unlike.map(
        ({ recorded, check, ours }) =>
          `${recorded.id}: ${check.outcome}, ours ${ours}, ${check.policy ?? check.args?.join(' ')}`,
      ),
      [],
    );
    assert.deepEqual([...new Set(other.map(({ recorded }) => recorded.id))].toSorted(), [...deviations].toSorted());
  });
}

/** What is not the bundle's to say: evidence at cosign's tag beside it, what a predicate must say, revocation. */
const ELSEWHERE = /^(?:store-124-hidden-att|store-125-junk-.*-and-att|prov-14|x509-7[23]-)/;

const strict = bundleCases
  .filter(({ id, registry, strict: wanted }) => wanted !== undefined && registry === undefined && !ELSEWHERE.test(id))
  .flatMap((recorded) => {
    const checks = recorded.checks.filter(
      ({ tool, args }) => tool === 'cosign 3.1.3' && args?.[0] === 'verify-attestation',
    );
    return checks.map((check) => ({ recorded, check, ours: strictOnBundles(recorded, check) }));
  });

test(`${strict.length} recorded command lines: the strict reading is the one that is listed`, () => {
  assert.ok(strict.length >= 60);
  assert.deepEqual(
    strict
      .filter(({ recorded, ours }) => ours !== recorded.strict)
      .map(({ recorded, check, ours }) => `${recorded.id}: ${recorded.strict}, ours ${ours}, ${check.args?.join(' ')}`),
    [],
  );
});
