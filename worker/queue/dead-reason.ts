import * as z from 'zod/mini';
import { type AppError, ERRORS, type ErrorClass, type ErrorCode } from '#model/errors.ts';

/** Why a job was given up. `exhausted` is a failure that could have passed and did not within its tries. */
export interface DeadReason {
  readonly class: ErrorClass;
  readonly code: ErrorCode;
  readonly message: string;
  readonly exhausted: boolean;
}

const MAX_MESSAGE = 500;

const Stored = z.object({
  class: z.enum(['transient', 'throttled', 'not-yet', 'permanent']),
  code: z.custom<ErrorCode>((value) => typeof value === 'string' && Object.hasOwn(ERRORS, value), 'an error code'),
  message: z.string(),
  exhausted: z.boolean(),
});

export function deadReason(error: AppError): DeadReason {
  return {
    class: error.class,
    code: error.code,
    message: error.message.slice(0, MAX_MESSAGE),
    exhausted: error.class !== 'permanent',
  };
}

/** The queue keeps one text per failed job; ours is JSON. */
export function formatDeadReason(reason: DeadReason): string {
  return JSON.stringify(reason);
}

/** A text that is not ours comes from the queue itself, which gives up on jobs that stall without end. */
export function parseDeadReason(text: string | undefined): DeadReason {
  try {
    const parsed = z.safeParse(Stored, JSON.parse(text ?? ''));
    if (parsed.success) return parsed.data;
  } catch {
    // Told below.
  }
  const code = text?.includes('stalled') || text?.includes('started more') ? 'job-poisoned' : 'internal';
  return {
    class: ERRORS[code].class,
    code,
    message: (text ?? 'no reason was kept').slice(0, MAX_MESSAGE),
    exhausted: false,
  };
}
