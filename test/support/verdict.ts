import { sha256 } from '#model/digest.ts';
import type { Transition } from '#model/ledger.ts';
import type { Reason, Verdict } from '#model/verdict.ts';

export const DIGEST = sha256('an image');
export const IMAGE = `registry.example.com/team/app@${DIGEST}`;

/** A verdict on one image, as a policy gives it. */
export function verdictOf(outcome: Verdict['outcome'], reasons: readonly Reason[] = reasonsFor(outcome)): Verdict {
  return {
    image: IMAGE,
    digest: DIGEST,
    policy: { name: 'check-image', kind: 'ClusterPolicy', uri: 'file:check-image.yaml', digest: sha256('policy') },
    emulates: 'kyverno 1.19.1',
    mode: 'compat',
    outcome,
    reasons,
  };
}

function reasonsFor(outcome: Verdict['outcome']): readonly Reason[] {
  if (outcome === 'pass') return [{ code: 'verified', message: 'provenance holds' }];
  if (outcome === 'error') return [{ code: 'evidence-unreachable', message: 'the registry answered 503' }];
  return [{ code: 'evidence-missing', message: 'no provenance is attached', next: 'attest the image' }];
}

export function transitionOf(verdict: Verdict, change: Transition['change'], previous?: Verdict): Transition {
  return {
    image: IMAGE,
    policyUri: verdict.policy.uri,
    sequence: 3,
    change,
    at: '2026-01-02T03:04:05.000Z',
    verdict,
    ...(previous ? { previous: { outcome: previous.outcome, reasons: previous.reasons } } : {}),
  };
}
