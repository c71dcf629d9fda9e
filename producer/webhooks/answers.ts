import type { AnswerRules } from '#producer/webhooks/adapter.ts';

/** For senders that repeat what is not 2xx, or switch themselves off: only a wrong credential is refused. */
export const ALWAYS_TAKEN: AnswerRules = {
  accepted: 202,
  skipped: 200,
  unauthenticated: 401,
  malformed: 200,
  rejected: 200,
};

/** For senders that try once, or take a 4xx as final: a body that cannot be read shows as failed on their side. */
export const TOLD_ONCE: AnswerRules = { ...ALWAYS_TAKEN, malformed: 400 };
