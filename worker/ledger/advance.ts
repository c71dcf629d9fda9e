import type { Observation, OpenAlert, StateRecord, Transition } from '#model/ledger.ts';
import { type Outcome, type Verdict, verdictState, worstOutcome } from '#model/verdict.ts';

/** What an observation makes of the state before it. */
export interface Advance {
  readonly state: StateRecord;
  readonly transition?: Transition;
  readonly alert: AlertChange;
}

export type AlertChange =
  | { readonly kind: 'keep' }
  | { readonly kind: 'open'; readonly alert: OpenAlert }
  | { readonly kind: 'close' };

/** What is known of an image and policy before an observation. */
export interface Known {
  readonly state?: StateRecord;
  /** The last sequence that was given out, also to a state that was forgotten since. */
  readonly sequence: number;
  readonly alert?: OpenAlert;
}

/**
 * The rules of state, once for every ledger: a change is a change of outcome or of the sorted reason codes; `error`
 * never replaces what is known but stands beside it; the first verdict is a change, and alarms only when it is `fail`.
 * Undefined when the observation is older than what is known: a job that was run a second time reports late.
 */
export function advance(known: Known, observation: Observation): Advance | undefined {
  const { verdict } = observation;
  const at = observation.at.toISOString();
  const before = known.state;
  if (before && before.lastCheckedAt > at) return undefined;
  const base = {
    image: observation.image,
    policyUri: verdict.policy.uri,
    sequence: known.sequence,
    lastCheckedAt: at,
  };
  const change = changeOf(before, verdict);
  if (change === undefined) return { state: unchanged(base, before, verdict), alert: { kind: 'keep' } };
  const next = { ...base, sequence: known.sequence + 1 };
  const { lastCheckedAt: _, ...identity } = next;
  const previous = change === 'checked-again' ? before?.couldNotCheck?.verdict : before?.verdict;
  const transition: Transition = {
    ...identity,
    change,
    at,
    verdict,
    ...(previous ? { previous: { outcome: previous.outcome, reasons: previous.reasons } } : {}),
  };
  return { state: changed(next, before, verdict, change), transition, alert: alertChange(known, transition) };
}

/** The worst known state of an image; `error` when nothing could ever be checked; undefined without any state. */
export function knownOutcome(states: readonly StateRecord[]): Outcome | undefined {
  if (states.length === 0) return undefined;
  const known = states.flatMap((state) => (state.verdict ? [state.verdict.outcome] : []));
  return known.length === 0 ? 'error' : worstOutcome(known);
}

function changeOf(before: StateRecord | undefined, verdict: Verdict): Transition['change'] | undefined {
  if (verdict.outcome === 'error') return before?.couldNotCheck ? undefined : 'could-not-check';
  if (!before?.verdict) return 'first';
  if (verdictState(before.verdict) !== verdictState(verdict)) return 'changed';
  return before.couldNotCheck ? 'checked-again' : undefined;
}

type Base = Pick<StateRecord, 'image' | 'policyUri' | 'sequence' | 'lastCheckedAt'>;

/** The newest words of an unchanged state are kept: messages and the policy's digest may differ. */
function unchanged(base: Base, before: StateRecord | undefined, verdict: Verdict): StateRecord {
  if (!before) return base;
  if (verdict.outcome === 'error') {
    return { ...before, ...base, couldNotCheck: { since: before.couldNotCheck?.since ?? base.lastCheckedAt, verdict } };
  }
  return { ...before, ...base, verdict };
}

function changed(
  base: Base,
  before: StateRecord | undefined,
  verdict: Verdict,
  change: Transition['change'],
): StateRecord {
  const at = base.lastCheckedAt;
  switch (change) {
    case 'could-not-check':
      return { ...before, ...base, couldNotCheck: { since: at, verdict } };
    case 'checked-again':
      return { ...base, verdict, since: before?.since ?? at };
    case 'first':
    case 'changed':
      return { ...base, verdict, since: at };
  }
}

function alertChange({ alert }: Known, transition: Transition): AlertChange {
  const { image, policyUri, verdict, at } = transition;
  switch (verdict.outcome) {
    case 'fail':
      return { kind: 'open', alert: { image, policyUri, since: alert?.since ?? at, verdict } };
    case 'pass':
    case 'warn':
    case 'skip':
      return { kind: 'close' };
    case 'error':
      return { kind: 'keep' };
  }
}
