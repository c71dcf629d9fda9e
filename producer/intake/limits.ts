/** Jobs of one repository in an hour before further ones are delayed. A busy repository pushes a few tens. */
export const DEFAULT_RATE_PER_HOUR = 600;

/** The longest that the rate guard puts a job off. Later and the evidence would be missed by people first. */
export const MAX_RATE_DELAY_MS = 6 * 60 * 60 * 1000;

/** Redis commands in flight for one delivery: a batch must not fill the connection that others wait for. */
export const IN_FLIGHT = 64;

/** Seconds that a sender is asked to wait while Redis is away. Senders that retry by themselves ignore it. */
export const RETRY_AFTER_SECONDS = 5;

/** Characters of a foreign name that go to a log line or an answer. */
export const MAX_SHOWN = 300;
