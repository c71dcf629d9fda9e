import { sha256 } from '#model/digest.ts';
import type { Observation } from '#model/ledger.ts';
import type { Outcome, Reason, Verdict } from '#model/verdict.ts';

const START = Date.parse('2026-03-01T10:00:00Z');
const HOUR = 3_600_000;

export const IMAGE = `registry.example/team/app@${sha256('app')}`;
export const OTHER = `registry.example/team/other@${sha256('other')}`;

export function at(minutes: number): Date {
  return new Date(START + minutes * 60_000);
}

export function verdict(outcome: Outcome, policyUri = 'file:policy', codes: Reason['code'][] = []): Verdict {
  const reasons = codes.map((code) => ({ code, message: `because of ${code}` }));
  return {
    image: IMAGE,
    policy: { name: policyUri, kind: 'ClusterPolicy', uri: policyUri, digest: sha256(policyUri) },
    emulates: 'kyverno 1.19.1',
    mode: 'compat',
    outcome,
    reasons,
  };
}

export function observation(outcome: Outcome, minutes: number, more: Partial<Observation> = {}): Observation {
  return {
    image: IMAGE,
    verdict: verdict(outcome),
    at: at(minutes),
    nextDue: new Date(at(minutes).getTime() + HOUR),
    ...more,
  };
}
