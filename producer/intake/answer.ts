import type { SkipReason } from '#model/push-event.ts';
import { RETRY_AFTER_SECONDS } from '#producer/intake/limits.ts';
import type { AnswerRules, HandshakeReply, SkippedItem } from '#producer/webhooks/adapter.ts';

/** What became of one item. */
export type Outcome =
  | {
      readonly from: string;
      /** `duplicate`: a job for this digest in this repository was waiting already, and does it. */
      readonly status: 'queued' | 'duplicate';
      readonly job: string;
      readonly image: string;
      /** Milliseconds that the rate guard puts the job off. */
      readonly delayedMs?: number;
    }
  /** A trial: it would have been enqueued. */
  | { readonly from: string; readonly status: 'not-enqueued'; readonly image: string }
  | {
      readonly from: string;
      readonly status: 'skipped';
      readonly reason: SkipReason;
      readonly message: string;
      /** Status that the protocol prescribes when this is all that was sent. */
      readonly answer?: number;
      /** What the protocol prescribes word for word when this was a handshake. */
      readonly reply?: HandshakeReply;
    };

/** An answer as a value: whoever holds the socket writes it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** The body is not sent at all, because the protocol speaks in headers alone. */
  readonly withoutBody?: true;
}

/** Reasons that are mistakes of the sender; the others are skipped on purpose. */
const FAULTS: readonly SkipReason[] = [
  'malformed',
  'too-large',
  'missing-field',
  'missing-host',
  'inconsistent',
  'host-not-allowed',
  'invalid-repository',
  'invalid-tag',
  'invalid-digest',
];

/** Whether an item that was skipped for this reason is a mistake of its sender. */
export function isFault(reason: SkipReason): boolean {
  return FAULTS.includes(reason);
}

/** A skipped item as an outcome, with the answer that its protocol prescribes. */
export function skippedOutcome({ from, skip, message = '', status, reply }: SkippedItem): Outcome {
  return {
    from,
    status: 'skipped',
    reason: skip,
    message,
    ...(status === undefined ? {} : { answer: status }),
    ...(reply === undefined ? {} : { reply }),
  };
}

/** The answer that a sender's rules prescribe: one good item makes the delivery accepted, whatever else is in it. */
export function answerTo(rules: AnswerRules, outcomes: readonly Outcome[]): Answer {
  const results = outcomes.map((outcome) => {
    if (outcome.status !== 'skipped') return outcome;
    const { answer, reply, ...rest } = outcome;
    return rest;
  });
  if (outcomes.some(({ status }) => status !== 'skipped')) {
    return { status: rules.accepted, headers: {}, body: { results } };
  }
  const asked = outcomes.flatMap((outcome) =>
    outcome.status === 'skipped' && outcome.reply ? [outcome.reply] : [],
  )[0];
  if (asked) {
    const { status, headers = {}, body } = asked;
    return body === undefined ? { status, headers, body: {}, withoutBody: true } : { status, headers, body };
  }
  const fault = outcomes.find((outcome) => outcome.status === 'skipped' && isFault(outcome.reason));
  if (fault?.status !== 'skipped') return { status: rules.skipped, headers: {}, body: { results } };
  const { reason, message, answer, from } = fault;
  const unreadable = from === 'body' && (reason === 'malformed' || reason === 'too-large');
  const status = answer ?? (unreadable ? rules.malformed : rules.rejected);
  return { status, headers: {}, body: { reason, message, results } };
}

export function unauthenticated(rules: AnswerRules): Answer {
  const headers = rules.unauthenticated === 401 ? { 'www-authenticate': 'Bearer' } : {};
  return {
    status: rules.unauthenticated,
    headers,
    body: { reason: 'unauthenticated', message: 'missing or wrong credential' },
  };
}

/** Nothing may be believed to be accepted: the sender is to send it all again. */
export function unavailable(retryAfterMs?: number): Answer {
  const seconds = retryAfterMs === undefined ? RETRY_AFTER_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1000));
  return {
    status: 503,
    headers: { 'retry-after': String(seconds) },
    body: { reason: 'unavailable', message: 'not accepted; send it again later' },
  };
}

export function unknownSource(): Answer {
  return { status: 404, headers: {}, body: { reason: 'not-found', message: 'nothing is here' } };
}
