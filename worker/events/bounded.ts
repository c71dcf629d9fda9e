import { MAX_REASONS, MAX_TEXT, type VerdictData } from '#events/event-data.ts';
import type { Reason, Verdict } from '#model/verdict.ts';

/** A verdict small enough for any receiver: hostile evidence can put thousands of long reasons into one. */
export function boundedVerdict(verdict: Verdict): VerdictData {
  const { image, digest, policy, emulates, mode, outcome, strictOutcome, reasons } = verdict;
  const omitted = reasons.length - MAX_REASONS;
  return {
    image,
    ...(digest === undefined ? {} : { digest }),
    policy: { ...policy, name: clipped(policy.name), uri: clipped(policy.uri) },
    emulates,
    mode,
    outcome,
    ...(strictOutcome === undefined ? {} : { strictOutcome }),
    reasons: reasons.slice(0, MAX_REASONS).map(boundedReason),
    ...(omitted > 0 ? { reasonsOmitted: omitted } : {}),
  };
}

function boundedReason({
  code,
  message,
  clause,
  wanted,
  found,
  evidence,
  next,
}: Reason): VerdictData['reasons'][number] {
  return {
    code,
    message: clipped(message),
    ...(clause === undefined ? {} : { clause: clipped(clause) }),
    ...(wanted === undefined ? {} : { wanted: clipped(wanted) }),
    ...(found === undefined ? {} : { found: clipped(found) }),
    ...(evidence === undefined ? {} : { evidence: clipped(evidence) }),
    ...(next === undefined ? {} : { next: clipped(next) }),
  };
}

/** At most 1000 characters. */
export function clipped(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}

/**
 * One line, at most 1000 characters: what others wrote ends up in terminals, mails and chat, so control and direction
 * characters are replaced.
 */
export function oneLine(text: string): string {
  return clipped(text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu, ' '));
}
