import { oneLine } from '#events/bounded.ts';
import type { Transition } from '#model/ledger.ts';
import type { Reason, Verdict } from '#model/verdict.ts';

/** The reason that a person should read first; undefined when there is none. */
export function firstReason(verdict: Pick<Verdict, 'reasons'>): Reason | undefined {
  return verdict.reasons.find((reason) => reason.code !== 'verified') ?? verdict.reasons[0];
}

/** `IMAGE: POLICY went from pass to fail: REASON`. */
export function wordTransition({ image, change, verdict, previous }: Transition): string {
  const reason = firstReason(verdict)?.message;
  const because = reason === undefined ? '' : `: ${reason}`;
  const policy = verdict.policy.name;
  switch (change) {
    case 'first':
      return oneLine(`${image}: ${policy} says ${verdict.outcome}${because}`);
    case 'changed':
      return oneLine(`${image}: ${policy} ${wordChange(previous?.outcome, verdict.outcome)}${because}`);
    case 'could-not-check':
      return oneLine(`${image}: ${policy} could not be checked${because}`);
    case 'checked-again':
      return oneLine(`${image}: ${policy} could be checked again and says ${verdict.outcome}${because}`);
  }
}

function wordChange(before: string | undefined, after: string): string {
  return before === undefined || before === after
    ? `still says ${after}, for other reasons`
    : `went from ${before} to ${after}`;
}

/** `n pieces of evidence attached to IMAGE: cyclonedx, slsaprovenance1`. */
export function wordEvidence(
  verb: 'attached to' | 'restored on' | 'copied to' | 'lost from',
  image: string,
  evidence: readonly { readonly type: string }[],
): string {
  const types = [...new Set(evidence.map(({ type }) => type))].join(', ');
  const count = evidence.length === 1 ? '1 piece' : `${evidence.length} pieces`;
  return oneLine(`${count} of evidence ${verb} ${image}: ${types}`);
}

export function wordAlert(image: string, verdict: Pick<Verdict, 'policy' | 'reasons'>): string {
  const reason = firstReason(verdict)?.message ?? 'the policy fails';
  return oneLine(`${image} fails ${verdict.policy.name}: ${reason}`);
}

export function wordExpiring(signer: string, certificate: string, notAfter: string, daysLeft: number): string {
  const state =
    daysLeft < 0 ? `ended on ${notAfter}` : `ends in ${daysLeft === 1 ? '1 day' : `${daysLeft} days`}, on ${notAfter}`;
  return oneLine(`the certificate of signer ${signer} (${certificate}) ${state}`);
}
