import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { compilePolicies } from '#policy/load.ts';
import { certificateChainCases, recordedInput, recordedPolicy } from '../../support/recorded-verdicts.ts';

const checks = certificateChainCases().flatMap((recorded) =>
  recorded.checks.map(({ policy, outcome }) => ({ recorded, policy, outcome, text: recordedPolicy(policy) })),
);
const plain = checks.filter(({ text }) => isPlain(text));

/** Type Cosign, every attestor a `certChain` alone, nothing at the rule's level, both ignores, no timestamp authority. */
function isPlain(text: string): boolean {
  const elements = parse(text).spec.rules.flatMap((rule: { verifyImages: object[] }) => rule.verifyImages);
  return elements.every((element: { type?: string; attestors?: object[]; attestations?: Attestation[] }) => {
    if ((element.type ?? 'Cosign') !== 'Cosign' || element.attestors) return false;
    const entries = (element.attestations ?? []).flatMap(({ attestors }) => attestors.flatMap((set) => set.entries));
    return entries.every(({ certificates }) => {
      const { cert, certChain, rekor, ctlog } = certificates ?? {};
      return certChain && !cert && rekor?.ignoreTlog && ctlog?.ignoreSCT && !ctlog.tsaCertChain;
    });
  });
}

interface Attestation {
  readonly attestors: readonly {
    readonly entries: readonly {
      readonly certificates?: {
        readonly cert?: string;
        readonly certChain?: string;
        readonly rekor?: { readonly ignoreTlog?: boolean };
        readonly ctlog?: { readonly ignoreSCT?: boolean; readonly tsaCertChain?: string };
      };
    }[];
  }[];
}

test('the recorded checks are all there', () => {
  assert.equal(checks.length, 143);
  assert.equal(plain.length, 85);
  assert.equal(new Set(plain.map(({ policy }) => policy)).size, 17);
});

for (const { recorded, policy, outcome, text } of plain) {
  test(`${recorded.id} under ${policy}: ${outcome}`, () => {
    const [compiled, ...more] = compilePolicies(text, { source: policy });
    assert.ok(compiled);
    assert.deepEqual(more, []);
    const verdict = compiled.evaluate(recordedInput(recorded));
    assert.equal(verdict.outcome, outcome, JSON.stringify(verdict.reasons, null, 1));
    assert.equal(verdict.emulates, 'kyverno 1.19.1');
    assert.ok(verdict.reasons.length > 0);
  });
}

for (const { recorded, policy, outcome, text } of checks.filter((check) => !plain.includes(check))) {
  test(`${recorded.id} under ${policy}: ${outcome}, or named as not supported`, () => {
    const [compiled] = compilePolicies(text, { source: policy });
    const verdict = compiled?.evaluate(recordedInput(recorded));
    const unsupported =
      verdict?.outcome === 'error' && verdict.reasons.some(({ code }) => code === 'policy-unsupported');
    assert.ok(unsupported || verdict?.outcome === outcome, JSON.stringify(verdict, null, 1));
  });
}
