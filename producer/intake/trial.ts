import { formatImageRef } from '#model/image-ref.ts';
import { type Answer, answerTo, type Outcome, skippedOutcome } from '#producer/intake/answer.ts';
import type { Decision } from '#producer/intake/decide.ts';
import type { AnswerRules } from '#producer/webhooks/adapter.ts';

/**
 * A header that makes a delivery a trial: authenticated, read and judged as any other, and then nothing is enqueued,
 * remembered, confirmed or counted. It can only take effects away, so that anyone may send it.
 */
export const TRIAL_HEADER = 'attestry-trial';

export function isTrial(headers: Readonly<Record<string, string>>): boolean {
  return headers[TRIAL_HEADER] !== undefined;
}

/** The answer that the delivery would get, and what it would enqueue. */
export function trialAnswer(rules: AnswerRules, decisions: readonly Decision[]): Answer {
  const answer = answerTo(rules, decisions.map(trialOutcome));
  return answer.withoutBody ? answer : { ...answer, body: { ...answer.body, trial: true } };
}

function trialOutcome(decision: Decision): Outcome {
  if (!('enqueue' in decision)) return skippedOutcome(decision.skipped);
  const { from, image } = decision.enqueue;
  return { from, status: 'not-enqueued', image: formatImageRef(image) };
}
