import { boundedVerdict } from '#events/bounded.ts';
import { cloudEvent, type EventContext } from '#events/cloud-event.ts';
import type { AlertData, TransitionData } from '#events/event-data.ts';
import { wordAlert, wordTransition } from '#events/wording.ts';
import type { CloudEvent, EventType } from '#model/event.ts';
import type { OpenAlert, Transition } from '#model/ledger.ts';
import type { Verdict } from '#model/verdict.ts';

const CHANGE_TYPES: Readonly<Record<Transition['change'], EventType>> = {
  first: 'dev.attestry.verdict.first.v1',
  changed: 'dev.attestry.verdict.changed.v1',
  'could-not-check': 'dev.attestry.verdict.could-not-check.v1',
  'checked-again': 'dev.attestry.verdict.checked-again.v1',
};

/** The event of one change in the ledger. */
export function transitionEvent(transition: Transition, context: EventContext): CloudEvent<TransitionData> {
  const { image, policyUri, sequence, change, at, verdict, previous } = transition;
  const data: TransitionData = {
    message: wordTransition(transition),
    image,
    policyUri,
    sequence,
    change,
    verdict: boundedVerdict(verdict),
    ...(previous === undefined ? {} : { previous: { outcome: previous.outcome, codes: codesOf(previous) } }),
  };
  const about = { subject: image, identity: [image, policyUri, `${sequence}`], time: at };
  return cloudEvent(CHANGE_TYPES[change], about, data, context);
}

function codesOf({ reasons }: Pick<Verdict, 'reasons'>): string[] {
  return [...new Set(reasons.map(({ code }) => code))].sort();
}

/** An alert that is open now. Each time it is sent is an event of its own, or receivers would drop the repetition. */
export function alertFiring(alert: OpenAlert, context: EventContext): CloudEvent<AlertData> {
  const { image, policyUri, since, verdict } = alert;
  const data = { message: wordAlert(image, verdict), image, policyUri, since, verdict: boundedVerdict(verdict) };
  const about = { subject: image, identity: [image, policyUri, since, context.now.toISOString()] };
  return cloudEvent('dev.attestry.alert.firing.v1', about, data, context);
}

/** The end of an alert: the state is good again, or the image is gone and `verdict` absent. */
export function alertResolved(
  alert: { readonly image: string; readonly policyUri: string; readonly since?: string; readonly verdict?: Verdict },
  context: EventContext,
): CloudEvent<AlertData> {
  const { image, policyUri, since, verdict } = alert;
  const now = verdict ? `${verdict.policy.name} says ${verdict.outcome}` : 'it is watched no more';
  const data: AlertData = {
    message: `${image}: resolved, ${now}`,
    image,
    policyUri,
    ...(since === undefined ? {} : { since }),
    ...(verdict === undefined ? {} : { verdict: boundedVerdict(verdict) }),
  };
  const about = { subject: image, identity: [image, policyUri, since ?? '', context.now.toISOString()] };
  return cloudEvent('dev.attestry.alert.resolved.v1', about, data, context);
}

/**
 * What a change means for alerts, told at once rather than at the next repetition; undefined when nothing. A check that
 * could not be made neither opens nor closes an alert.
 */
export function alertOfTransition(transition: Transition, context: EventContext): CloudEvent<AlertData> | undefined {
  const { image, policyUri, at, change, verdict, previous } = transition;
  const moment = { ...context, now: new Date(at) };
  if (change === 'could-not-check' || verdict.outcome === 'error') return undefined;
  if (verdict.outcome === 'fail') return alertFiring({ image, policyUri, since: at, verdict }, moment);
  if (previous?.outcome !== 'fail') return undefined;
  return alertResolved({ image, policyUri, verdict }, moment);
}
